#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Real disks become monolithicSparse images that other programs read, and come back unchanged."""

import concurrent.futures
import os
import random
import re
import shutil
import struct
import unittest

from support import (GIB, KIB, MIB, SECTOR, InteropTest, file_difference, peer, read_header,
                     roomy_folder, round_up)


def side_by_side(*checks):
    """Runs checks in pairs, since other programs are the slow ones; fails as the first of them."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for running in [pool.submit(check) for check in checks]:
            running.result()


def hashed_by_7zip(*arguments):
    """What 7-Zip reads: how many bytes, and their hash."""
    said = peer("7zz", *arguments, "-scrcXXH64")
    size = re.search(r"^Size: +(\d+)$", said, re.M)
    content = re.search(r"^XXH64 +for data: +([0-9A-F]{16})$", said, re.M)
    return int(size.group(1)), content.group(1)


class DiskTests:
    """What holds for each disk. A class of tests names or makes one."""

    @classmethod
    def setUpClass(cls):
        cls.own_folder = roomy_folder(cls.need_bytes)
        cls.addClassCleanup(shutil.rmtree, cls.own_folder)
        cls.disk = cls.make_disk()
        cls.raw_hashes = {}

    def compare_copies(self, image):
        """Other programs read one copy of the tables; the second one has to say the same."""
        header = read_header(self.path(image))
        grains = round_up(header.capacity, header.grain) // header.grain
        tables = round_up(grains, header.entries) // header.entries
        with open(self.path(image), "rb") as file:
            copies = []
            for sector in header.directory, header.redundant:
                file.seek(sector * SECTOR)
                copies.append(struct.unpack(f"<{tables}I", file.read(4 * tables)))
            for number, (first, second) in enumerate(zip(*copies)):
                self.assertNotEqual(first, second)
                content = [os.pread(file.fileno(), 4 * header.entries, sector * SECTOR)
                           for sector in (first, second)]
                self.assertEqual(4 * header.entries, len(content[0]))
                self.assertEqual(*content, f"table {number}")

    def read_by_qemu(self, image):
        said = peer("qemu-img", "compare", "-f", "raw", "-F", "vmdk", self.disk, self.path(image))
        self.assertIn("Images are identical.", said)
        self.assertIn("No errors were found", peer("qemu-img", "check", self.path(image)))

    @classmethod
    def raw_hash(cls, size):
        """What 7-Zip has to read: the disk, and zeros behind it up to a size."""
        if size not in cls.raw_hashes:
            padded = cls.disk
            if os.path.getsize(padded) != size:
                padded = os.path.join(cls.own_folder, f"{size}.img")
                peer("cp", "--sparse=always", cls.disk, padded)
                os.truncate(padded, size)
            cls.raw_hashes[size] = hashed_by_7zip("h", padded)
        return cls.raw_hashes[size]

    def read_by_7zip(self, image, size):
        # Without -tvmdk it opens the file system on the disk. Its own hash of all that it extracts
        # takes a fifth of the time that a pipe takes.
        self.assertEqual(self.raw_hash(size), hashed_by_7zip("t", "-tvmdk", self.path(image)))

    def read_by_libvmdk(self, image, size):
        said = peer("vmdkinfo", self.path(image))
        self.assertIn("Monolithic sparse", said)
        self.assertIn(f"({size} bytes)", said)

    def read_back(self, image, size):
        self.done("convert", image, image + ".img")
        difference = file_difference(self.disk, self.path(image + ".img"), size)
        self.assertIsNone(difference)
        self.remove(image + ".img")

    def convert_and_read(self, grain_bytes):
        disk_bytes = os.path.getsize(self.disk)
        size = round_up(disk_bytes, grain_bytes)
        grain = ("-g", f"{grain_bytes // KIB}K")

        self.done("convert", *grain, self.disk, "disk.vmdk")
        self.assertEqual(grain_bytes, read_header(self.path("disk.vmdk")).grain * SECTOR)
        checks = [lambda: self.read_by_qemu("disk.vmdk"),
                  lambda: self.read_by_7zip("disk.vmdk", size),
                  lambda: self.read_back("disk.vmdk", size),
                  lambda: self.compare_copies("disk.vmdk")]
        if grain_bytes > 4 * KIB:  # libvmdk opens no smaller grains.
            checks.append(lambda: self.read_by_libvmdk("disk.vmdk", size))
        side_by_side(*checks)
        self.remove("disk.vmdk")

        self.done("convert", *grain, "-o", "capacity=exact", self.disk, "exact.vmdk")
        self.read_back("exact.vmdk", disk_bytes)

    def test_grain_of_8_sectors(self):
        self.convert_and_read(4 * KIB)

    def test_grain_of_16_sectors(self):
        self.convert_and_read(8 * KIB)

    def test_grain_of_128_sectors(self):
        self.convert_and_read(64 * KIB)

    def test_grain_of_2048_sectors(self):
        self.convert_and_read(MIB)


class PackagedDisk(DiskTests):
    """A disk image that a Debian package holds."""

    @classmethod
    def make_disk(cls):
        files = peer("dpkg", "-L", cls.package).splitlines()
        return next(path for path in files if path.endswith(cls.ending))


class GrubCdrom(PackagedDisk, InteropTest):
    package, ending = "grub-rescue-pc", "/grub-rescue-cdrom.iso"


class GrubFloppy(PackagedDisk, InteropTest):
    package, ending = "grub-rescue-pc", "/grub-rescue-floppy.img"


class Ipxe(PackagedDisk, InteropTest):
    package, ending = "ipxe", "/ipxe.iso"


class Memtest(PackagedDisk, InteropTest):
    package, ending = "memtest86+", "x64.iso"


class Ext4(DiskTests, InteropTest):
    """A file system of 1 GiB with more than 300 MB of files."""

    need_bytes = 3 * GIB
    wanted_bytes = 320 * MIB
    largest_bytes = 16 * MIB

    @classmethod
    def copy_files(cls, folder):
        """Copies files of /usr, in order of their names, until there are enough."""
        copied = 0
        for top, folders, names in os.walk("/usr"):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(top, name)
                if (os.path.islink(path) or not os.path.isfile(path) or not os.access(path, os.R_OK)
                        or os.path.getsize(path) > cls.largest_bytes):
                    continue
                os.makedirs(folder + top, exist_ok=True)
                shutil.copy(path, folder + path)
                copied += os.path.getsize(path)
                if copied >= cls.wanted_bytes:
                    return
        raise AssertionError(f"/usr has only {copied} bytes")

    @classmethod
    def make_disk(cls):
        files = os.path.join(cls.own_folder, "files")
        disk = os.path.join(cls.own_folder, "ext4.img")
        cls.copy_files(files)
        peer("mke2fs", "-q", "-t", "ext4", "-d", files, disk, "1G")
        shutil.rmtree(files)
        return disk


class SparseDisk(DiskTests, InteropTest):
    """64 GiB with about 700 MB of data all over, some of it zeros."""

    need_bytes = 6 * GIB
    disk_bytes = 64 * GIB
    data_bytes = 700 * MIB

    @classmethod
    def make_disk(cls):
        disk = os.path.join(cls.own_folder, "sparse.img")
        dice = random.Random(64)
        last_sector = cls.disk_bytes - SECTOR
        with open(disk, "wb") as file:
            file.truncate(cls.disk_bytes)
            for start in 0, last_sector:
                file.seek(start)
                file.write(dice.randbytes(SECTOR))
            written = 0
            while written < cls.data_bytes:
                length = int(2 ** dice.uniform(3, 14)) * SECTOR  # 4 KiB to 8 MiB
                file.seek(dice.randrange(last_sector - length) // SECTOR * SECTOR)
                file.write(dice.randbytes(length) if dice.random() < 0.95 else bytes(length))
                written += length
        return disk


if __name__ == "__main__":
    unittest.main()
