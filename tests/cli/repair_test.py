#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `vmdk repair` says and does."""

import json
import os
import struct
import unittest

from program import KIB, MIB, SECTOR, ProgramTest, noise, read_header

KEYS = ["file", "dry_run", "changes", "dropped_entries", "left", "kept", "sound", "steps"]
STEP_KEYS = ["id", "file", "offset", "table", "entry", "before", "after", "left", "text"]


class Repair(ProgramTest):
    def setUp(self):
        super().setUp()
        content = noise(300 * KIB).ljust(5 * MIB, b"\0")
        self.write("disk.img", content)

    def make(self, *options):
        self.done("convert", *options, "disk.img", "disk.vmdk")
        return self.read("disk.vmdk")

    def patch(self, name, offset, content):
        with open(self.path(name), "r+b") as file:
            file.seek(offset)
            file.write(content)

    def lose_table(self):
        """Makes the primary copy of the one table zeros; returns where it was."""
        table = read_header(self.path("disk.vmdk")).directory * SECTOR + SECTOR
        self.patch("disk.vmdk", table, bytes(2 * KIB))
        return table

    def told(self, status, *options):
        result = self.run_program("repair", "--json", *options, "disk.vmdk")
        self.assertEqual((status, ""), (result.status, result.err))
        said = json.loads(result.out)
        self.assertEqual(KEYS, list(said))
        for step in said["steps"]:
            self.assertEqual(STEP_KEYS, list(step))
        self.assertEqual(said["changes"] + said["left"], len(said["steps"]))
        return said

    def test_nothing_to_do(self):
        whole = self.make()
        before = self.listing()
        self.assertEqual(b"disk.vmdk: nothing to repair\n",
                         self.done("repair", "--keep", "copy", "disk.vmdk"))
        said = self.told(0)
        self.assertEqual((0, 0, False, True, []), (said["changes"], said["left"], said["kept"],
                                                   said["sound"], said["steps"]))
        self.assertEqual(before, self.listing())
        self.assertEqual(whole, self.read("disk.vmdk"))

    def test_dry_run(self):
        self.make()
        table = self.lose_table()
        before = self.listing()
        said = self.told(0, "--dry-run")
        self.assertEqual((True, 5, 0, 0, False, False),
                         tuple(said[key] for key in KEYS[1:7]))
        self.assertEqual({"id": "entry-restored", "file": "disk.vmdk", "offset": table, "table": 0,
                          "entry": 0, "before": 0, "after": 128, "left": False,
                          "text": "grain table entry 0 of table 0 is restored from 0 to 128"},
                         said["steps"][0])
        lines = self.done("repair", "--dry-run", "disk.vmdk").decode().splitlines()
        self.assertEqual(6, len(lines))
        for line in lines[:-1]:
            self.assertRegex(line, r"\Adisk\.vmdk: .+ \(at byte \d+, in sector \d+\) \[entry-restored\]\Z")
        self.assertEqual("disk.vmdk: would make 5 changes, 0 dropped, 0 left", lines[-1])
        self.assertEqual(before, self.listing())

    def test_repair(self):
        whole = self.make()
        self.lose_table()
        damaged = self.read("disk.vmdk")
        out = self.done("repair", "--keep", "copy.vmdk", "disk.vmdk").decode()
        self.assertTrue(out.endswith("disk.vmdk: made 5 changes, 0 dropped, 0 left; sound\n"), out)
        self.assertEqual(whole, self.read("disk.vmdk"))
        self.assertEqual(damaged, self.read("copy.vmdk"))
        self.assertEqual(["copy.vmdk", "disk.img", "disk.vmdk"], sorted(os.listdir(self.folder)))
        self.assertEqual(0, self.told(0)["changes"])

    def test_keep_refusals(self):
        self.make()
        self.lose_table()
        self.write("there", b"")
        self.refused("repair", "--keep", "there", "disk.vmdk", says="there: exists already")
        self.refused("repair", "--keep", "disk.vmdk", "disk.vmdk", says="disk.vmdk: ")
        self.refused("repair", "--keep", "none/copy", "disk.vmdk", says="none/copy: ")

    def test_streams(self):
        whole = self.make("-t", "streamOptimized")
        for codec in ("libdeflate", "zlib", "builtin"):
            self.write("disk.vmdk", whole[:-1000])
            self.done("repair", "--codec", codec, "disk.vmdk")
            self.assertEqual(whole, self.read("disk.vmdk"))
        self.write("disk.vmdk", bytes(SECTOR) + whole[SECTOR:])
        self.assertEqual(["header-rebuilt"], [step["id"] for step in self.told(0)["steps"]])
        self.assertEqual(whole, self.read("disk.vmdk"))
        # Cut inside the grains: what is left of them is what is read.
        self.write("disk.vmdk", whole[:65536 + 2 * 129 * SECTOR + 77])
        self.assertTrue(self.told(0)["sound"])
        self.done("convert", "disk.vmdk", "now.img")
        self.assertEqual(noise(300 * KIB)[:128 * KIB].ljust(5 * MIB, b"\0"), self.read("now.img"))

    def test_unclean(self):
        self.make()
        self.patch("disk.vmdk", 72, b"\1")
        self.assertEqual(["unclean-cleared"], [step["id"] for step in self.told(0)["steps"]])

    def test_what_is_left(self):
        self.make()
        self.patch("disk.vmdk", self.read("disk.vmdk").index(b"createType"), b"createTypo")
        result = self.run_program("repair", "disk.vmdk")
        self.assertEqual((1, b"disk.vmdk: nothing that can be repaired; vmdk check says what is "
                          b"wrong\n", ""), (result.status, result.out, result.err))
        self.assertFalse(self.told(1)["sound"])

    def test_split(self):
        self.make()
        extent = bytearray(self.read("disk.vmdk"))
        struct.pack_into("<Q", extent, 28, 0)
        struct.pack_into("<Q", extent, 36, 0)
        names = ["disk-s001.vmdk", "disk-s002.vmdk"]
        for name in names:
            self.write(name, extent)
        text = "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n" \
               "createType=\"twoGbMaxExtentSparse\"\n\n# Extent description\n" + \
               "".join(f"RW {5 * MIB // SECTOR} SPARSE \"{name}\"\n" for name in names) + \
               "\n# The Disk Data Base\n#DDB\n\nddb.adapterType = \"lsilogic\"\n" \
               "ddb.geometry.cylinders = \"1\"\nddb.geometry.heads = \"255\"\n" \
               "ddb.geometry.sectors = \"63\"\nddb.virtualHWVersion = \"4\"\n"
        self.write("disk.vmdk", text.encode())
        self.done("check", "disk.vmdk")
        table = read_header(self.path(names[1])).directory * SECTOR + SECTOR
        self.patch(names[1], table, bytes(2 * KIB))
        self.refused("repair", "--keep", "copy", "disk.vmdk", says="--keep: ")
        said = self.told(0)
        self.assertEqual({names[1]}, {step["file"] for step in said["steps"]})
        self.assertEqual(bytes(extent), self.read(names[1]))
        # One that cannot be repaired keeps the others as they are.
        self.patch(names[0], table, bytes(2 * KIB))
        self.patch(names[1], 0, bytes(4))
        self.refused("repair", "disk.vmdk", says=names[1] + ": cannot be repaired: ")
        os.unlink(self.path(names[1]))
        self.refused("repair", "disk.vmdk", says=["disk.vmdk: names", names[1]])

    def test_what_cannot_be_repaired(self):
        self.make()
        self.patch("disk.vmdk", 12, bytes(8))
        self.refused("repair", "disk.vmdk", says=["disk.vmdk: cannot be repaired: ", "(at byte 12)"])
        self.refused("repair", "disk.img", says="disk.img: cannot be repaired: ")
        self.refused("repair", "missing.vmdk", says="missing.vmdk: ")
        self.refused("repair", "-", says="-: ")
        self.refused("repair", says="FILE is missing")
        self.refused("repair", ".", says=".: ")
        self.write("cowd.vmdk", b"COWD".ljust(4096, b"\0"))
        self.refused("repair", "cowd.vmdk", says="cowd.vmdk: is of a type")


if __name__ == "__main__":
    unittest.main()
