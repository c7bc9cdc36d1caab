#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The page of sizes and the README say what the compilers make now. Run from the root of the
project; tools/sizes brings them up to date."""

import importlib.machinery
import importlib.util
import re
import unittest

# Of the header that includes everything, with the C++ library's.
MOST_LINES = 40000


def load(path):
    loader = importlib.machinery.SourceFileLoader("sizes", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("sizes", loader))
    loader.exec_module(module)
    return module


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Sizes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sizes = load("tools/sizes")
        cls.made = cls.sizes.make_page(with_times=False)
        cls.page, cls.readme = read("docs/SIZES.md"), read("README.md")

    def differences(self, page, readme):
        return self.sizes.differences(page, readme, *self.made)

    def test_current(self):
        found = self.differences(self.page, self.readme)
        if found:
            self.fail(found + "\nrun tools/sizes")

    def test_planted_drift(self):
        for line in (r"\| sparse reader \| ", r"\| vmdk.hpp \| "):
            planted = re.sub("(" + line + r")\d", r"\g<1>x", self.page, count=1)
            self.assertIn("x", self.differences(planted, self.readme))
        self.assertIn("README", self.differences(self.page, self.readme.replace("Cortex-M0", "M0")))
        # The times are those of somebody's machine.
        times = re.sub(r"\d\.\d \|$", "9.9 |", self.page, flags=re.MULTILINE)
        self.assertNotEqual(self.page, times)
        self.assertEqual(self.differences(self.page, self.readme),
                         self.differences(times, self.readme))

    def test_lines_of_everything(self):
        total = re.search(r"\| vmdk.hpp \| \d+ \| (\d+) \|", self.made[0]).group(1)
        self.assertLessEqual(int(total), MOST_LINES)


if __name__ == "__main__":
    unittest.main()
