#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The installer writes the disk of a stream with the memory that it says. Run from the root of the
project."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests", "cli"))
from program import KIB, MIB, ProgramTest, noise

INSTALLER = os.path.abspath(os.environ.get("VMDK_INSTALLER") or "examples/firmware/installer")
PATIENCE_SECONDS = 60
SYSTEM = {"read", "write", "open", "close", "fstat", "ftruncate", "lseek", "fsync",
          "__errno_location", "__libc_start_main", "__stack_chk_fail",
          "memcpy", "memmove", "memset", "memcmp"}


def listing(*command):
    return subprocess.run([*command, INSTALLER], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.splitlines()


class Installer(ProgramTest):
    disk = noise(300 * KIB) + bytes(4 * MIB) + b"installed" * KIB + bytes(MIB)

    def setUp(self):
        super().setUp()
        self.write("disk", self.disk)
        self.image = self.done("convert", "-t", "streamOptimized", "-o", "capacity=exact",
                               "-f", "raw", "disk", "-")

    def install(self, image, path="installed"):
        """Sends an image through a pipe; returns the exit status and what it says."""
        done = subprocess.run([INSTALLER, self.path(path)], input=image, stderr=subprocess.PIPE,
                              timeout=PATIENCE_SECONDS, check=False)
        return done.returncode, done.stderr.decode()

    def test_file(self):
        self.write("installed", b"old" * len(self.disk))
        self.assertEqual((0, ""), self.install(self.image))
        self.assertTrue(self.read("installed") == self.disk.ljust(-(-len(self.disk) // 512) * 512,
                                                                  b"\0"))
        self.assertLess(os.stat(self.path("installed")).st_blocks * 512, 2 * MIB)

    def test_sink_without_holes(self):
        os.mkfifo(self.path("device"))
        with open(self.path("taken"), "wb") as taken, \
                subprocess.Popen(["cat", self.path("device")], stdout=taken) as reader:
            self.assertEqual((0, ""), self.install(self.image, "device"))
            self.assertEqual(0, reader.wait(PATIENCE_SECONDS))
        self.assertTrue(self.read("taken").startswith(self.disk))

    def test_bad_streams(self):
        status, said = self.install(self.image[:-1536])
        self.assertEqual(1, status)
        self.assertIn("end", said)
        damaged = bytearray(self.image)
        damaged[64 * KIB + 100] ^= 1
        self.assertEqual(1, self.install(damaged)[0])
        self.assertEqual(1, self.install(b"")[0])
        self.assertEqual(1, self.install(self.image, "no/such/folder")[0])

    def test_memory(self):
        data, bss = listing("size")[1].split()[1:3]
        self.assertLessEqual(int(data) + int(bss), 128 * KIB)
        needed = {line.split()[1].split("@")[0] for line in listing("nm", "--undefined-only")
                  if line.split()[0] == "U"}
        # Fortified, they have a check in front.
        plain = {name[2:-4] if name.endswith("_chk") else name for name in needed}
        self.assertEqual(set(), plain - SYSTEM)


if __name__ == "__main__":
    unittest.main()
