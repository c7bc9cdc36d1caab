#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images come out the same on a host of 64 bits, one of 32 bits and one that is big-endian: every file
has the same SHA-256, is read back there, and nothing is found by the check.

Run from the root of the project. Hosts that this one cannot run are emulated.
"""

import concurrent.futures
import hashlib
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests"))
from compilers import WARNINGS, run

# Compiler, and what runs its programs.
HOSTS = {
    "x86-64": ("g++", ()),
    "i386": ("i686-linux-gnu-g++", ("qemu-i386-static",)),
    "s390x": ("s390x-linux-gnu-g++", ("qemu-s390x-static",)),
}


def images(host, folder):
    """Builds and runs the program for a host; returns what it says and {name: SHA-256}."""
    compiler, emulator = HOSTS[host]
    program = os.path.join(folder, "images")
    kept = os.path.join(folder, "kept")
    os.mkdir(kept)
    status, said = run(compiler, "-O1", "-static", *WARNINGS, "-I", "include", "-I", ".",
                       "tests/hosts/images.cc", "-o", program)
    if status != 0:
        raise AssertionError(f"{compiler}:\n{said}")
    done = subprocess.run([*emulator, program, kept], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{host}: status {done.returncode}\n{done.stdout}")
    digests = {}
    for name in sorted(os.listdir(kept)):
        with open(os.path.join(kept, name), "rb") as file:
            digests[name] = hashlib.sha256(file.read()).hexdigest()
    return done.stdout, digests


class Hosts(unittest.TestCase):
    maxDiff = None

    def test_same_everywhere(self):
        with tempfile.TemporaryDirectory() as folder:
            with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
                running = {}
                for host in HOSTS:
                    os.mkdir(os.path.join(folder, host))
                    running[host] = pool.submit(images, host, os.path.join(folder, host))
                results = {host: future.result() for host, future in running.items()}
        said, digests = results["x86-64"]
        self.assertEqual(17, len(said.splitlines()))
        # Of the types that have a descriptor beside the extents: 3 sparse and 2 flat ones.
        self.assertEqual(17 + 5, len(digests))
        for host in HOSTS:
            self.assertEqual((said, digests), results[host], host)


if __name__ == "__main__":
    unittest.main()
