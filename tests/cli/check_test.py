#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `vmdk check`, `map` and `create` say and do."""

import json
import os
import shutil
import subprocess
import unittest

from program import KIB, MIB, SECTOR, ProgramTest, noise, read_header

QEMU_IMG = shutil.which("qemu-img")
CHECK_KEYS = ["file", "sound", "unclean", "errors", "warnings", "notes", "files", "tables",
              "stored_grains", "zeroed_grains", "expanded_grains", "findings"]
FINDING_KEYS = ["severity", "id", "file", "offset", "text", "more"]
RANGE_KEYS = ["offset_bytes", "bytes", "kind", "link", "file", "file_offset_bytes"]


class Check(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("disk.img", noise(200_000).ljust(5 * MIB, b"\0"))
        self.done("convert", "disk.img", "disk.vmdk")

    def damage(self, offset, content):
        with open(self.path("disk.vmdk"), "r+b") as file:
            file.seek(offset)
            file.write(content)

    def check(self, status):
        result = self.run_program("check", "--json", "disk.vmdk")
        self.assertEqual((status, ""), (result.status, result.err))
        said = json.loads(result.out)
        self.assertEqual(CHECK_KEYS, list(said))
        for finding in said["findings"]:
            self.assertEqual(FINDING_KEYS, list(finding))
        return said

    def test_sound(self):
        self.assertEqual(b"disk.vmdk: sound: 0 errors, 0 warnings, 0 notes; 1 file, 1 table, "
                         b"4 stored grains\n", self.done("check", "disk.vmdk"))
        said = self.check(0)
        self.assertEqual(("disk.vmdk", True, False, 0, 4, []),
                         tuple(said[key] for key in ("file", "sound", "unclean", "errors",
                                                     "stored_grains", "findings")))

    def test_damage(self):
        entry = read_header(self.path("disk.vmdk")).directory * SECTOR + SECTOR
        self.damage(entry, b"\xff\xff\xff\x7f")
        said = self.check(1)
        self.assertFalse(said["sound"])
        self.assertGreaterEqual(said["errors"], 1)
        self.assertIn(("error", "disk.vmdk", entry),
                      [(f["severity"], f["file"], f["offset"]) for f in said["findings"]])
        result = self.run_program("check", "disk.vmdk")
        self.assertEqual((1, ""), (result.status, result.err))
        *findings, summary = result.out.decode().splitlines()
        self.assertEqual(len(said["findings"]), len(findings))
        for line in findings:
            self.assertRegex(line, r"\A(error|warning|note|unclean): disk\.vmdk: .+ \[[-\w.]+\]\Z")
        self.assertRegex(summary, r"\Adisk\.vmdk: damaged: [1-9]\d* errors?, ")

    def test_unclean(self):
        self.damage(72, b"\1")
        said = self.check(1)
        self.assertEqual((False, True, 0), (said["sound"], said["unclean"], said["errors"]))

    def test_compressed(self):
        self.done("convert", "--force", "-t", "streamOptimized", "disk.img", "disk.vmdk")
        self.assertEqual(4, self.check(0)["expanded_grains"])
        self.damage(70_000, b"damage")
        self.assertGreaterEqual(self.check(1)["errors"], 1)
        for codec in ("builtin", "zlib", "libdeflate"):
            result = self.run_program("check", "--codec", codec, "disk.vmdk")
            self.assertEqual(1, result.status)

    def test_what_cannot_be_read(self):
        self.refused("check", "missing.vmdk", says="missing.vmdk: ")
        self.refused("check", ".", says=".: ")


class Map(ProgramTest):
    def test_kinds(self):
        content = noise(128 * KIB) + bytes(128 * KIB) + noise(64 * KIB) + bytes(MIB)
        self.write("disk.img", content)
        for kind, name in (("stored", "monolithicSparse"), ("compressed", "streamOptimized")):
            self.done("convert", "--force", "-t", name, "disk.img", "disk.vmdk")
            said = json.loads(self.done("map", "--json", "disk.vmdk"))
            self.assertEqual(["file", "capacity_bytes", "ranges"], list(said))
            self.assertEqual(len(content), said["capacity_bytes"])
            self.assertEqual([(0, 128 * KIB, kind), (128 * KIB, 128 * KIB, "zero"),
                              (256 * KIB, 64 * KIB, kind), (320 * KIB, MIB, "zero")],
                             [(r["offset_bytes"], r["bytes"], r["kind"]) for r in said["ranges"]])
            for found in said["ranges"]:
                self.assertEqual(RANGE_KEYS, list(found))
                if found["kind"] == "zero":
                    self.assertEqual((None, None, None), tuple(found.values())[3:])
                else:
                    self.assertEqual((0, "disk.vmdk"), tuple(found.values())[3:5])
            first = said["ranges"][0]
            self.assertEqual(128 * SECTOR, first["file_offset_bytes"])
            if kind == "stored":
                self.assertEqual(content[:4096], self.read("disk.vmdk")[65536:65536 + 4096])
            lines = self.done("map", "disk.vmdk").decode().splitlines()
            self.assertEqual(5, len(lines))
            self.assertRegex(lines[1], rf"\A +0 +131072  {kind} +65536  disk\.vmdk\Z")
            self.assertRegex(lines[2], r"\A +131072 +131072  zero\Z")

    def test_damage(self):
        self.write("disk.img", noise(4096))
        self.done("convert", "disk.img", "disk.vmdk")
        with open(self.path("disk.vmdk"), "r+b") as file:
            file.seek(read_header(self.path("disk.vmdk")).directory * SECTOR + SECTOR)
            file.write(b"\xff\xff\xff\x7f")
        self.refused("map", "disk.vmdk", says=["disk.vmdk: ", "(at byte "])


class Create(ProgramTest):
    def test_types(self):
        for name in ("monolithicSparse", "streamOptimized"):
            self.done("create", "--force", "-t", name, "--size", "5G", "-o", "adapterType=ide",
                      "disk.vmdk")
            said = json.loads(self.done("info", "--json", "disk.vmdk"))
            self.assertEqual((name, 5 << 30, 0, "ide"),
                             tuple(said[key] for key in ("type", "capacity_bytes", "stored_bytes",
                                                         "adapter")))
            self.done("check", "disk.vmdk")
            if QEMU_IMG:
                subprocess.run([QEMU_IMG, "check", "-q", "disk.vmdk"], cwd=self.folder, check=True)
        self.done("create", "--size", "1M", "default.vmdk")
        self.assertEqual(2048, read_header(self.path("default.vmdk")).capacity)

    def test_raw(self):
        self.done("create", "--size", "3G", "disk.img")
        status = os.stat(self.path("disk.img"))
        self.assertEqual(3 << 30, status.st_size)
        self.assertLess(status.st_blocks * SECTOR, MIB)

    def test_refusals(self):
        self.refused("create", "disk.vmdk", says="--size")
        self.refused("create", "--size", "0", "disk.vmdk", says="--size 0")
        self.refused("create", "--size", "1M", "-t", "nothing", "disk.vmdk", says="-t nothing")
        self.done("create", "--size", "1M", "disk.vmdk")
        self.refused("create", "--size", "1M", "disk.vmdk", says="--force")


if __name__ == "__main__":
    unittest.main()
