#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""streamOptimized with every grain, level, codec, number of threads and place of the tables, judged
by five readers; and the same bytes however it is made.

Unless VMDK_ALL_STREAMS is set, a part of the full product: each level of each codec with each disk,
and each disk with each grain and place of the tables."""

import collections
import concurrent.futures
import hashlib
import os
import random
import subprocess
import threading
import unittest

from support import KIB, MIB, SECTOR, InteropTest, noise, peer, round_up

JUDGE = os.path.abspath(os.environ.get("VMDK_STREAM_JUDGE") or "tests/interop/stream_judge")
ALL = bool(os.environ.get("VMDK_ALL_STREAMS"))
THREADS = ("1", "2", "7")
GRAINS = (16, 32, 64, 128)  # Sectors.
PLACES = ("end", "front")
CODECS = [("stored", 0)] + [(codec, level) for codec in ("builtin", "zlib", "libdeflate")
                            for level in range(10)]

Way = collections.namedtuple("Way", "disk grain codec level place")


def text(size):
    """Words in an order that does not come again: neither random nor a run."""
    dice = random.Random(3)
    words = [bytes(dice.choices(b"etaoinshrdlu", k=dice.randrange(2, 10))) for _ in range(400)]
    return b" ".join(dice.choices(words, k=size // 3))[:size]


def sparse(size):
    content = bytearray(size)
    for number, at in enumerate((5000, 300_000, 777_777, size - 700)):
        content[at:at + 600] = noise(600, seed=number)
    return bytes(content)


DISKS = {
    "sector": noise(SECTOR),
    "unaligned": (text(150_000) + noise(50_000) + bytes(200_000))[:300 * KIB + 5 * SECTOR],
    "zeros": bytes(MIB),
    "noise": noise(256 * KIB),
    "text": text(MIB if ALL else 400 * KIB),
    "sparse": sparse(MIB),
}


def all_ways():
    return [Way(disk, grain, codec, level, place) for disk in DISKS for grain in GRAINS
            for codec, level in CODECS for place in PLACES]


def some_ways():
    ways = []
    for number, (codec, level) in enumerate(CODECS):
        for turn, disk in enumerate(DISKS):
            grain = GRAINS[(number + turn) % len(GRAINS)]
            place = PLACES[(number // len(GRAINS) + turn) % len(PLACES)]
            ways.append(Way(disk, grain, codec, level, place))
    return ways


class StreamTest(InteropTest):
    def judge(self, stream, disk):
        """The structure checker and random reads; one process judges all."""
        with self.judging:
            self.judge_process.stdin.write(f"{self.path(stream)} {self.path(disk)}\n".encode())
            self.judge_process.stdin.flush()
            return self.judge_process.stdout.readline().decode().strip()

    def setUp(self):
        super().setUp()
        self.judging = threading.Lock()
        self.judge_process = subprocess.Popen([JUDGE], stdin=subprocess.PIPE,
                                              stdout=subprocess.PIPE)
        self.addCleanup(self.end_judge)

    def end_judge(self):
        self.judge_process.communicate(timeout=60)
        self.assertEqual(0, self.judge_process.returncode)


class Product(StreamTest):
    def write_stream(self, way, threads, name):
        self.done("convert", "-f", "raw", "-t", "streamOptimized", "-o", "name=disk.vmdk",
                  "-o", f"tables={way.place}", "-g", str(way.grain * SECTOR), "--codec", way.codec,
                  "-l", str(way.level), "-j", threads, way.disk, name)

    def judge_way(self, number, way):
        """Writes a stream with each number of threads; judges it once, as the bytes are the same."""
        name = f"{number}.vmdk"
        self.write_stream(way, THREADS[0], name)
        written = self.read(name)
        for threads in THREADS[1:]:
            self.write_stream(way, threads, "other-" + name)
            self.assertEqual(written, self.read("other-" + name), (way, threads))
            self.remove("other-" + name)

        content = DISKS[way.disk]
        wanted = content.ljust(round_up(len(content), way.grain * SECTOR), b"\0")
        self.assertEqual("ok", self.judge(name, way.disk), way)
        self.assertIn(b": sound: 0 errors, 0 warnings", self.done("check", name), way)
        self.assertEqual(wanted, self.done("convert", "-t", "raw", name, "-"), way)
        self.assertEqual(wanted, self.done("convert", "-f", "vmdk", "-", "-", content=written), way)
        peer("qemu-img", "compare", "-q", "-f", "raw", "-F", "vmdk", way.disk, name,
             folder=self.folder)
        said = peer("vmdkinfo", self.path(name))
        self.assertIn(f"({len(wanted)} bytes)", said, way)
        self.assertIn("Stream optimized", said, way)
        if way.place == "end":
            out = subprocess.run(["7zz", "x", "-tvmdk", "-so", self.path(name)], check=True,
                                 stdin=subprocess.DEVNULL, capture_output=True).stdout
            self.assertEqual(wanted, out, way)
        self.remove(name)

    def test_product(self):
        for name, content in DISKS.items():
            self.write(name, content)
        ways = all_ways() if ALL else some_ways()
        self.assertEqual(len(DISKS) * len(CODECS) * (8 if ALL else 1), len(set(ways)))
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            judged = [done.result() for done in
                      [pool.submit(self.judge_way, *numbered) for numbered in enumerate(ways)]]
        self.assertEqual(len(ways), len(judged))
        print(f"{len(ways)} streams, {len(THREADS) * len(ways)} conversions")

    def test_the_judge_sees(self):
        """What judges is not blind: damages anywhere are told."""
        self.write("text", DISKS["text"])
        for place in PLACES:
            self.write_stream(Way("text", 16, "builtin", 6, place), "1", "good.vmdk")
            self.assertEqual("ok", self.judge("good.vmdk", "text"))
            good = self.read("good.vmdk")
            for at in (4, 8, 12, 60, 70_000, len(good) - 3):
                damaged = bytearray(good)
                damaged[at] ^= 0x40
                self.write("bad.vmdk", damaged)
                self.assertNotEqual("ok", self.judge("bad.vmdk", "text"), (place, at))
            self.remove("good.vmdk")


class Reproducible(StreamTest):
    """One digest for any number of threads, any sink, any size of reads, and the compiler."""

    SHA256 = "5f2c9d5889127aabbdba156c9ed5da5e8bb376483a0f5251596cf37824bc19de"

    def constant(self, what):
        return subprocess.run([JUDGE, what], check=True, capture_output=True).stdout

    def test_the_compilers_stream(self):
        disk, wanted = self.constant("disk"), self.constant("image")
        self.assertEqual(self.SHA256, hashlib.sha256(wanted).hexdigest())
        self.write("disk.img", disk)
        settings = ["-t", "streamOptimized", "-g", "4K", "--codec", "builtin"]
        for threads in THREADS:
            with self.subTest(threads=threads):
                options = [*settings, "-j", threads]
                self.done("convert", *options, "--force", "disk.img", "disk.vmdk")
                self.assertEqual(wanted, self.read("disk.vmdk"))
                self.assertEqual(wanted, self.done("convert", *options, "disk.img", "-"))
                piped = ["-f", "raw", "--size", str(len(disk)), *options]
                self.done("convert", *piped, "--force", "-", "disk.vmdk", content=disk)
                self.assertEqual(wanted, self.read("disk.vmdk"))
        self.assertEqual("ok", self.judge("disk.vmdk", "disk.img"))

    def test_any_source(self):
        """Whatever the disk comes from, and in whatever portions."""
        content = DISKS["unaligned"] + DISKS["sparse"]
        self.write("disk.img", content)
        settings = ["-t", "streamOptimized", "-o", "name=disk.vmdk"]
        self.done("convert", *settings, "disk.img", "disk.vmdk")
        digest = hashlib.sha256(self.read("disk.vmdk")).hexdigest()
        for threads in THREADS:
            for portion in 1000, 4096, 1 << 20:
                process = self.start("convert", "-f", "raw", "--size", str(len(content)), "-j",
                                     threads, *settings, "-", "piped.vmdk", stdin=subprocess.PIPE)
                for at in range(0, len(content), portion):
                    process.stdin.write(content[at:at + portion])
                    process.stdin.flush()
                _, error = process.communicate(timeout=60)
                self.assertEqual((0, b""), (process.returncode, error))
                self.assertEqual(digest, hashlib.sha256(self.read("piped.vmdk")).hexdigest())
                self.remove("piped.vmdk")
            for kind in "monolithicSparse", "twoGbMaxExtentFlat", "streamOptimized":
                grain = ["-g", "4K"] if kind != "twoGbMaxExtentFlat" else []
                self.done("convert", "--force", "-t", kind, *grain, "disk.img", "other.vmdk")
                self.done("convert", "-j", threads, *settings, "other.vmdk", "again.vmdk")
                self.assertEqual(digest, hashlib.sha256(self.read("again.vmdk")).hexdigest(), kind)
                self.remove("again.vmdk")


if __name__ == "__main__":
    unittest.main()
