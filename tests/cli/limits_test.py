#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Small files that say that they are large: what they may cost, and what is refused."""

import json
import struct
import unittest
import zlib

from program import HEADER, MIB, SECTOR, ProgramTest

GRAIN_TOO_LARGE = "larger than 1 GiB, or than 2 MiB where grains are compressed"
CAPACITY_TOO_LARGE = "larger than its format or its grain size allows"


def head(kind, version, flags, capacity, grain, directory, overhead, compression):
    """Header and descriptor, 21 sectors."""
    header = HEADER.pack(b"KDMV", version, flags, capacity, grain, 1, 20, 512, 0, directory,
                         overhead, 0, b"\n \r\n", compression)
    text = (f'# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n'
            f'createType="{kind}"\n\nRW {capacity} SPARSE "disk.vmdk"\n\nddb.adapterType = "ide"\n')
    return header.ljust(SECTOR, b"\0") + text.encode().ljust(20 * SECTOR, b"\0")


class Grains(ProgramTest):
    """Streams of one stored grain, whose size the header alone says."""

    def stream(self, grain):
        data = zlib.compress(b"a" * (min(grain, 4096) * SECTOR), 1)
        marker = struct.pack("<QI", 0, len(data)) + data
        self.write("disk.vmdk", head("streamOptimized", 3, 0x30001, 3 * grain, grain, 21, 26, 1) +
                   struct.pack("<I", 22).ljust(SECTOR, b"\0") +
                   struct.pack("<I", 26).ljust(4 * SECTOR, b"\0") +
                   marker.ljust(-(-len(marker) // SECTOR) * SECTOR, b"\0") + bytes(SECTOR))

    def test_largest(self):
        self.stream(4096)
        self.assertIn(b"sound: 0 errors, 1 warning", self.done("check", "disk.vmdk"))
        self.done("convert", "disk.vmdk", "back.img")
        self.assertEqual(b"a" * (2 * MIB) + bytes(4 * MIB), self.read("back.img"))

    def test_larger(self):
        for grain in 8192, 1 << 21:
            self.stream(grain)
            says = f"disk.vmdk: the grain size is {GRAIN_TOO_LARGE} (at byte 20)"
            self.refused("info", "disk.vmdk", says=says)
            self.refused("map", "disk.vmdk", says=says)
            self.refused("repair", "disk.vmdk",
                         says=says.replace(": ", ": cannot be repaired: ", 1))
            self.refused("convert", "disk.vmdk", "back.img", says=says)
            self.refused("convert", "-f", "vmdk", "-", "back.img", content=self.read("disk.vmdk"),
                         says=GRAIN_TOO_LARGE)
            result = self.run_program("check", "--json", "disk.vmdk")
            self.assertEqual((1, ""), (result.status, result.err))
            [found] = json.loads(result.out)["findings"]
            self.assertEqual(("grain-size-too-large", 20), (found["id"], found["offset"]))
            self.assertIn(f"a grain size of {grain} sectors is {GRAIN_TOO_LARGE}", found["text"])


class Directories(ProgramTest):
    """Disks whose directory is a hole."""

    MOST = 1 << 41  # Sectors of 2^25 tables of 512 grains of 128 sectors.

    def disk(self, capacity):
        directory = -(-capacity // (128 * 512 * 128))
        overhead = -(-(21 + directory) // 128) * 128
        self.sparse("disk.vmdk", (overhead + 128) * SECTOR,
                    {0: head("monolithicSparse", 1, 1, capacity, 128, 21, overhead, 0)})

    def test_largest(self):
        self.disk(self.MOST)
        said = json.loads(self.done("info", "--json", "disk.vmdk"))
        self.assertEqual((self.MOST * SECTOR, 0, [], 1 << 25),
                         (said["capacity_bytes"], said["stored_bytes"], said["problems"],
                          said["header"]["tables"]))

    def test_larger(self):
        self.disk(self.MOST + 128)
        says = f"disk.vmdk: the disk is {CAPACITY_TOO_LARGE} (at byte 12)"
        self.refused("info", "disk.vmdk", says=says)
        self.refused("map", "disk.vmdk", says=says)
        self.refused("repair", "disk.vmdk",
                     says=says.replace(": ", ": cannot be repaired: ", 1))
        self.refused("convert", "disk.vmdk", "back.img", says=says)
        result = self.run_program("check", "--json", "disk.vmdk")
        self.assertEqual((1, ""), (result.status, result.err))
        [found] = json.loads(result.out)["findings"]
        self.assertEqual(("capacity-too-large", 12), (found["id"], found["offset"]))
        self.assertIn(f"a capacity of {self.MOST + 128} sectors", found["text"])

    def test_written(self):
        """What is made is what is read."""
        most = str(self.MOST * SECTOR)
        more = str(self.MOST * SECTOR + 1)
        for kind in "monolithicSparse", "streamOptimized":
            self.done("layout", "-t", kind, "--capacity", most)
            self.refused("layout", "-t", kind, "--capacity", more, says=CAPACITY_TOO_LARGE)
            self.refused("create", "-t", kind, "--size", more, "disk.vmdk",
                         says=CAPACITY_TOO_LARGE)
            self.done("layout", "-t", kind, "--capacity", more, "-g", "128K")


if __name__ == "__main__":
    unittest.main()
