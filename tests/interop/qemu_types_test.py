#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The program reads byte-exact what qemu-img writes, in each of its types of VMDK."""

import json
import os
import re
import shutil
import struct
import unittest

from support import (GIB, KIB, MIB, SECTOR, InteropTest, noise, peer, read_header, roomy_folder,
                     round_up)

SPARSE_TYPES = ("monolithicSparse", "twoGbMaxExtentSparse")
TYPES = (*SPARSE_TYPES, "streamOptimized", "monolithicFlat", "twoGbMaxExtentFlat")
ADAPTERS = ("ide", "lsilogic", "buslogic", "legacyESX")

GRAIN = 64 * KIB  # qemu-img knows no other.
ZEROED_GRAIN = 1  # What a table entry is for a grain of zeros.


def table_entries(path):
    """All table entries of a sparse file."""
    header = read_header(path)
    grains = round_up(header.capacity, header.grain) // header.grain
    tables = round_up(grains, header.entries) // header.entries
    with open(path, "rb") as file:
        file.seek(header.directory * SECTOR)
        directory = struct.unpack(f"<{tables}I", file.read(4 * tables))
        for table in directory:
            file.seek(table * SECTOR)
            yield from struct.unpack(f"<{header.entries}I", file.read(4 * header.entries))


class QemuTest(InteropTest):
    def create(self, image, kind, *arguments, **options):
        words = ",".join([f"subformat={kind}", *(f"{key}={value}" for key, value in options.items())])
        peer("qemu-img", "create", "-f", "vmdk", "-o", words, *arguments, folder=self.folder)

    def convert(self, disk, image, kind, **options):
        words = ",".join([f"subformat={kind}", *(f"{key}={value}" for key, value in options.items())])
        peer("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", words, disk, image,
             folder=self.folder)

    def change(self, image, disk, *changes):
        """Has QEMU change an image: ("noise" or "zeros", offset, length). Does so to a raw disk, too,
        whose content the image then has to have."""
        commands = []
        with open(self.path(disk), "r+b") as file:
            for number, (what, offset, length) in enumerate(changes, start=1):
                pattern = 17 * number % 255 + 1
                file.seek(offset)
                file.write(bytes([0 if what == "zeros" else pattern]) * length)
                how = "-z" if what == "zeros" else f"-P {pattern}"
                commands += ["-c", f"write {how} {offset} {length}"]
        said = peer("qemu-io", "-f", "vmdk", *commands, image, folder=self.folder)
        self.assertEqual(len(changes), len(re.findall(r"^wrote (\d+)/\1 bytes", said, re.M)), said)

    def assert_reads(self, image, disk):
        """An image has the content of a raw disk, whose last sector may be short."""
        size = round_up(os.path.getsize(os.path.join(self.folder, disk)), SECTOR)
        self.done("convert", "-t", "raw", image, "read.img")
        self.assert_file(disk, "read.img", size)
        self.remove("read.img")

    def info(self, image):
        about = json.loads(self.done("info", "--json", image))
        self.assertEqual([], about["problems"])
        return about


class Types(QemuTest):
    """Every type with every kind of disk."""

    need_bytes = 2 * GIB

    @classmethod
    def setUpClass(cls):
        cls.own_folder = roomy_folder(cls.need_bytes)
        cls.addClassCleanup(shutil.rmtree, cls.own_folder)

    def read_all_types(self, size, pieces):
        disk = self.sparse("disk.img", size, pieces)
        for kind in TYPES:
            with self.subTest(kind):
                os.mkdir(self.path(kind))
                self.convert(disk, f"{kind}/disk.vmdk", kind)
                about = self.info(f"{kind}/disk.vmdk")
                self.assertEqual((kind, round_up(size, SECTOR)),
                                 (about["type"], about["capacity_bytes"]))
                self.assert_reads(f"{kind}/disk.vmdk", disk)
                shutil.rmtree(self.path(kind))

    def test_one_sector(self):
        self.read_all_types(SECTOR, {0: noise(SECTOR)})

    def test_no_whole_grains(self):
        size = 5 * MIB + 3 * SECTOR
        self.read_all_types(size, {0: noise(100), MIB + 7: noise(3 * GRAIN), size - 9: noise(9)})

    def test_no_whole_sectors(self):
        self.read_all_types(3 * MIB + 1000, {2 * MIB: noise(MIB + 1000)})

    def test_all_zeros(self):
        self.read_all_types(4 * MIB, {})

    def test_all_noise(self):
        self.read_all_types(8 * MIB, {0: noise(8 * MIB)})

    def test_several_extents(self):
        size = 5 * GIB + SECTOR
        pieces = {0: noise(MIB), size - SECTOR: noise(SECTOR)}
        for number in range(1, 3):  # Across the ends of the extents.
            pieces[number * 2 * GIB - 5 * SECTOR] = noise(MIB, seed=number)
        for number in range(40):
            pieces[100 * MIB + number * 123 * MIB + number * SECTOR] = noise(200 * KIB, seed=number)
        self.read_all_types(size, pieces)


