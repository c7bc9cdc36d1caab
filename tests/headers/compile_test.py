#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every header compiles alone, twice in one unit and in any order, and links from two units.

Run from the root of the project. Each check is also run on headers with a planted offence.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests"))
from compilers import (COMPILERS, NO_RUNTIME, WARNINGS, expect_none, headers_under, is_hosted, run,
                       run_all)

INCLUDE = "include"
UMBRELLA = "vmdk/vmdk.hpp"

LINE_MARKER = re.compile(r'^# \d+ "([^"]*)"')


def flags(hosted):
    return [*WARNINGS, "-Wfatal-errors", *(() if hosted else NO_RUNTIME)]


def compile_each(include_root):
    """Returns a message for each header and compiler that do not get on.

    All three compilers have the same standard library, so g++ alone is left to see what a header
    forgets to include. The others get all headers in one unit, forwards and backwards."""
    headers = headers_under(include_root)
    units = [(header, ("g++",), [header, header]) for header in headers]
    for hosted, label in (False, "the core"), (True, "what is hosted"):
        some = [header for header in headers if is_hosted(header) == hosted]
        units.append((label, COMPILERS[1:], some + some[::-1]))
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for number, (label, compilers, names) in enumerate(units):
            unit = os.path.join(folder, f"{number}.cc")
            with open(unit, "w", encoding="utf-8") as out:
                out.writelines(f'#include "{name}"\n' for name in names)
            hosted = any(map(is_hosted, names))
            jobs += [(f"{label} with {compiler}", compiler, "-fsyntax-only", "-I", include_root,
                      *flags(hosted), unit) for compiler in compilers]
        return [f"{label}:\n{said}" for label, status, said in run_all(jobs) if status != 0]


def link_twice(include_root):
    """Returns a message for each compiler with which two units that include all do not link."""
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        unit = os.path.join(folder, "all.cc")
        with open(unit, "w", encoding="utf-8") as out:
            out.writelines(f'#include "{header}"\n' for header in headers_under(include_root))
        jobs = [(compiler, compiler, "-c", "-I", include_root, unit,
                 "-o", os.path.join(folder, compiler + ".o")) for compiler in COMPILERS]
        for compiler, status, said in run_all(jobs):
            if status == 0:
                object_file = os.path.join(folder, compiler + ".o")
                done = subprocess.run(["ld", "-r", object_file, object_file, "-o", os.devnull],
                                      stderr=subprocess.PIPE, text=True, check=False)
                status, said = done.returncode, done.stderr
            if status != 0:
                failed.append(f"{compiler}:\n{said}")
    return failed


def preprocessed_lines(compiler, include_root, header):
    """Returns how many lines a header becomes, and how many of them are ours and not empty."""
    status, said = run(compiler, "-E", "-I", include_root, "-x", "c++",
                       os.path.join(include_root, header))
    if status != 0:
        raise AssertionError(said)
    lines = said.splitlines()
    ours = 0
    name = ""
    for line in lines:
        if marker := LINE_MARKER.match(line):
            name = marker.group(1)
        elif name.startswith(include_root) and line.strip():
            ours += 1
    return len(lines), ours


class Headers(unittest.TestCase):
    def test_there_are_headers(self):
        self.assertTrue(headers_under(INCLUDE))

    def test_each_alone_and_twice(self):
        expect_none(self, compile_each(INCLUDE))

    def test_two_units_link(self):
        expect_none(self, link_twice(INCLUDE))

    def test_the_umbrella_stays_small(self):
        for compiler in COMPILERS:
            lines, ours = preprocessed_lines(compiler, INCLUDE, UMBRELLA)
            self.assertLessEqual(lines, 40000, compiler)
            # g++ breaks a line wherever it expands a macro such as offsetof.
            if compiler != "g++":
                self.assertLessEqual(ours, 12000, compiler)
                self.assertGreater(ours, 5000, compiler)


class PlantedOffences(unittest.TestCase):
    """The checks see what they are there for."""

    def offend(self, check, text, name="vmdk/core/planted.hpp"):
        with tempfile.TemporaryDirectory() as root:
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path))
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
            return check(root)

    def test_clean(self):
        clean = "#pragma once\n#include <cstdint>\ninline std::uint8_t one() { return 1; }\n"
        self.assertEqual([], self.offend(compile_each, clean))
        self.assertEqual([], self.offend(link_twice, clean))

    def test_missing_standard_include(self):
        text = "#pragma once\ninline std::uint8_t one() { return 1; }\n"
        self.assertEqual(len(COMPILERS), len(self.offend(compile_each, text)))

    def test_missing_include(self):
        text = "#pragma once\ninline vmdk::byte_view none() { return {}; }\n"
        self.assertEqual(len(COMPILERS), len(self.offend(compile_each, text)))

    def test_missing_guard(self):
        self.assertEqual(len(COMPILERS), len(self.offend(compile_each, "struct twice {};\n")))

    def test_warning(self):
        text = "#pragma once\ninline char narrow(int i) { return i; }\n"
        self.assertEqual(len(COMPILERS), len(self.offend(compile_each, text)))

    def test_exception_in_the_core_only(self):
        text = "#pragma once\ninline void f() { throw 1; }\n"
        self.assertEqual(len(COMPILERS), len(self.offend(compile_each, text)))
        self.assertEqual([], self.offend(compile_each, text, "vmdk/hosted/planted.hpp"))

    def test_definition_that_is_not_inline(self):
        text = "#pragma once\nint one() { return 1; }\n"
        self.assertEqual(len(COMPILERS), len(self.offend(link_twice, text)))


if __name__ == "__main__":
    unittest.main()
