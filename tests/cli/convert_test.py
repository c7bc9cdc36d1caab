#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Disks come through `vmdk convert` unchanged, whatever they come from and go to."""

import os
import pty
import shutil
import stat
import struct
import subprocess
import time
import unittest

from program import (GIB, KIB, MIB, PROGRAM, SECTOR, TIB, ProgramTest, noise, read_descriptor, read_header,
                     sha256)

QEMU_IMG = shutil.which("qemu-img")


def disk_content():
    """A disk of no whole grains: data, text, zeros inside a grain, long zeros."""
    content = bytearray(3 * MIB + 5 * SECTOR)
    content[:100_000] = noise(100_000)
    content[MIB + 4096:MIB + 4096 + 3000] = b"text " * 600
    content[-SECTOR:] = noise(SECTOR, seed=2)
    return bytes(content)


class RoundTrips(ProgramTest):
    def setUp(self):
        super().setUp()
        self.content = disk_content()
        self.write("disk.img", self.content)

    def test_grains(self):
        for grain in ("4K", "8k", "64K", "65536", "1M", "1024K"):
            self.done("convert", "-g", grain, "disk.img", "disk.vmdk")
            grain_bytes = read_header(self.path("disk.vmdk")).grain * SECTOR
            self.assertEqual("identical; disk.vmdk goes on for {} zero bytes\n".format(
                -len(self.content) % grain_bytes).encode(),
                self.done("compare", "disk.img", "disk.vmdk"))
            self.done("convert", "disk.vmdk", "back.img")
            self.assertEqual(self.content + bytes(-len(self.content) % grain_bytes),
                             self.read("back.img"))
            if QEMU_IMG:
                subprocess.run([QEMU_IMG, "compare", "-q", "-fraw", "-Fvmdk", "disk.img",
                                "disk.vmdk"], cwd=self.folder, check=True)
                subprocess.run([QEMU_IMG, "check", "-q", "disk.vmdk"], cwd=self.folder, check=True)
            os.remove(self.path("disk.vmdk"))
            os.remove(self.path("back.img"))

    def test_exact_capacity(self):
        self.done("convert", "-o", "capacity=exact", "disk.img", "disk.vmdk")
        self.done("convert", "disk.vmdk", "back.img")
        self.assertEqual(self.content, self.read("back.img"))
        self.assertEqual(b"identical\n", self.done("compare", "disk.img", "disk.vmdk"))

    def test_same_bytes_from_everywhere(self):
        self.done("convert", "disk.img", "disk.vmdk")
        wanted = self.read("disk.vmdk")
        # So it is with every compiler, and so it stays.
        self.assertEqual("5e7598c765893da2fba83277abc96d2fc682e82d581d9d96565987e72e8a2e59",
                         sha256(self.path("disk.vmdk")))
        self.assertEqual(wanted, self.done("convert", "-t", "monolithicSparse", "disk.img", "-"))
        os.mkdir(self.path("other"))
        self.done("convert", "-f", "raw", "--size", str(len(self.content)), "-", "other/disk.vmdk",
                  content=self.content)
        self.assertEqual(wanted, self.read("other/disk.vmdk"))
        with open(self.path("disk.img"), "rb") as file:
            self.assertEqual(wanted, self.done("convert", "-f", "raw", "-t", "monolithicSparse", "-",
                                               "-", stdin=file))
        with open(self.path("disk.vmdk"), "rb") as file:
            self.done("convert", "-f", "vmdk", "-o", "capacity=exact", "-", "other/again.vmdk",
                      "-o", "name=disk.vmdk", stdin=file)
        self.assertEqual(wanted, self.read("other/again.vmdk"))
        os.mkfifo(self.path("fifo"))
        with subprocess.Popen("cat fifo >got", shell=True, cwd=self.folder):
            self.done("convert", "-t", "monolithicSparse", "-o", "name=disk.vmdk", "disk.img", "fifo")
        self.assertEqual(wanted, self.read("got"))

    def test_raw_through_pipes(self):
        self.assertEqual(self.content, self.done("convert", "disk.img", "-"))
        self.done("convert", "-o", "capacity=exact", "disk.img", "disk.vmdk")
        self.assertEqual(self.content, self.done("convert", "disk.vmdk", "-"))
        self.done("convert", "-f", "raw", "--size", str(len(self.content)), "-", "copy.img",
                  content=self.content)
        self.assertEqual(self.content, self.read("copy.img"))

    def test_holes_stay_holes(self):
        size = 256 * MIB
        self.sparse("holes.img", size, {0: noise(4096), 100 * MIB: noise(65536), size - 1: b"x"})
        self.done("convert", "holes.img", "holes.vmdk")
        self.done("convert", "holes.vmdk", "back.img")
        self.done("convert", "-t", "raw", "holes.img", "copy.img")
        for name in ("back.img", "copy.img"):
            self.assertEqual(sha256(self.path("holes.img")), sha256(self.path(name)))
            self.assertLess(os.stat(self.path(name)).st_blocks * SECTOR, MIB)
        # Zeros that are stored become holes.
        self.write("zeros.img", bytes(16 * MIB) + b"x")
        self.done("convert", "-t", "raw", "zeros.img", "copy2.img")
        self.assertLess(os.stat(self.path("copy2.img")).st_blocks * SECTOR, MIB)

    def test_not_whole_sectors(self):
        content = noise(1000)
        self.write("odd.img", content)
        for size in ("exact", "grain"):
            result = self.run_program("convert", "-o", f"capacity={size}", "--force", "odd.img",
                                      "odd.vmdk")
            self.assertEqual(0, result.status)
            self.assertRegex(result.err, r"\Avmdk: odd\.img: has 1000 bytes[^\n]* 24 zero[^\n]*\n\Z")
            self.done("convert", "--force", "odd.vmdk", "back.img")
            self.assertEqual(content.ljust(1024 if size == "exact" else 65536, b"\0"),
                             self.read("back.img"))
        # A raw copy is a copy.
        self.done("convert", "-t", "raw", "odd.img", "copy.img")
        self.assertEqual(content, self.read("copy.img"))

    def test_verbose(self):
        result = self.run_program("convert", "-v", "disk.img", "disk.vmdk")
        self.assertEqual((0, b""), (result.status, result.out))
        self.assertRegex(result.err, r"\Avmdk: disk\.vmdk: disk of 3211264 bytes [^\n]*\n\Z")
        for content, stored in ((b"x", "1 grain stored"), (bytes(SECTOR), "0 grains stored")):
            self.write("small.img", content.ljust(SECTOR, b"\0"))
            self.assertTrue(self.run_program("convert", "--force", "-v", "small.img", "small.vmdk")
                            .err.endswith(f", {stored}\n"))


