#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Damages single fields of images' metadata: wherever qemu-img then reads another disk, `check`
says that something is wrong; and `repair` leaves no fewer grains that qemu-img reads rightly, and
all of them where a copy, the markers of a stream or its other end tell how it was.

VMDK_DAMAGE_ROUNDS is the number of damages of each kind of image."""

import os
import random
import struct
import subprocess
import unittest

from support import KIB, SECTOR, ProgramTest, noise, peer

ROUNDS = int(os.environ.get("VMDK_DAMAGE_ROUNDS") or 30)
GRAIN = 8 * KIB
HEADER_FIELDS = [(0, 4), (4, 4), (8, 4), (12, 8), (20, 8), (28, 8), (36, 8), (44, 4), (48, 8),
                 (56, 8), (64, 8), (72, 1), (73, 4), (77, 2)]


def number(content, offset, width=4):
    return int.from_bytes(content[offset:offset + width], "little")


class Image:
    """A good image: its bytes, its metadata's fields, and which of them have a copy somewhere."""

    def __init__(self, content):
        self.content = content
        self.is_stream = bool(number(content, 8) & 0x10000)
        self.footer = 0
        directory = number(content, 56, 8)
        if directory == 2 ** 64 - 1:
            self.footer = len(content) - 2 * SECTOR
            directory = number(content, self.footer + 56, 8)
        self.fields = [(at, width) for at, width in HEADER_FIELDS] * 4
        if self.footer:
            self.fields += [(self.footer + at, width) for at, width in HEADER_FIELDS] * 4
        directories = [directory * SECTOR]
        if number(content, 8) & 2:
            directories.append(number(content, 48, 8) * SECTOR)
        grains = -(-number(content, 12, 8) // number(content, 20, 8))
        tables = -(-grains // 512)
        #: Fields whose loss a repair makes good, because they stand somewhere else too.
        self.told_twice = []
        for at in directories:
            for table in range(tables):
                self.told_twice.append((at + 4 * table, 4))
                place = number(content, at + 4 * table) * SECTOR
                if place:
                    used = [i for i in range(512) if number(content, place + 4 * i)]
                    self.told_twice += [(place + 4 * i, 4) for i in used]
                    self.told_twice += [(place + 4 * i, 4) for i in range(0, grains % 512, 60)]
        self.fields += self.told_twice
        if self.footer:
            end = self.footer - SECTOR
            self.told_twice += [(self.footer + at, width) for at, width in HEADER_FIELDS[:-3]]
            self.told_twice += [(end, 8), (end + 8, 4), (end + 12, 4), (self.footer + SECTOR, 4)]
            self.told_twice += [(0, 4), (4, 4), (44, 4), (56, 8)]
            self.fields += [(end, 8), (end + 8, 4), (end + 12, 4)] * 2


def damaged(content, field, random_):
    """The same with another value in a field; what lost writes and flipped bits make."""
    at, width = field
    old = number(content, at, width)
    bits = 8 * width
    new = old
    while new == old:
        new = random_.choice([0, 1, old + 1, old - 1, old ^ 1 << random_.randrange(bits), 2 ** bits - 1,
                              random_.getrandbits(bits), old + 16, old - 16,
                              random_.getrandbits(bits) >> random_.randrange(bits)]) % 2 ** bits
    return content[:at] + new.to_bytes(width, "little") + content[at + width:]


class Damage(ProgramTest):
    def setUp(self):
        super().setUp()
        self.disk = b"".join(noise(GRAIN, seed) if seed in (0, 2, 3, 100, 511, 600, 1099) else
                             bytes(GRAIN) for seed in range(1100))
        self.write("disk.img", self.disk)
        self.counts = {}

    def make(self, *options):
        self.done("convert", "--force", "-g", "8K", *options, "disk.img", "good.vmdk")
        return self.read("good.vmdk")

    def images(self):
        yield "sparse", self.make()
        zeroed = bytearray(self.make())
        struct.pack_into("<II", zeroed, 4, 2, 7)
        for directory in (48, 56):
            table = number(zeroed, number(zeroed, directory, 8) * SECTOR) * SECTOR
            for entry in (1, 7, 500):
                struct.pack_into("<I", zeroed, table + 4 * entry, 1)
        yield "zeroed grains", bytes(zeroed)
        yield "stream", self.make("-t", "streamOptimized")
        yield "stream, tables in front", self.make("-t", "streamOptimized", "-o", "tables=front")
        # qemu's own has two copies of the tables and no end.
        peer("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized",
             "disk.img", "good.vmdk", folder=self.folder)
        yield "qemu's stream", self.read("good.vmdk")

    def qemu_reads(self, content):
        """The disk as qemu-img reads it, or None."""
        self.write("damaged.vmdk", content)
        with open(self.path("damaged.img"), "wb"):
            pass
        try:
            done = subprocess.run(["qemu-img", "convert", "-f", "vmdk", "-O", "raw", "damaged.vmdk",
                                   "damaged.img"], cwd=self.folder, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=20, check=False)
        except subprocess.TimeoutExpired:
            return None
        if done.returncode or os.path.getsize(self.path("damaged.img")) > len(self.disk) * 4:
            return None
        return self.read("damaged.img")

    def right_grains(self, disk):
        """How many grains are what they were; 0 for a disk that is not read."""
        disk = disk or b""
        return sum(disk[at:at + GRAIN] == self.disk[at:at + GRAIN]
                   for at in range(0, min(len(disk), len(self.disk)), GRAIN))

    def try_one(self, what, content, must_be_good):
        before = self.qemu_reads(content)
        harmful = before is None or before[:len(self.disk)] != self.disk
        checked = self.run_program("check", "damaged.vmdk")
        self.assertIn(checked.status, (0, 1, 2), what)
        self.counts["damages"] += 1
        self.counts["harmful"] += harmful
        self.counts["reported"] += harmful and checked.status == 1
        if harmful:
            self.assertEqual(1, checked.status, what)
        if checked.status == 0:
            return
        result = self.run_program("repair", "damaged.vmdk")
        if result.status == 2:
            self.counts["refused"] += 1
            self.assertEqual(content, self.read("damaged.vmdk"), what)
            self.assertFalse(must_be_good, (what, result.err))
            return
        after = self.qemu_reads(self.read("damaged.vmdk"))
        self.assertGreaterEqual(self.right_grains(after), self.right_grains(before), what)
        is_good = after is not None and after[:len(self.disk)] == self.disk
        self.counts["repaired"] += is_good and result.status == 0
        if must_be_good:
            self.assertEqual((True, 0), (is_good, result.status), (what, result.out.decode()))

    def test_fields(self):
        for name, content in self.images():
            with self.subTest(name):
                self.assertEqual(self.disk, self.qemu_reads(content)[:len(self.disk)])
                self.assertEqual(0, self.run_program("check", "damaged.vmdk").status)
                self.counts = dict(damages=0, harmful=0, reported=0, repaired=0, refused=0)
                image = Image(content)
                random_ = random.Random(name)
                for turn in range(ROUNDS):
                    told_twice = turn % 2 == 0
                    field = random_.choice(image.told_twice if told_twice else image.fields)
                    self.try_one((name, turn, field), damaged(content, field, random_), told_twice)
                print(name + ":", ", ".join(f"{n} {what}" for what, n in self.counts.items()))

    def test_cut_streams(self):
        for name, content in self.images():
            if "stream" not in name:
                continue
            random_ = random.Random(name)
            first = number(content, 64, 8) * SECTOR
            grain = number(content, 20, 8) * SECTOR
            for turn in range(max(ROUNDS // 4, 6)):
                cut = random_.randrange(first, len(content))
                self.write("damaged.vmdk", content[:cut])
                self.assertIn(self.run_program("repair", "damaged.vmdk").status, (0,), (name, cut))
                wanted = bytearray(self.disk)
                at = first
                while at + 12 <= len(content):
                    lba, size = struct.unpack_from("<QI", content, at)
                    if size == 0:
                        at += SECTOR * (1 + number(content, at, 8))
                        continue
                    if at + 12 + size > cut:
                        end = min(lba * SECTOR + grain, len(wanted))
                        wanted[lba * SECTOR:end] = bytes(end - lba * SECTOR)
                    at += -(-(12 + size) // SECTOR) * SECTOR
                read = self.qemu_reads(self.read("damaged.vmdk"))
                self.assertEqual(bytes(wanted), read and read[:len(wanted)], (name, cut))
                self.assertEqual(0, self.run_program("check", "damaged.vmdk").status, (name, cut))


if __name__ == "__main__":
    unittest.main()