class Options(QemuTest):
    """Every type with every option that it takes."""

    def setUp(self):
        super().setUp()
        self.sparse("disk.img", 3 * MIB, {MIB: noise(MIB)})

    def read_all_types(self, kinds=TYPES, **options):
        found = {}
        for kind in kinds:
            with self.subTest(kind, **options):
                os.mkdir(self.path(kind))
                self.convert("disk.img", f"{kind}/disk.vmdk", kind, **options)
                self.assert_reads(f"{kind}/disk.vmdk", "disk.img")
                found[kind] = self.info(f"{kind}/disk.vmdk")
                shutil.rmtree(self.path(kind))
        self.assertEqual(len(kinds), len(found))
        return found.values()

    def test_adapters(self):
        for adapter in ADAPTERS:
            for about in self.read_all_types(adapter_type=adapter):
                self.assertEqual(adapter, about["adapter"])

    def test_hardware_versions(self):
        for version in "3", "7", "21":
            for about in self.read_all_types(hwversion=version):
                self.assertEqual(version, about["ddb"]["virtualHWVersion"])

    def test_compatible_with_version_6(self):
        for about in self.read_all_types(compat6="on"):
            self.assertEqual("6", about["ddb"]["virtualHWVersion"])

    def test_tools_version(self):
        for about in self.read_all_types(toolsversion="10304"):
            self.assertEqual("10304", about["ddb"]["toolsVersion"])

    def test_zeroed_grains(self):
        kinds = (*SPARSE_TYPES, "streamOptimized")
        for about in self.read_all_types(kinds, zeroed_grain="on"):
            self.assertTrue(about["header"] is None or about["header"]["flags"] & 4)


class ZeroedGrains(QemuTest):
    """Grains that are marked as zeros, in images written to piece by piece."""

    def change_image(self, kind, file):
        self.sparse("disk.img", 8 * MIB + 5 * SECTOR, {0: noise(6 * MIB)})
        self.convert("disk.img", "disk.vmdk", kind, zeroed_grain="on")
        self.assertEqual(0, list(table_entries(self.path(file))).count(ZEROED_GRAIN))
        self.change("disk.vmdk", "disk.img",
                    ("zeros", MIB, 4 * GRAIN),                     # data before
                    ("zeros", 7 * MIB, 3 * GRAIN),                 # nothing before
                    ("noise", MIB + GRAIN + 512, 1024),            # into a zeroed grain
                    ("zeros", 3 * MIB + 4096, 2 * GRAIN),          # no whole grains
                    ("noise", 8 * MIB, 5 * SECTOR),                # the short last grain
                    ("zeros", 8 * MIB, 5 * SECTOR))
        self.assertGreaterEqual(list(table_entries(self.path(file))).count(ZEROED_GRAIN), 5)
        self.assert_reads("disk.vmdk", "disk.img")

    def test_monolithic_sparse(self):
        self.change_image("monolithicSparse", "disk.vmdk")

    def test_two_gb_max_extent_sparse(self):
        self.change_image("twoGbMaxExtentSparse", "disk-s001.vmdk")


