#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""clang-tidy has nothing to say about the library and most of the program.

Run from the root of the project. What it looks for, and what not, is in .clang-tidy.
"""

import glob
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests"))
from compilers import headers_under

INCLUDE = "include"
PROGRAM = "examples/cli"

# What compiles the library for each codec and source takes twice as long; the library is looked
# at as it is.
SLOW = ("check", "image_disk", "map", "repair", "stream_disk", "write_")


def library():
    """Names all headers that this system can include."""
    return [header for header in headers_under(INCLUDE)
            if not header.startswith("vmdk/hosted/windows/")]


def program():
    """Names the program's sources that are looked at."""
    return [name for name in sorted(glob.glob(f"{PROGRAM}/*.cc"))
            if not any(part in name for part in (*SLOW, "windows"))]


def complaints(files, *include_roots):
    """Returns what clang-tidy says of files that are included in one unit: a header alone would
    cost as much as all of them."""
    with tempfile.TemporaryDirectory() as folder:
        unit = os.path.join(folder, "unit.cc")
        with open(unit, "w", encoding="utf-8") as out:
            out.writelines(f'#include "{name}"\n' for name in files)
        done = subprocess.run(
            ["clang-tidy-19", "--quiet", "--config-file=.clang-tidy",
             # The unit itself, which includes sources.
             "--checks=-bugprone-suspicious-include", unit, "--", "-std=c++20",
             *(f"-I{root}" for root in include_roots)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            check=False)
    if done.returncode == 0:
        return ""
    return done.stdout or f"clang-tidy ended with {done.returncode}"


class Tidy(unittest.TestCase):
    maxDiff = None

    def test_library(self):
        headers = library()
        self.assertTrue(headers)
        self.assertEqual("", complaints(headers, INCLUDE))

    def test_program(self):
        sources = program()
        self.assertTrue(sources)
        self.assertEqual("", complaints(sources, INCLUDE, "."))


class PlantedOffences(unittest.TestCase):
    """The checks see what they are there for, wherever it is."""

    def expect(self, check, path, text):
        with tempfile.TemporaryDirectory() as root:
            full_path = os.path.join(root, path)
            os.makedirs(os.path.dirname(full_path))
            with open(full_path, "w", encoding="utf-8") as out:
                out.write(text)
            said = complaints([path], root)
        if check:
            self.assertIn(check, said)
        else:
            self.assertEqual("", said)

    def test_clean(self):
        self.expect("", "include/vmdk/planted.hpp",
                    "#pragma once\n[[nodiscard]] inline int one() { return 1; }\n")

    def test_in_a_header(self):
        self.expect("bugprone-implicit-widening-of-multiplication-result",
                    "include/vmdk/planted.hpp",
                    "#pragma once\ninline long twice(int n) { return 2 * n; }\n")

    def test_in_a_source(self):
        self.expect("bugprone-integer-division", "examples/cli/planted.cc",
                    "double half(int n) { return n / 2; }\n")

    def test_what_does_not_compile(self):
        self.expect("clang-diagnostic-error", "include/vmdk/planted.hpp", "nothing\n")


if __name__ == "__main__":
    unittest.main()
