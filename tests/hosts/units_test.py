#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The unit tests pass on a host of 32 bits and on one that is big-endian, emulated.

Run from the root of the project. Usage: units_test.py [all]
  all  every unit test that needs no library but Catch2; otherwise a choice of what may differ
       between hosts, without what takes long to emulate
"""

import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests"))
from compilers import run

# Compiler, and what runs its programs.
HOSTS = {
    "i386": ("i686-linux-gnu-g++", "qemu-i386-static"),
    "s390x": ("s390x-linux-gnu-g++", "qemu-s390x-static"),
}
LAYERS = ("core", "io", "format", "codec", "layout", "writer", "reader", "verify")
# hosts_test has the other host's writers and readers make and read whole images.
CHOSEN = (
    "core/bytes", "core/endian", "io/memory", "format/content_id", "format/sesparse",
    "format/sparse_header_check", "codec/adler32", "codec/bit_*", "verify/shared_sectors",
)
# What tries very many cases, or large ones: on every host the same arithmetic.
LONG = ("any two fields may have*", "any byte of the header may have*",
        "all fields may have values*", "inflate: pieces of any size*",
        "one bit anywhere changes*", "layouts are what adding*")

# Tests may narrow numbers that are small; the library is compiled with all warnings in hosts_test.
# Debian's cross compilers do not look into /usr/include, where Catch2 is.
FLAGS = ("-g0", "-static", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-I", "include", "-I", ".")

LIBRARIES = {"zlib.h", "libdeflate.h"}
INCLUDE = re.compile(r'^#include ["<]((?:tests|vmdk)/[^">]+|zlib\.h|libdeflate\.h)[">]', re.MULTILINE)


def included_by(path, seen):
    """Adds to `seen` a file and all that it includes, of ours and of zlib's and libdeflate's."""
    if path in seen:
        return seen
    seen.add(path)
    if path not in LIBRARIES:
        with open(path, encoding="utf-8") as file:
            names = INCLUDE.findall(file.read())
        for name in names:
            included_by(os.path.join("include", name) if name.startswith("vmdk/") else name, seen)
    return seen


def shared_by(paths):
    """Returns the sources of what tests share: of each header that one includes."""
    included = set().union(*(included_by(path, set()) for path in paths))
    found = (path.replace(".hpp", ".cc") for path in included if path.startswith("tests/"))
    return sorted(path for path in set(found) - set(paths) if os.path.exists(path))


def units(patterns):
    """Returns {layer: its test files}."""
    found = {layer: [] for layer in LAYERS}
    for pattern in patterns:
        for path in sorted(glob.glob(f"tests/{pattern}_test.cc")):
            if not LIBRARIES & included_by(path, set()):
                found[path.split("/")[1]].append(path)
    return {layer: paths for layer, paths in found.items() if paths}


def checked(label, done):
    status, said = done
    if status != 0:
        raise AssertionError(f"{label}: status {status}\n{said}")
    return said


class Build:
    """Compiles and runs tests for one host; the jobs of all hosts share a pool."""

    def __init__(self, host, folder, pool, level):
        self.host, self.pool, self.level = host, pool, level
        self.compiler, self.emulator = HOSTS[host]
        self.folder = os.path.join(folder, host)
        os.makedirs(os.path.join(self.folder, "include"))
        os.symlink("/usr/include/catch2", os.path.join(self.folder, "include/catch2"))

    def compile(self, path, level):
        """Returns a future of the object file."""
        made = os.path.join(self.folder, path.replace("/", "-") + ".o")
        flags = (level, *FLAGS, "-I", os.path.join(self.folder, "include"))

        def work():
            checked(f"{path} for {self.host}",
                    run(self.compiler, *flags, "-c", path, "-o", made))
            return made
        return self.pool.submit(work)

    def compile_all(self, paths):
        """Starts to compile Catch2's main, which takes longest, and the tests with what they share."""
        self.main = self.compile("tests/catch_main.cc", "-O0")
        self.shared = {path: self.compile(path, self.level) for path in shared_by(paths)}
        self.objects = {path: self.compile(path, self.level) for path in paths}

    def run(self, paths, arguments):
        """Returns a future of what the tests of these files say."""
        folder = os.path.dirname(paths[0])
        name = f"{self.folder}/{os.path.basename(folder)}_test"
        objects = [self.main.result()] + [self.objects[path].result() for path in paths]
        objects += [made.result() for path, made in self.shared.items()
                    if os.path.dirname(path) == folder]

        def work():
            checked(f"linking for {self.host}",
                    run(self.compiler, "-static", *objects, "-o", name))
            done = subprocess.run([self.emulator, name, *arguments], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            return checked(self.host, (done.returncode, done.stdout))
        return self.pool.submit(work)


class Units(unittest.TestCase):
    patterns = CHOSEN
    level = "-O0"
    arguments = ["".join(f'~"{name}"' for name in LONG)]

    def test_on_each_host(self):
        chosen = units(self.patterns)
        self.assertLessEqual({"core", "format", "codec"}, set(chosen))
        with tempfile.TemporaryDirectory() as folder, \
                concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            builds = [Build(host, folder, pool, self.level) for host in HOSTS]
            for build in builds:
                build.compile_all([path for paths in chosen.values() for path in paths])
            running = [(layer, build, build.run(paths, self.arguments))
                       for build in builds for layer, paths in chosen.items()]
            for layer, build, future in running:
                self.assertRegex(future.result(), r"All tests passed", f"{layer} on {build.host}")


if __name__ == "__main__":
    if sys.argv[1:] == ["all"]:
        # Emulated, it pays to optimise.
        Units.patterns = [layer + "/*" for layer in LAYERS]
        Units.level = "-O1"
        Units.arguments = []
        del sys.argv[1:]
    unittest.main()
