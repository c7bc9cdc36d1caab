#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""operations_test.cc has every public operation of the headers. Run from the root of the project."""

import glob
import re
import unittest

# An operation is a template over one of these, outside namespace detail.
CONCEPTS = re.compile(r"\b(?:Source|SparseSource|MappedSource|SequentialSource|Sink|SeekableSink|HoleSink|"
                      r"Storage|SinkDirectory|Files|FolderFiles|SparseFiles)\b")
TEMPLATE = re.compile(r"^template <((?:[^<>]|<[^<>]*>)*)>\s*(?:requires[^\n]*\n\s*)?"
                      r"(?:(?:class|struct) (\w+)|[^;{=(]*?\b(\w+)\()", re.MULTILINE)

# What is used by operations alone, and through which of them it is tested.
PARTS = {
    "file_view": "open",
    "files_pointer": "open",
    "grain_stream": "write",
    "identify_file": "open",
    "image": "image_cursor",
    "kind_of_line": "open",
    "next_data_of": "slice_source",
    "open_extent_file": "open",
    "open_named": "open",
    "placed_sink": "write",
    "put_zeros": "append_only_sink",
    "single_file": "open",
    "sparse_appender": "write",
    "stream_input": "unpack_stream",
    "stream_supply": "unpack_stream",
    "write_sparse_body": "write",
}


def operations_of(text):
    """Names the templates of a header that work through the caller's objects."""
    text = re.sub(r"namespace (vmdk::)?detail \{.*?\}  // namespace \1?detail", "", text,
                  flags=re.DOTALL)
    return {found.group(2) or found.group(3) for found in TEMPLATE.finditer(text)
            if CONCEPTS.search(found.group(1))}


class List(unittest.TestCase):
    def setUp(self):
        with open("tests/faults/operations_test.cc", encoding="utf-8") as file:
            self.tested = set(re.findall(r'^    \{"(\w+)", \w', file.read(), re.MULTILINE))

    def test_every_operation_is_tested(self):
        public = set()
        for path in glob.glob("include/vmdk/**/*.hpp", recursive=True):
            with open(path, encoding="utf-8") as file:
                public |= operations_of(file.read())
        self.assertGreater(len(public), 30)
        self.assertEqual(set(), public - self.tested - set(PARTS))
        self.assertEqual(set(), set(PARTS) - public)
        # Nothing is listed that is no longer there; of `write` the writers have the concepts.
        self.assertEqual({"write"}, self.tested - public)

    def test_parts_are_tested_by_something(self):
        self.assertLessEqual(set(PARTS.values()), self.tested)

    def test_an_operation_is_seen(self):
        text = ("namespace vmdk {\nnamespace detail {\ntemplate <Source S>\nvoid hidden(S& s);\n"
                "}  // namespace detail\ntemplate <class T, SeekableSink K>\n"
                "[[nodiscard]] constexpr result<int> planted(K& sink) noexcept;\n"
                "template <Files F>\nclass seen {};\ntemplate <class T>\nvoid other(T);\n}\n")
        self.assertEqual({"planted", "seen"}, operations_of(text))


if __name__ == "__main__":
    unittest.main()