class Outputs(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("disk.img", noise(100_000).ljust(2 * MIB, b"\0"))

    def test_force_keeps_permissions_and_links(self):
        self.write("old.vmdk", b"old")
        os.chmod(self.path("old.vmdk"), 0o640)
        os.symlink("old.vmdk", self.path("link.vmdk"))
        self.done("convert", "--force", "disk.img", "link.vmdk")
        self.assertTrue(os.path.islink(self.path("link.vmdk")))
        self.assertEqual(0o640, stat.S_IMODE(os.stat(self.path("old.vmdk")).st_mode))
        self.assertEqual(b"KDMV", self.read("old.vmdk")[:4])

    def test_nodes_stay(self):
        self.done("convert", "-t", "raw", "disk.img", "/dev/null")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_nothing_but_the_output_is_left(self):
        self.done("convert", "disk.img", "disk.vmdk")
        self.assertEqual(["disk.img", "disk.vmdk"], sorted(os.listdir(self.folder)))

    def test_names_that_look_like_options(self):
        os.rename(self.path("disk.img"), self.path("-disk.img"))
        self.done("convert", "--", "-disk.img", "-disk.vmdk")
        self.assertEqual(b"KDMV", self.read("-disk.vmdk")[:4])

    def test_type_by_name(self):
        for name, magic in (("a.vmdk", b"KDMV"), ("a.VMDK", b"KDMV"), ("a.img", noise(4)),
                            ("vmdk", noise(4))):
            self.done("convert", "disk.img", name)
            self.assertEqual(magic, self.read(name)[:4])


class Settings(ProgramTest):
    def convert(self, *arguments):
        if not os.path.exists(self.path("disk.img")):
            self.write("disk.img", noise(4096).ljust(5 * MIB, b"\0"))
        self.done("convert", "--force", *arguments, "disk.img", "disk.vmdk")
        return read_descriptor(self.path("disk.vmdk"))

    def test_defaults(self):
        text = self.convert()
        for line in ("# Disk DescriptorFile", "version=1", 'encoding="UTF-8"', "parentCID=ffffffff",
                     'createType="monolithicSparse"', 'RW 10240 SPARSE "disk.vmdk"',
                     'ddb.adapterType = "lsilogic"', 'ddb.virtualHWVersion = "4"',
                     'ddb.toolsVersion = "2147483647"'):
            self.assertIn(line, text.splitlines())
        self.assertEqual(text, self.convert())

    def test_each(self):
        uuid = "60 00 C2 91 06 86 5b fc-cb a8 22 82 5f 91 a1 31"
        text = self.convert("-o", "adapterType=ide", "-o", "virtualHWVersion=10", "-o", "CID=beef",
                            "-o", f"uuid={uuid}", "-o", "name=other.vmdk", "-o", "toolsVersion=7",
                            "-o", "ddb.comment=made by hand", "-o", "ddb.thinProvisioned=1")
        for line in ("CID=0000beef", 'RW 10240 SPARSE "other.vmdk"', 'ddb.adapterType = "ide"',
                     'ddb.geometry.heads = "16"', 'ddb.virtualHWVersion = "10"',
                     'ddb.toolsVersion = "7"', f'ddb.uuid = "{uuid}"',
                     'ddb.comment = "made by hand"', 'ddb.thinProvisioned = "1"'):
            self.assertIn(line, text.splitlines())
        for adapter in ("buslogic", "lsilogic", "legacyESX"):
            self.assertIn(f'ddb.adapterType = "{adapter}"',
                          self.convert("-o", f"adapterType={adapter}"))

    def test_mkimg(self):
        text = self.convert("-o", "mkimg=yes")
        self.assertIn('RW 10240 SPARSE ""', text.splitlines())
        self.assertIn("CID=00000000", text.splitlines())
        self.assertIn('ddb.adapterType = "ide"', text.splitlines())
        header = read_header(self.path("disk.vmdk"))
        self.assertEqual((10240, 16, 1, 1, 11, 2, 32),
                         (header.capacity, header.grain, header.descriptor, header.descriptor_size,
                          header.redundant, header.directory, header.overhead))
        image = self.read("disk.vmdk")
        self.assertEqual((3, 7), struct.unpack_from("<II", image, 2 * SECTOR))
        self.assertEqual((12, 16), struct.unpack_from("<II", image, 11 * SECTOR))
        self.assertEqual(32, struct.unpack_from("<I", image, 3 * SECTOR)[0])


class Large(ProgramTest):
    def test_64_tib(self):
        """A huge disk with little data takes little: empty tables stay holes."""
        if not self.folder.startswith("/dev/shm"):
            self.skipTest("only a file system in memory has files of 64 TiB")
        pieces = {0: noise(SECTOR), 5 * TIB: noise(70_000), 64 * TIB - SECTOR: noise(SECTOR)}
        self.sparse("disk.img", 64 * TIB, pieces)
        began = time.monotonic()
        self.done("convert", "disk.img", "disk.vmdk")
        self.assertLess(time.monotonic() - began, 30)
        self.assertLess(os.stat(self.path("disk.vmdk")).st_blocks * SECTOR, 32 * MIB)
        self.assertEqual(64 * TIB // SECTOR, read_header(self.path("disk.vmdk")).capacity)
        if QEMU_IMG:
            map_text = subprocess.run([QEMU_IMG, "info", "disk.vmdk"], cwd=self.folder, check=False,
                                      capture_output=True, text=True).stdout
            self.assertIn("64 TiB", map_text)

    def test_memory(self):
        """Peak memory does not grow with the disk."""
        self.sparse("disk.img", 64 * GIB, {n * 97 * MIB: noise(128 * KIB, n) for n in range(500)})
        measure = ("import os,resource,subprocess,sys\n"
                   "subprocess.run(sys.argv[1:], check=True)\n"
                   "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n")
        for source, destination in (("disk.img", "disk.vmdk"), ("disk.vmdk", "back.img")):
            peak_kib = int(subprocess.run(
                ["python3", "-c", measure, PROGRAM, "convert", source, destination],
                cwd=self.folder, check=True, stdout=subprocess.PIPE).stdout)
            if "asan" not in os.path.realpath(PROGRAM):
                self.assertLess(peak_kib, 16 * KIB)
        self.assertEqual(b"identical\n", self.done("compare", "disk.img", "disk.vmdk"))
        self.assertEqual(b"identical\n", self.done("compare", "disk.img", "back.img"))


class Progress(ProgramTest):
    def convert_slowly(self, stderr):
        process = self.start("convert", "-f", "raw", "--size", "1M", "-", "disk.vmdk",
                             stdin=subprocess.PIPE, stderr=stderr)
        for _ in range(16):
            process.stdin.write(noise(64 * KIB))
            process.stdin.flush()
            time.sleep(0.1)
        _, err = process.communicate(timeout=60)
        self.assertEqual(0, process.returncode)
        return err

    def test_on_a_terminal(self):
        terminal, other_end = pty.openpty()
        self.convert_slowly(other_end)
        os.close(other_end)
        shown = ""
        try:
            while True:
                shown += os.read(terminal, 65536).decode()
        except OSError:  # Nobody has the other end open any more.
            os.close(terminal)
        self.assertRegex(shown, r"\r *\d+ % \[#+\.*\] [\d.]+ \wiB/s, \d+ s left")
        self.assertTrue(shown.endswith("\r\x1b[K"), shown)

    def test_nowhere_else(self):
        self.assertEqual(b"", self.convert_slowly(subprocess.PIPE))


if __name__ == "__main__":
    unittest.main()
