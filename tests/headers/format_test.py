#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""All C++ files have the form that clang-format gives them. Run from the root of the project."""

import os
import subprocess
import tempfile
import unittest

FOLDERS = ("include", "tests", "fuzz", "examples", "benchmarks")


def cxx_files():
    for top in FOLDERS:
        for folder, _, names in os.walk(top, followlinks=True):
            yield from (os.path.join(folder, name) for name in names
                        if name.endswith((".cc", ".hpp")))


def misformatted(files):
    """Names those of the files that clang-format would change."""
    done = subprocess.run(["clang-format-19", "--style=file:.clang-format", "--dry-run", *files],
                          stderr=subprocess.PIPE, text=True, check=True)
    return sorted({line.split(":")[0] for line in done.stderr.splitlines()
                   if "code should be clang-formatted" in line})


class Format(unittest.TestCase):
    maxDiff = None

    def test_all_files(self):
        files = sorted(cxx_files())
        self.assertTrue(files)
        self.assertEqual([], misformatted(files), "run clang-format-19 -i on these")

    def test_planted_offence(self):
        with tempfile.NamedTemporaryFile("w", suffix=".cc") as file:
            file.write("int  main( ) { }\n")
            file.flush()
            self.assertEqual([file.name], misformatted([file.name]))


if __name__ == "__main__":
    unittest.main()
