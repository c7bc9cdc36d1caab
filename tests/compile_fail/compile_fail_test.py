#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What must not compile does not, and the compiler says the sentence that helps.

Each .cc file here holds one mistake and a line `// EXPECT: text`; all compilers must refuse it with
that text. positive_control.cc must compile, or the others would fail for another reason. Run from
the root of the project.
"""

import glob
import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests"))
from compilers import COMPILERS, expect_none, run_all

FOLDER = "tests/compile_fail"
CONTROL = "positive_control.cc"
EXPECT = re.compile(r"^// EXPECT: (.+)$", re.MULTILINE)


def offences(folder):
    """Returns a message for each file and compiler that do not behave as the file says."""
    expected = {}
    found = []
    for path in sorted(glob.glob(os.path.join(folder, "*.cc"))):
        with open(path, encoding="utf-8") as file:
            line = EXPECT.search(file.read())
        expected[path] = line.group(1).strip() if line else None
        if (line is None) != (os.path.basename(path) == CONTROL):
            found.append(f"{path}: EXPECT line missing, or in the control")
    jobs = [((path, compiler), compiler, "-fsyntax-only", "-I", "include", path)
            for path in expected for compiler in COMPILERS]
    for (path, compiler), status, said in run_all(jobs):
        text = expected[path]
        if text is None and status != 0:
            found.append(f"{path}: {compiler} refuses it:\n{said}")
        elif text is not None and status == 0:
            found.append(f"{path}: {compiler} accepts it")
        elif text is not None and text not in said:
            found.append(f"{path}: {compiler} does not say '{text}' but:\n{said}")
    return found


class CompileFail(unittest.TestCase):
    def test_all_files(self):
        self.assertTrue(os.path.exists(os.path.join(FOLDER, CONTROL)))
        expect_none(self, offences(FOLDER))


class PlantedOffences(unittest.TestCase):
    def offend(self, name, text):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(text)
            return offences(folder)

    def test_right(self):
        text = '// EXPECT: too small\nstatic_assert(1 > 2, "too small");\n'
        self.assertEqual([], self.offend("a.cc", text))
        self.assertEqual([], self.offend(CONTROL, "int i;\n"))

    def test_compiles(self):
        self.assertEqual(len(COMPILERS), len(self.offend("a.cc", "// EXPECT: too small\n")))

    def test_other_sentence(self):
        text = '// EXPECT: too small\nstatic_assert(1 > 2, "too large");\n'
        self.assertEqual(len(COMPILERS), len(self.offend("a.cc", text)))

    def test_no_expectation(self):
        self.assertIn("EXPECT line missing", self.offend("a.cc", "int i;\n")[0])

    def test_broken_control(self):
        self.assertEqual(len(COMPILERS), len(self.offend(CONTROL, "int i\n")))


if __name__ == "__main__":
    unittest.main()
