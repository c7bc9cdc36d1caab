#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each call that changes a file fails once, or ends the program: what has its final name is whole."""

import os
import subprocess
import unittest

from program import MIB, PROGRAM, SECTOR, ProgramTest, noise

# What changes a file, its size, its name, or waits for the medium.
CALLS = ("pwrite64", "pwritev", "ftruncate", "fallocate", "fdatasync", "fsync", "renameat2", "linkat")
TYPES = ("monolithicSparse", "streamOptimized", "twoGbMaxExtentSparse", "monolithicFlat",
         "twoGbMaxExtentFlat", "raw")


class Interrupted(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("disk.img", noise(137 * SECTOR) + bytes(MIB) + noise(3 * SECTOR, seed=2))

    def convert(self, kind, *inject):
        """Converts in a new folder; returns the status, the words and the files that are there."""
        os.mkdir(self.path("out"))
        run = subprocess.run(
            ["strace", "-f", "-qq", "-o", "/dev/null", *inject, PROGRAM, "convert", "-t", kind,
             "disk.img", "out/disk.vmdk"], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
        files = {}
        for name in os.listdir(self.path("out")):
            files[name] = self.read("out/" + name)
            os.remove(self.path("out/" + name))
        os.rmdir(self.path("out"))
        return run.returncode, run.stderr.decode(), files

    def interrupt(self, kind, what):
        """Lets each call in turn be hit; yields what came of it."""
        for call in CALLS:
            for number in range(1, 100):
                came = self.convert(kind, "-e", "trace=" + call, "-e",
                                    f"inject={call}:{what}:when={number}")
                if came[0] == 0:  # There were not so many.
                    break
                yield came
            else:
                self.fail("there is no end of calls")

    def assert_whole_or_absent(self, files, whole):
        """Who finds the image by its name finds all of it."""
        if "disk.vmdk" in files:
            self.assertEqual(whole, {name: files.get(name) for name in whole})

    def test_failing_calls(self):
        for kind in TYPES:
            status, said, whole = self.convert(kind)
            self.assertEqual((0, ""), (status, said))
            hit = 0
            for status, said, files in self.interrupt(kind, "error=ENOSPC"):
                with self.subTest(kind=kind, said=said):
                    hit += 1
                    self.assertEqual(2, status)
                    self.assertRegex(said, r"\Avmdk: [^\n]+\n\Z")
                    self.assertIn("No space left on device", said)
                    self.assert_whole_or_absent(files, whole)
                    self.assertEqual([], [name for name in files if name.startswith(".")])
            self.assertGreater(hit, 3)

    def test_the_program_is_killed(self):
        for kind in TYPES:
            _, _, whole = self.convert(kind)
            hit = 0
            for status, _, files in self.interrupt(kind, "signal=KILL"):
                with self.subTest(kind=kind):
                    hit += 1
                    self.assertIn(status, (-9, 137))
                    self.assert_whole_or_absent(files, whole)
            self.assertGreater(hit, 3)


if __name__ == "__main__":
    unittest.main()
