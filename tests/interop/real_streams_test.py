#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Large disks become streams in twenty ways, which all readers take. Some 20 minutes, so it runs
only when it is asked for by its name."""

import os
import subprocess
import unittest

import real_disks_test
from support import KIB, SECTOR, file_difference, peer, round_up, sha256_of

# name: options; the codec libdeflate, its level 5, grains of 64 KiB and tables at the end are usual.
STREAMS = {
    "usual": [],
    "one thread": ["-j", "1"],
    "seven threads": ["-j", "7"],
    "grains of 8 KiB": ["-g", "8K"],
    "grains of 16 KiB": ["-g", "16K"],
    "grains of 32 KiB": ["-g", "32K"],
    "tables in front": ["-o", "tables=front"],
    "small grains, tables in front": ["-g", "8K", "-o", "tables=front"],
    "exact capacity": ["-o", "capacity=exact"],
    "libdeflate 0": ["-l", "0"],
    "libdeflate 1": ["-l", "1"],
    "libdeflate 9": ["-l", "9"],
    "zlib 1": ["--codec", "zlib", "-l", "1"],
    "zlib 6": ["--codec", "zlib"],
    "zlib 9, small grains": ["--codec", "zlib", "-l", "9", "-g", "8K"],
    "builtin 1": ["--codec", "builtin", "-l", "1"],
    "builtin 6": ["--codec", "builtin"],
    "builtin 6, tables in front": ["--codec", "builtin", "-g", "32K", "-o", "tables=front"],
    "stored": ["--codec", "stored"],
    "stored, small grains": ["--codec", "stored", "-g", "8K"],
}


class StreamTests:
    """What holds for each disk; mixed into a test that makes one."""

    def read_from_a_pipe(self, size):
        with open(self.path("disk.vmdk"), "rb") as stream:
            with subprocess.Popen(["cat"], stdin=stream, stdout=subprocess.PIPE) as cat:
                self.done("convert", "-f", "vmdk", "-", "back.img", stdin=cat.stdout)
        self.assertIsNone(file_difference(self.disk, self.path("back.img"), size))
        self.remove("back.img")

    def read_from_a_file(self, size):
        self.done("convert", "disk.vmdk", "again.img")
        self.assertIsNone(file_difference(self.disk, self.path("again.img"), size))
        self.remove("again.img")

    def read_by_qemu(self):
        said = peer("qemu-img", "compare", "-f", "raw", "-F", "vmdk", self.disk,
                    self.path("disk.vmdk"))
        self.assertIn("Images are identical.", said)

    def test_streams(self):
        self.assertEqual(20, len(STREAMS))
        digests = {}
        for name, options in STREAMS.items():
            with self.subTest(name):
                grain = next((int(word[:-1]) for word in options if word.endswith("K")), 64) * KIB
                exact = "capacity=exact" in options
                size = round_up(os.path.getsize(self.disk), SECTOR if exact else grain)
                self.done("convert", "-t", "streamOptimized", *options, self.disk, "disk.vmdk")
                digests[name] = sha256_of(self.path("disk.vmdk"))
                real_disks_test.side_by_side(self.read_by_qemu, lambda: self.read_from_a_file(size),
                                             lambda: self.read_from_a_pipe(size))
                if "tables=front" not in options:
                    self.read_by_7zip("disk.vmdk", size)
                said = peer("vmdkinfo", self.path("disk.vmdk"))
                self.assertIn(f"({size} bytes)", said)
                self.assertIn(b": sound: 0 errors", self.done("check", "disk.vmdk"))
                self.remove("disk.vmdk")
        self.assertEqual(digests["usual"], digests["one thread"])
        self.assertEqual(digests["usual"], digests["seven threads"])
        print(f"{len(digests)} streams of {self.disk}")


def only_streams(base):
    """The disk of another test, without its own tests."""
    names = {name: None for name in dir(base) if name.startswith("test_")}
    return type(base.__name__, (StreamTests, base), {**names, "__doc__": base.__doc__,
                                                     "test_streams": StreamTests.test_streams})


Ext4Streams = only_streams(real_disks_test.Ext4)
SparseStreams = only_streams(real_disks_test.SparseDisk)

if __name__ == "__main__":
    unittest.main()