class Chains(QemuTest):
    """Images that hold what differs from a parent."""

    size = 6 * MIB + 3 * SECTOR

    def make_base(self, kind, **options):
        self.sparse("disk.img", self.size, {0: noise(4 * MIB), self.size - 512: noise(512)})
        self.convert("disk.img", "base.vmdk", kind, **options)

    def make_child(self, parent, child, kind, **options):
        self.create(child, kind, "-b", parent, "-F", "vmdk", child, **options)

    def read_chain(self, base_kind, child_kind):
        self.make_base(base_kind)
        self.make_child("base.vmdk", "child.vmdk", child_kind)
        self.assert_reads("child.vmdk", "disk.img")
        self.change("child.vmdk", "disk.img",
                    ("noise", MIB, GRAIN),
                    ("noise", 2 * MIB + 512, 1024),
                    ("noise", 5 * MIB, GRAIN),
                    ("noise", self.size - SECTOR, SECTOR))
        self.assert_reads("child.vmdk", "disk.img")

        self.make_child("child.vmdk", "grandchild.vmdk", child_kind, zeroed_grain="on")
        self.change("grandchild.vmdk", "disk.img",
                    ("zeros", 0, 2 * GRAIN),                  # hides what the base has
                    ("zeros", MIB, GRAIN),                    # hides what the child has
                    ("noise", 2 * MIB + 2048, 512),
                    ("zeros", 5 * MIB + 512, 512))
        self.assert_reads("grandchild.vmdk", "disk.img")
        chain = self.info("grandchild.vmdk")["chain"]
        self.assertEqual(["grandchild.vmdk", "child.vmdk", "base.vmdk"],
                         [link["file"] for link in chain])

    def test_all_types(self):
        for base_kind in TYPES:
            for child_kind in SPARSE_TYPES:
                with self.subTest(base=base_kind, child=child_kind):
                    self.read_chain(base_kind, child_kind)
                for name in os.listdir(self.folder):
                    self.remove(name)

    def test_compressed_child(self):
        # QEMU writes whole grains to these, one after the other.
        self.make_base("streamOptimized")
        self.make_child("base.vmdk", "child.vmdk", "streamOptimized")
        self.change("child.vmdk", "disk.img", ("noise", MIB, GRAIN), ("noise", 5 * MIB, GRAIN))
        self.assert_reads("child.vmdk", "disk.img")

    def test_several_extents(self):
        disk = self.sparse("disk.img", 5 * GIB, {0: noise(MIB), 2 * GIB - MIB: noise(2 * MIB),
                                                 5 * GIB - 512: noise(512)})
        self.convert(disk, "base.vmdk", "twoGbMaxExtentSparse")
        for kind in SPARSE_TYPES:
            child = f"{kind}.vmdk"
            self.make_child("base.vmdk", child, kind)
            peer("cp", "--sparse=always", disk, self.path("changed.img"))
            # Behind the first extent, QEMU 7.2 fills up half-written grains from the wrong place.
            self.change(child, "changed.img", ("noise", 512, 512),
                        ("noise", 2 * GIB - GRAIN, 2 * GRAIN),
                        ("noise", 4 * GIB - GRAIN, 2 * GRAIN), ("noise", 5 * GIB - GRAIN, GRAIN))
            self.assert_reads(child, "changed.img")

    def test_other_parents(self):
        self.make_base("monolithicSparse")
        self.make_child("base.vmdk", "child.vmdk", "monolithicSparse")
        self.assert_reads("child.vmdk", "disk.img")

        os.rename(self.path("base.vmdk"), self.path("elsewhere.vmdk"))
        self.refused("convert", "child.vmdk", "out.img", says=["child.vmdk", "base.vmdk"])

        # Writing to it gives it another content id.
        os.rename(self.path("elsewhere.vmdk"), self.path("base.vmdk"))
        self.change("base.vmdk", "disk.img", ("noise", 0, 512))
        self.refused("convert", "child.vmdk", "out.img", says=["child.vmdk: names \"base.vmdk\": the parent was modified"])


if __name__ == "__main__":
    unittest.main()
