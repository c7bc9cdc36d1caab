#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""qemu-img opens the images that a compiler put into .rodata, as they stand in the object file.

Run from the root of the project.
"""

import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests"))
from compilers import COMPILERS, WARNINGS, run_all

IMAGES = ("monolithic_sparse", "stream_stored", "stream_deflate")
DISK = bytes((i * i & 0xFFFFFFFF) >> 7 & 0xFF for i in range(16384))


def images(unit, folder):
    """Yields (name, path) of each image in an object file."""
    for name in IMAGES:
        path = os.path.join(folder, name + ".vmdk")
        subprocess.run(["objcopy", "-O", "binary", "--wildcard",
                        f"--only-section=.rodata.*{name}", unit, path], check=True)
        yield name, path


class Rodata(unittest.TestCase):
    def test_qemu_reads_them(self):
        with tempfile.TemporaryDirectory() as folder:
            raw = os.path.join(folder, "raw")
            units = {compiler: os.path.join(folder, compiler + ".o") for compiler in COMPILERS}
            jobs = [(compiler, compiler, "-c", "-fdata-sections", *WARNINGS, "-I", "include",
                     "tests/rodata/images.cc", "-o", units[compiler]) for compiler in COMPILERS]
            for compiler, status, said in run_all(jobs):
                self.assertEqual(0, status, said)
                for name, path in images(units[compiler], folder):
                    subprocess.run(["qemu-img", "convert", "-O", "raw", path, raw], check=True)
                    with open(raw, "rb") as file:
                        content = file.read()
                    self.assertEqual(DISK, content[:len(DISK)], f"{compiler}: {name}")
                    self.assertFalse(any(content[len(DISK):]), f"{compiler}: {name}")


if __name__ == "__main__":
    unittest.main()
