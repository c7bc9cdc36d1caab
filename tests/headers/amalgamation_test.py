#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The single headers are what tools/amalgamate makes today, and compile where nothing else is there.

Run from the root of the project.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests"))
from compilers import COMPILERS, NO_RUNTIME, WARNINGS, run

FOLDER = "single_include"
CORE = "vmdk/vmdk.hpp"
HOSTED = "vmdk/hosted.hpp"


def amalgamate(*arguments):
    """Runs the tool; returns its exit status and what it says."""
    done = subprocess.run(["tools/amalgamate", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


class Amalgamation(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def copy_here(self, *headers):
        for header in headers:
            os.makedirs(os.path.join(self.folder, "vmdk"), exist_ok=True)
            shutil.copyfile(os.path.join(FOLDER, header), os.path.join(self.folder, header))

    def test_current(self):
        self.assertEqual((0, ""), amalgamate("--check"))

    def test_a_stale_one_is_found(self):
        self.assertEqual((0, ""), amalgamate(self.folder))
        self.assertEqual((0, ""), amalgamate("--check", self.folder))
        with open(os.path.join(self.folder, HOSTED), "a", encoding="utf-8") as file:
            file.write("\n")
        status, said = amalgamate("--check", self.folder)
        self.assertEqual(1, status)
        self.assertIn("hosted.hpp is stale: run tools/amalgamate", said)
        self.assertNotIn("vmdk.hpp is stale", said)

    def compile_alone(self, header, *flags):
        """Compiles a header twice in a unit, as a stranger's project has it."""
        for compiler in COMPILERS:
            unit = os.path.join(self.folder, "unit.cc")
            with open(unit, "w", encoding="utf-8") as file:
                file.write(f'#include "{header}"\n#include "{header}"\n')
            status, said = run(compiler, *WARNINGS, *flags, "-fsyntax-only", "-I", self.folder, unit)
            self.assertEqual(0, status, f"{compiler}: {said}")

    def test_the_core_compiles_alone(self):
        self.copy_here(CORE)
        self.compile_alone(CORE, *NO_RUNTIME)

    def test_hosted_needs_only_the_core(self):
        self.copy_here(CORE, HOSTED)
        self.compile_alone(HOSTED)


if __name__ == "__main__":
    unittest.main()
