#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every type of image becomes every other one and comes back, through files and through pipes.

What is written follows from the content and the settings alone. So the images that are made of the
raw disk are judged, by qemu-img and by digest, and whatever other way leads to a type has to give
the same files, byte for byte. On small disks qemu-img judges each way once more."""

import os
import shutil
import struct
import subprocess
import unittest

from support import (GIB, KIB, MIB, SECTOR, InteropTest, file_difference, noise, peer, round_up,
                     sha256_of)

EXACT = ("-o", "capacity=exact")
# name: the file that names the disk, and what asks for it.
TYPES = {
    "raw": ("disk.img", ("-t", "raw")),
    "monolithicSparse": ("disk.vmdk", ("-t", "monolithicSparse", *EXACT)),
    "streamOptimized": ("disk.vmdk", ("-t", "streamOptimized", *EXACT)),
    "tables in front": ("disk.vmdk", ("-t", "streamOptimized", "-o", "tables=front", *EXACT)),
    "twoGbMaxExtentSparse": ("disk.vmdk", ("-t", "twoGbMaxExtentSparse", *EXACT)),
    "monolithicFlat": ("disk.vmdk", ("-t", "monolithicFlat")),
    "twoGbMaxExtentFlat": ("disk.vmdk", ("-t", "twoGbMaxExtentFlat")),
}


def mixed_disk():
    """Data, text, zeros inside a grain, grains of zeros, and an end inside a grain."""
    content = bytearray(2 * MIB + 5 * SECTOR)
    content[4096:200_000] = noise(200_000 - 4096)
    content[MIB:MIB + 150_000] = (b"a line of text\n" * 10_000)
    content[-SECTOR:] = noise(SECTOR, seed=2)
    return bytes(content)


class MatrixTest(InteropTest):
    """How images are made and judged."""

    def arguments(self, kind, folder):
        name, asks = TYPES[kind]
        os.mkdir(self.path(folder))
        return asks, os.path.join(folder, name)

    def make(self, kind, source, folder):
        """Converts a file to a type, in a folder of its own. Returns the image."""
        asks, image = self.arguments(kind, folder)
        source_format = () if source.endswith(".vmdk") else ("-f", "raw")
        self.done("convert", *source_format, *asks, source, image)
        return image

    def pipe(self, kind, content_format, source, folder):
        """The same from a pipe; `source` is a process that writes to it."""
        asks, image = self.arguments(kind, folder)
        result = self.run_program("convert", *content_format, *asks, "-", image, stdin=source.stdout)
        source.stdout.close()
        self.assertEqual((0, b""), (source.wait(), source.stderr.read()))
        source.stderr.close()
        self.assertEqual((0, ""), (result.status, result.err))

    def judge(self, kind, image, disk):
        """An image is sound and has the content of a raw disk, as qemu-img and we read it."""
        size = os.path.getsize(self.path(disk))
        if kind == "raw":
            self.assert_file(disk, image, size)
            return
        self.assertIn(b": sound: 0 errors, ", self.done("check", image))
        said = peer("qemu-img", "compare", "-f", "raw", "-F", "vmdk", disk, image,
                    folder=self.folder)
        self.assertIn("Images are identical.", said)
        self.assertNotIn("Warning", said)
        self.done("convert", "-t", "raw", image, "judged.img")
        self.assert_file(disk, "judged.img", size)
        if size < 64 * MIB:
            self.assertEqual(sha256_of(self.path(disk)), sha256_of(self.path("judged.img")))
        self.remove("judged.img")

    def assert_same_files(self, wanted, got):
        """Two folders have the same files, and removes the second one."""
        self.assertEqual(sorted(os.listdir(self.path(wanted))), sorted(os.listdir(self.path(got))))
        for name in os.listdir(self.path(wanted)):
            first = self.path(os.path.join(wanted, name))
            difference = file_difference(first, self.path(os.path.join(got, name)),
                                         os.path.getsize(first))
            self.assertIsNone(difference)
        shutil.rmtree(self.path(got))


class AllWays(MatrixTest):
    """From every type to every type and back."""

    def all_ways(self, disk):
        images = {kind: self.make(kind, disk, kind) for kind in TYPES}
        for kind, image in images.items():
            self.judge(kind, image, disk)
        is_small = os.path.getsize(self.path(disk)) < 64 * MIB
        ways = 0
        for kind, image in images.items():
            for other in TYPES:
                with self.subTest(source=kind, destination=other):
                    made = self.make(other, image, "other")
                    if is_small and other != "raw":
                        peer("qemu-img", "compare", "-q", "-f", "raw", "-F", "vmdk", disk, made,
                             folder=self.folder)
                    self.make(kind, made, "back")
                    self.assert_same_files(other, "other")
                    self.assert_same_files(kind, "back")
                    ways += 1
        self.assertEqual(len(TYPES) ** 2, ways)
        return images

    def test_mixed_disk(self):
        disk = "source"
        self.write(disk, mixed_disk())
        images = self.all_ways(disk)
        size = str(len(mixed_disk()))
        with self.subTest("pipes"):
            for kind in TYPES:
                # disk | streamOptimized | each type: tables=front cannot go to a pipe.
                for source in "raw", "monolithicSparse", "streamOptimized", "twoGbMaxExtentFlat":
                    piped = self.start("convert", *TYPES["streamOptimized"][1],
                                       *(("-f", "raw") if source == "raw" else ()), images[source], "-")
                    self.pipe(kind, ("-f", "vmdk"), piped, "piped")
                    self.assert_piped(kind, images)
                piped = self.start("convert", "-t", "raw", images[kind], "-")
                self.pipe(kind, ("-f", "raw", "--size", size), piped, "piped")
                self.assert_piped(kind, images)

    def assert_piped(self, kind, images):
        """All sinks here are files, so that even what came through a pipe has its content's id."""
        self.assert_same_files(os.path.dirname(images[kind]), "piped")

    def test_one_sector(self):
        self.write("source", noise(SECTOR))
        self.all_ways("source")

    def test_zeros(self):
        self.write("source", bytes(MIB))
        self.all_ways("source")

    def test_several_pieces(self):
        """A disk of holes whose data lies where one piece ends and the next one begins."""
        size = 4 * GIB + 7 * SECTOR
        pieces = {0: noise(MIB), size - SECTOR: noise(SECTOR, seed=9)}
        for number, end in enumerate((2047 * MIB, 4193792 * SECTOR, 4094 * MIB, 2 * 4193792 * SECTOR)):
            pieces[end - 5 * SECTOR] = noise(100 * KIB, seed=number + 2)
        self.sparse("source", size, pieces)
        self.all_ways("source")


