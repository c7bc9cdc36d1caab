#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The README's program makes a VMDK of a raw disk. Run from the root of the project;
VMDK_EXAMPLE names another program than the one that Bazel built."""

import os
import random
import subprocess
import tempfile
import unittest

PROGRAM = os.path.abspath(os.environ.get("VMDK_EXAMPLE") or "examples/raw_to_vmdk")
GRAIN = 65536


class RawToVmdk(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.content = random.Random(1).randbytes(3 * GRAIN) + bytes(5 * GRAIN)
        with open(os.path.join(self.folder, "disk.img"), "wb") as file:
            file.write(self.content)

    def convert(self, source):
        done = subprocess.run([PROGRAM, source, "boot.vmdk"], cwd=self.folder, text=True,
                              stderr=subprocess.PIPE, check=False)
        return done.returncode, done.stderr

    def test_a_disk(self):
        self.assertEqual((0, ""), self.convert("disk.img"))
        for command in (["check", "-q", "boot.vmdk"],
                        ["compare", "-q", "-fraw", "-Fvmdk", "disk.img", "boot.vmdk"]):
            subprocess.run(["qemu-img", *command], cwd=self.folder, check=True)
        with open(os.path.join(self.folder, "boot.vmdk"), "rb") as file:
            image = file.read()
        self.assertIn(b'SPARSE "boot.vmdk"', image)
        self.assertEqual(4 * GRAIN, len(image))
        # It replaces nothing.
        self.assertEqual((1, "sink: the destination exists already\n"), self.convert("disk.img"))

    def test_no_disk(self):
        status, said = self.convert("none.img")
        self.assertEqual(1, status)
        self.assertRegex(said, r"\Asource: [^\n]+\n\Z")
        self.assertEqual(["disk.img"], os.listdir(self.folder))


if __name__ == "__main__":
    unittest.main()
