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
from compilers import COMPILERS, NO_RUNTIME, WARNINGS, expect_none, run_all

FOLDER = "tests/freestanding"
SUPPLIED = {"memcpy", "memmove", "memset", "memcmp"}
# The last two only keep the distribution's own defaults out of the objects.
FLAGS = (*WARNINGS, *NO_RUNTIME, "-ffreestanding", "-fno-pie", "-fno-stack-protector")


def undefined(object_file):
    """Returns the undefined symbols of an object."""
    listing = subprocess.run(["nm", "--undefined-only", "--format=posix", object_file],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    return {line.split()[0] for line in listing.splitlines()}


def offences(folder):
    """Returns a message for each object that wants more than it is given."""
    found = []
    with tempfile.TemporaryDirectory() as out:
        jobs = []
        for source in sorted(glob.glob(os.path.join(folder, "*.cc"))):
            for compiler, optimisation in zip(COMPILERS, ("-Os", "-O2", "-Os")):
                label = f"{source} with {compiler} {optimisation}"
                object_file = os.path.join(out, f"{len(jobs)}.o")
                jobs.append(((label, object_file), compiler, "-c", optimisation, *FLAGS,
                             "-I", "include", source, "-o", object_file))
        for (label, object_file), status, said in run_all(jobs):
            if status != 0:
                raise AssertionError(f"{label}:\n{said}")
            more = undefined(object_file) - SUPPLIED
            if more:
                found.append(f"{label}: {sorted(more)}")
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
