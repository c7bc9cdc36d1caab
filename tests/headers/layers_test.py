#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Includes point downwards in the list of layers, never in a circle, and the core takes only the
standard headers that a freestanding target affords.

Run from the root of the project. Each rule is also tried on a planted offence.
"""

import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests"))
from compilers import expect_none, headers_under, is_hosted

INCLUDE = "include"

# From the ground up. The two umbrella headers stand above what they gather.
LAYERS = ("core", "io", "codec", "format", "layout", "writer", "reader", "verify", "constant",
          "vmdk.hpp", "hosted", "hosted.hpp")
OPTIONAL = ("vmdk/codec/zlib.hpp", "vmdk/codec/libdeflate.hpp")
CORE_STANDARD_HEADERS = ("array bit compare concepts cstddef cstdint limits span string_view "
                         "type_traits utility").split()

INCLUDE_LINE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def rank(header):
    """Returns a header's height, or None where it belongs to no layer."""
    layer = header.split("/")[1]
    return LAYERS.index(layer) if layer in LAYERS else None


def includes(include_root, header):
    """Yields (is a header of this library, its name) for each include of a header."""
    with open(os.path.join(include_root, header), encoding="utf-8") as file:
        text = file.read()
    for quote, name in INCLUDE_LINE.findall(text):
        beside = os.path.normpath(os.path.join(os.path.dirname(header), name))
        if quote == '"' and os.path.exists(os.path.join(include_root, beside)):
            yield True, beside
        else:
            yield name.startswith("vmdk/"), name


def circle_from(graph, header, path=()):
    """Returns the first chain of includes that leads from a header back to itself, or None."""
    if header in path:
        return " -> ".join([*path[path.index(header):], header])
    found = None
    for name in graph.get(header, ()):
        found = found or circle_from(graph, name, (*path, header))
    graph[header] = ()  # What is below has been looked at; a circle is told once.
    return found


def offences(include_root):
    """Returns a message for each include that breaks a rule."""
    found = []
    graph = {}
    for header in headers_under(include_root):
        if rank(header) is None:
            found.append(f"{header} is in no layer")
            continue
        graph[header] = []
        for ours, name in includes(include_root, header):
            if not ours:
                if not is_hosted(header) and name not in CORE_STANDARD_HEADERS:
                    found.append(f"{header} is core and includes <{name}>")
                continue
            graph[header].append(name)
            if not os.path.exists(os.path.join(include_root, name)):
                found.append(f"{header} includes {name}, which is not there")
            elif rank(name) is None or rank(name) > rank(header):
                found.append(f"{header} includes upwards: {name}")
            elif name in OPTIONAL:
                found.append(f"{header} includes {name}, which is optional")
    circles = (circle_from(graph, header) for header in list(graph))
    return found + [f"circle: {circle}" for circle in circles if circle]


class Layers(unittest.TestCase):
    def test_all_headers(self):
        self.assertTrue(headers_under(INCLUDE))
        expect_none(self, offences(INCLUDE))


class PlantedOffences(unittest.TestCase):
    def offend(self, **files):
        """Checks a tree of headers with these texts; a__b stands for vmdk/a/b.hpp."""
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = os.path.join(root, "vmdk", name.replace("__", "/") + ".hpp")
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text)
            return offences(root)

    def test_downwards_and_sideways_are_fine(self):
        self.assertEqual([], self.offend(
            core__a="#include <cstdint>\n", core__b='#include "vmdk/core/a.hpp"\n',
            io__c='#include "../core/b.hpp"\n',
            hosted__d='#include <string>\n#include "vmdk/vmdk.hpp"\n',
            vmdk='#include "vmdk/io/c.hpp"\n', hosted='#include "vmdk/hosted/d.hpp"\n'))

    def test_upwards(self):
        self.assertEqual(["vmdk/core/a.hpp includes upwards: vmdk/io/b.hpp"],
                         self.offend(core__a='#include "vmdk/io/b.hpp"\n', io__b=""))
        self.assertEqual(["vmdk/core/a.hpp includes upwards: vmdk/io/b.hpp"],
                         self.offend(core__a='  #  include  <vmdk/io/b.hpp>\n', io__b=""))
        self.assertEqual(["vmdk/core/a.hpp includes upwards: vmdk/io/b.hpp"],
                         self.offend(core__a='#include "../io/b.hpp"\n', io__b=""))
        self.assertEqual(["vmdk/vmdk.hpp includes upwards: vmdk/hosted/a.hpp"],
                         self.offend(vmdk='#include "vmdk/hosted/a.hpp"\n', hosted__a=""))

    def test_circle(self):
        self.assertEqual(
            ["circle: vmdk/core/a.hpp -> vmdk/core/b.hpp -> vmdk/core/a.hpp"],
            self.offend(core__a='#include "vmdk/core/b.hpp"\n', core__b='#include "a.hpp"\n'))

    def test_no_layer(self):
        self.assertEqual(["vmdk/attic/a.hpp is in no layer"], self.offend(attic__a=""))

    def test_missing(self):
        self.assertEqual(["vmdk/io/a.hpp includes vmdk/core/b.hpp, which is not there"],
                         self.offend(io__a='#include "vmdk/core/b.hpp"\n'))

    def test_standard_header_that_costs_too_much(self):
        self.assertEqual(["vmdk/io/a.hpp is core and includes <string>"],
                         self.offend(io__a="#include <string>\n"))

    def test_optional(self):
        self.assertEqual(
            ["vmdk/hosted/a.hpp includes vmdk/codec/zlib.hpp, which is optional"],
            self.offend(hosted__a='#include "vmdk/codec/zlib.hpp"\n', codec__zlib=""))


if __name__ == "__main__":
    unittest.main()
