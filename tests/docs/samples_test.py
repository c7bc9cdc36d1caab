#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The C++ that the README and the documents show stands, line for line, in a program under examples/
that is compiled and run. Run from the root of the project.
"""

import glob
import re
import unittest


def samples(page):
    """Returns the C++ blocks of a Markdown page."""
    return re.findall(r"^```cpp\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def strangers(page, programs):
    """Returns the blocks of a page that no program has."""
    return [block for block in samples(page) if not any(block in program for program in programs)]


class Samples(unittest.TestCase):
    def test_every_sample_is_run(self):
        programs = []
        for name in glob.glob("examples/*.cc"):
            with open(name, encoding="utf-8") as program:
                programs.append(program.read())
        for name in ["README.md", *glob.glob("docs/*.md")]:
            with open(name, encoding="utf-8") as page:
                self.assertEqual(strangers(page.read(), programs), [], name)

    def test_the_readme_has_samples(self):
        with open("README.md", encoding="utf-8") as page:
            self.assertGreater(len(samples(page.read())), 1)

    def test_a_stranger_is_found(self):
        self.assertEqual(strangers("```cpp\nint x;\n```\n", ["int y;\n"]), ["int x;\n"])
        self.assertEqual(strangers("```cpp\nint y;\n```\n", ["\nint y;\n"]), [])


if __name__ == "__main__":
    unittest.main()
