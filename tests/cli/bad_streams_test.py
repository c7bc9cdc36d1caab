#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Damaged streams, pipes that are not as long as they should be, and sinks that fail under threads:
told in one line, with nothing left behind."""

import os
import resource
import struct
import unittest
import zlib

from program import KIB, MIB, SECTOR, ProgramTest, noise

GRAIN = 64 * KIB
FIRST_GRAIN = 128  # The sector of its marker.
PATTERN = (b"a line of text that comes again and again\n" * 2000)[:GRAIN]


def bits(*fields):
    """Packs (value, bits) as deflate does, from the lowest bit on."""
    number, used = 0, 0
    for value, width in fields:
        number |= value << used
        used += width
    return number.to_bytes((used + 7) // 8, "little")


def with_dictionary(content):
    packer = zlib.compressobj(zdict=content[:100])
    return packer.compress(content) + packer.flush()


def over_subscribed():
    """Nineteen codes of one bit, where there is room for two."""
    return b"\x78\x9c" + bits((1, 1), (2, 2), (0, 5), (0, 5), (15, 4), *[(1, 3)] * 19) + bytes(100)


GOOD = zlib.compress(PATTERN, 6)
# What stands in a grain's place; all of them fit into the marker's sector, as the good one does.
DAMAGES = {
    "ends early": GOOD[:-12],
    "has no end at all": GOOD[:40],
    "holds too little": zlib.compress(PATTERN[:-1], 6),
    "runs long": zlib.compress(PATTERN + b"x", 6),
    "goes on behind its end": GOOD + b"\0\0\0\0",
    "has a wrong checksum": GOOD[:-1] + bytes([GOOD[-1] ^ 1]),
    "has a preset dictionary": with_dictionary(PATTERN),
    "has an over-subscribed code": over_subscribed(),
    "has a reserved block": b"\x78\x9c\x07" + bytes(100),
    "has another method": b"\x79\x9b" + GOOD[2:],
    "has a wrong header": b"\x78\x9d" + GOOD[2:],
    "is empty": b"",
}


class DamagedGrains(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("disk.img", PATTERN + noise(3 * GRAIN) + bytes(GRAIN) + PATTERN)
        self.done("convert", "-t", "streamOptimized", "disk.img", "good.vmdk")
        self.good = self.read("good.vmdk")

    def damage(self, data, size=None):
        """The stream with other data in its first grain."""
        place = FIRST_GRAIN * SECTOR
        self.assertLessEqual(len(data), SECTOR - 12)
        marker = struct.pack("<QI", 0, len(data) if size is None else size) + data
        return self.good[:place] + marker.ljust(SECTOR, b"\0") + self.good[place + SECTOR:]

    def assert_refused(self, stream, codecs=("builtin", "zlib", "libdeflate")):
        self.write("bad.vmdk", stream)
        for codec in codecs:
            for threads in "1", "4":
                options = ["--codec", codec, "-j", threads]
                for destination in "back.img", "back.vmdk":
                    self.refused("convert", *options, "bad.vmdk", destination,
                                 says=["bad.vmdk: ", "(at byte 6"])
                    self.refused("convert", "-f", "vmdk", *options, "-", destination, content=stream,
                                 says=["standard input: ", "(at byte 6"])
            result = self.run_program("check", "--codec", codec, "bad.vmdk")
            self.assertEqual(1, result.status, result.out)
            self.assertIn(b"error: bad.vmdk: ", result.out)

    def test_the_method(self):
        """A grain that zlib has written in the place of ours is as good."""
        self.write("other.vmdk", self.damage(GOOD))
        self.assertEqual(b"identical\n", self.done("compare", "good.vmdk", "other.vmdk"))
        self.done("check", "other.vmdk")

    def test_deflate(self):
        for what, data in DAMAGES.items():
            if what == "is empty":
                continue  # That is a marker of another kind.
            with self.subTest(what):
                self.assert_refused(self.damage(data))

    def test_marker(self):
        for what, stream in (("no data", self.damage(b"")),
                             ("past the limit", self.damage(GOOD, 2 * GRAIN)),
                             ("far past the limit", self.damage(GOOD, 0xFFFFFFFF)),
                             ("another place", self.good[:65536] + b"\x80" + self.good[65537:])):
            with self.subTest(what):
                self.assert_refused(stream, ["libdeflate"])


class Pipes(ProgramTest):
    def test_stated_size(self):
        for kind in "streamOptimized", "monolithicSparse", "twoGbMaxExtentSparse", "raw":
            for size, where in (MIB - 1, MIB - 1), (MIB + 1, MIB):
                for threads in [["-j", "1"], ["-j", "4"]] if kind == "streamOptimized" else [[]]:
                    self.refused("convert", "-f", "raw", "--size", "1M", "-t", kind, *threads, "-",
                                 "disk.vmdk", content=noise(size),
                                 says=["standard input: ", f"(at byte {where}"])

    def test_stated_size_into_a_pipe(self):
        """What has gone out is then no whole stream."""
        for size in MIB - 1, MIB + 1, 0:
            result = self.refused("convert", "-f", "raw", "--size", "1M", "-t", "streamOptimized",
                                  "-", "-", content=noise(size), says="standard input: ")
            self.write("cut.vmdk", result.out)
            self.assertEqual(2, self.run_program("convert", "cut.vmdk", "back.img").status)
            os.remove(self.path("cut.vmdk"))


class Sinks(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("disk.img", noise(4 * MIB))

    def test_full_device(self):
        for threads in "1", "4":
            for source in "disk.img", "/dev/zero":
                options = ["-f", "raw", "--size", "4M"] if source == "/dev/zero" else []
                self.refused("convert", *options, "-t", "streamOptimized", "-j", threads, source,
                             "/dev/full", says="/dev/full: No space left")
            with open("/dev/full", "wb") as full:
                self.refused("convert", "-t", "streamOptimized", "-j", threads, "disk.img", "-",
                             stdout=full, says="standard output: No space left")

    def test_full_in_the_middle(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
        for threads in "1", "4":
            for tables in "end", "front":
                self.refused("convert", "-t", "streamOptimized", "-j", threads, "-o",
                             f"tables={tables}", "disk.img", "disk.vmdk", preexec_fn=limit,
                             says=["disk.vmdk: File too large", "(at byte 1048576"])
        # And while several threads expand.
        self.done("convert", "-t", "streamOptimized", "disk.img", "disk.vmdk")
        self.refused("convert", "-j", "4", "disk.vmdk", "back.img", preexec_fn=limit,
                     says=["back.img: File too large", "(at byte 1048576"])
        self.refused("convert", "-f", "vmdk", "-j", "4", "-", "back.img", preexec_fn=limit,
                     content=self.read("disk.vmdk"),
                     says=["back.img: File too large", "(at byte 1048576"])

    def test_closed_pipe(self):
        for threads in "1", "4":
            reader, writer = os.pipe()
            os.close(reader)
            self.refused("convert", "-t", "streamOptimized", "-j", threads, "disk.img", "-",
                         stdout=writer, says="standard output: Broken pipe")
            os.close(writer)

    def test_codec_that_is_not_there(self):
        for command in (["convert", "-t", "streamOptimized"], ["convert"], ["check"]):
            rest = ["disk.img"] if command == ["check"] else ["disk.img", "disk.vmdk"]
            self.refused(*command, "--codec", "zstd", *rest,
                         says="--codec zstd: is no known codec; there are builtin, stored, zlib")


if __name__ == "__main__":
    unittest.main()
