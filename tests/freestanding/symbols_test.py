#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""An object built from the core alone asks its target for the four mem functions and nothing else.

Every .cc file here is compiled without exceptions, RTTI and a hosted library by each compiler, some
for speed and some for size. Run from the root of the project.
"""

import glob
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests"))
from compilers import COMPILERS, NO_RUNTIME, WARNINGS, expect_none, run

FOLDER = "tests/freestanding"
SUPPLIED = {"memcpy", "memmove", "memset", "memcmp"}
# The last two only keep the distribution's own defaults out of the objects.
FLAGS = (*WARNINGS, *NO_RUNTIME, "-ffreestanding", "-fno-pie", "-fno-stack-protector")


def undefined(compiler, optimisation, source, object_file):
    """Returns the undefined symbols of the object that a compiler makes."""
    status, said = run(compiler, "-c", optimisation, *FLAGS, "-I", "include", source,
                       "-o", object_file)
    if status != 0:
        raise AssertionError(f"{source} with {compiler}:\n{said}")
    listing = subprocess.run(["nm", "--undefined-only", "--format=posix", object_file],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    return {line.split()[0] for line in listing.splitlines()}


def offences(folder):
    """Returns a message for each object that wants more than it is given."""
    found = []
    with tempfile.TemporaryDirectory() as out:
        for source in sorted(glob.glob(os.path.join(folder, "*.cc"))):
            for compiler, optimisation in zip(COMPILERS, ("-Os", "-O2", "-Os")):
                more = undefined(compiler, optimisation, source, out + "/a.o") - SUPPLIED
                if more:
                    found.append(f"{source} with {compiler} {optimisation}: {sorted(more)}")
    return found


class Freestanding(unittest.TestCase):
    def test_all_files(self):
        self.assertTrue(glob.glob(os.path.join(FOLDER, "*.cc")))
        expect_none(self, offences(FOLDER))

    def test_planted_offence(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "planted.cc"), "w", encoding="utf-8") as file:
                file.write("int* make() { return new int(1); }\n")
            found = offences(folder)
            self.assertEqual(len(COMPILERS), len(found))
            self.assertIn("_Znwm", found[0])


if __name__ == "__main__":
    unittest.main()