def descriptor(kind, *extents):
    lines = "\n".join(extents)
    return (f'# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n'
            f'createType="{kind}"\n\n{lines}\n\nddb.adapterType = "lsilogic"\n').encode()


def cowd(content):
    """A COWD extent: grains of a sector, one table of 4096 entries for each 2 MiB."""
    sectors = len(content) // SECTOR
    tables = round_up(sectors, 4096) // 4096
    directory_sectors = round_up(4 * tables, SECTOR) // SECTOR
    entries = [[0] * 4096 for _ in range(tables)]
    grains = []
    first = 4 + directory_sectors + 32 * tables
    for number in range(sectors):
        grain = content[number * SECTOR:(number + 1) * SECTOR]
        if any(grain):
            entries[number // 4096][number % 4096] = first + len(grains)
            grains.append(grain)
    header = struct.pack("<4s7I", b"COWD", 1, 3, sectors, 1, 4, tables, first + len(grains))
    directory = struct.pack(f"<{tables}I", *(4 + directory_sectors + 32 * n for n in range(tables)))
    return (header.ljust(4 * SECTOR, b"\0") + directory.ljust(directory_sectors * SECTOR, b"\0") +
            b"".join(struct.pack("<4096I", *table) for table in entries) + b"".join(grains))


def sesparse(content):
    """A seSparse extent: grains of 4 KiB, tables of 4096 entries of 8 bytes."""
    grain_bytes = 4 * KIB
    count = round_up(len(content), grain_bytes) // grain_bytes
    tables = round_up(count, 4096) // 4096
    stored = [n for n in range(count) if any(content[n * grain_bytes:(n + 1) * grain_bytes])]
    places, sector = [], 1
    for length in (1, 2, 4, round_up(8 * tables, SECTOR) // SECTOR, 64 * tables,
                   round_up(count, 8 * SECTOR) // (8 * SECTOR), 1, 8 * len(stored)):
        places += [sector, length]
        sector += length
    image = bytearray(sector * SECTOR)
    struct.pack_into("<QQQQQ", image, 0, 0xCAFEBABE, 0x200000001, len(content) // SECTOR, 8, 64)
    struct.pack_into("<16Q", image, 80, *places)
    struct.pack_into("<Q", image, SECTOR, 0xCAFECAFE)
    directory, table_area, grains = (places[2 * n] * SECTOR for n in (3, 4, 7))
    for n in range(tables):
        struct.pack_into("<Q", image, directory + 8 * n, 1 << 60 | n)
    for place, n in enumerate(stored):
        entry = 3 << 60 | (place & 0xFFF) << 48 | place >> 12
        struct.pack_into("<Q", image, table_area + 8 * n, entry)
        grain = content[n * grain_bytes:(n + 1) * grain_bytes]
        image[grains + place * grain_bytes:grains + place * grain_bytes + len(grain)] = grain
    return bytes(image)


class OnlySources(MatrixTest):
    """Types that are only read, made by hand."""

    def setUp(self):
        super().setUp()
        self.content = mixed_disk()[:2 * MIB]
        self.write("source", self.content)
        self.images = {kind: self.make(kind, "source", kind) for kind in TYPES}

    def convert_to_all(self, image):
        for kind in TYPES:
            with self.subTest(kind):
                self.make(kind, image, "other")
                self.assert_same_files(kind, "other")

    def make_source(self, kind, extents, **files):
        os.mkdir(self.path("made"))
        for name, content in files.items():
            self.write(f"made/{name}.vmdk", content)
        self.write("made/made.vmdk", descriptor(kind, *extents))
        self.convert_to_all("made/made.vmdk")

    def test_vmfs(self):
        self.make_source("vmfs", ['RW 4096 VMFS "flat.vmdk"'], flat=self.content)

    def test_custom(self):
        half = 1150 * KIB  # Zeros from there on.
        self.assertFalse(any(self.content[half + 100 * KIB:]))
        cut = half + 100 * KIB
        self.make_source("custom", [f'RW {cut // SECTOR} FLAT "flat.vmdk" 3',
                                    f"RW {4096 - cut // SECTOR} ZERO"],
                         flat=bytes(3 * SECTOR) + self.content[:cut])

    def test_cowd(self):
        self.make_source("vmfsSparse", ['RW 4096 VMFSSPARSE "cowd.vmdk"'], cowd=cowd(self.content))

    def test_sesparse(self):
        self.make_source("seSparse", ['RW 4096 SESPARSE "se.vmdk"'], se=sesparse(self.content))


if __name__ == "__main__":
    unittest.main()
