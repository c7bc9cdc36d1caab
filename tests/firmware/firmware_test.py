#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The firmware writes and reads images on emulated microcontrollers, without a library. Run from
the root of the project."""

import collections
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path[:0] = [os.path.join(os.getcwd(), "tests", "cli"),
                os.path.join(os.getcwd(), "examples", "firmware")]
import build
from program import KIB, MIB, ProgramTest, noise

PATIENCE_SECONDS = 240

# The emulator, and where the machine has its memory chips.
Board = collections.namedtuple("Board", "emulator chips")
MPS2_CHIPS = (0x21000000, 0x21800000)
BOARDS = {
    "cortex-m0": Board(("qemu-system-arm", "-machine", "mps2-an385"), MPS2_CHIPS),
    "cortex-m4": Board(("qemu-system-arm", "-machine", "mps2-an386"), MPS2_CHIPS),
    "riscv32": Board(("qemu-system-riscv32", "-machine", "virt", "-bios", "none", "-m", "64"),
                     (0x81000000, 0x81800000)),
}

SUPPLIED = {"memcpy", "memmove", "memset", "memcmp"}
# What the compiler calls for 64-bit shifts and products, 32-bit quotients and switches.
HELPERS = {"__aeabi_llsl", "__aeabi_llsr", "__aeabi_lasr", "__aeabi_lmul", "__aeabi_uidiv",
           "__aeabi_uidivmod", "__gnu_thumb1_case_uqi", "__gnu_thumb1_case_uhi"}

# On a Cortex-M0, in bytes: of code and constants; of memory, stack included; and of stack. What is
# read goes through a block of the job's own.
BLOCK = 512
Bound = collections.namedtuple("Bound", "code memory stack")
BOUNDS = {
    "read_sparse": Bound(6 * KIB, 2560 + BLOCK, 1536),
    "read_stream": Bound(10 * KIB, (64 + 8) * KIB, 1536),
    "write_stored": Bound(6 * KIB, 22 * KIB, 1536),
}

CHIP_HEAD = 16


def generated_disk():
    """What board.cc generates."""
    def word(number):
        if number >> 14 & 15:
            return 0
        mixed = (number ^ number >> 15) * 0x2C1B3C6D & 0xFFFFFFFF
        return (number >> 4, 0x20202020 | number & 7, mixed ^ mixed >> 12, 0)[number >> 10 & 3]

    size = 17 * MIB // 4
    disk = bytearray(size)
    for mib in range(0, size, MIB):
        words = (word(number) for number in range(mib // 4, (mib + 64 * KIB) // 4))
        disk[mib:mib + 64 * KIB] = struct.pack("<16384I", *words)
    return bytes(disk)


def undefined(path):
    listing = build.run("nm", "--undefined-only", "--demangle", path)
    return {line.split(maxsplit=1)[1] for line in listing.splitlines()}


def sizes(path):
    """The bytes of code and constants, and of memory."""
    text, data, bss = build.run("size", path).splitlines()[1].split()[:3]
    return int(text) + int(data), int(data) + int(bss)


class Firmware(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.objects = {}
        for processor in BOARDS:
            cls.objects[processor] = tempfile.mkdtemp()
            cls.addClassCleanup(shutil.rmtree, cls.objects[processor])
            build.build(processor, cls.object_of(processor, "firmware.elf"),
                        cls.objects[processor])

    @classmethod
    def object_of(cls, processor, name):
        return os.path.join(cls.objects[processor], name)

    def boot(self, processor, *chips):
        """Runs the firmware with these images in its chips; returns the exit status and what it
        says: job -> (error, place, bytes of stack). What the ports sent is in port1 to port4."""
        board = BOARDS[processor]
        command = [*board.emulator, "-nodefaults", "-display", "none", "-semihosting-config",
                   "enable=on,target=native", "-kernel", self.object_of(processor, "firmware.elf")]
        if "arm" in board.emulator[0]:
            for port in range(5):
                command += ["-serial", f"file:port{port}"]
        for address, name in zip(board.chips, chips):
            size = os.path.getsize(self.path(name))
            command += ["-device", f"loader,addr={address},data={size},data-len=4",
                        "-device", f"loader,addr={address + CHIP_HEAD},file={name},force-raw=on"]
        done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=PATIENCE_SECONDS, check=False)
        said = [line.split() for line in self.read("port0").decode().splitlines()]
        return done.returncode, {line[0]: tuple(map(int, line[1:])) for line in said}

    def qemu_img(self, *arguments):
        return build.run("qemu-img", arguments[0], *arguments[1:])

    def raw(self, name):
        self.qemu_img("convert", "-f", "vmdk", "-O", "raw", self.path(name), self.path("raw"))
        return self.read("raw")

    def assert_within(self, bound, job, stack):
        code, memory = sizes(self.object_of("cortex-m0", job + ".o"))
        self.assertLess(0, stack, job)
        self.assertLessEqual(stack, bound.stack, job)
        self.assertLessEqual(code, bound.code, job)
        self.assertLessEqual(memory + stack, bound.memory, job)

    def write_chips(self):
        """A disk in three images; one grain is a hole. QEMU's program puts the tables of a stream in
        front, ours puts them behind the grains."""
        disk = noise(100 * KIB) + bytes(92 * KIB) + b"chip" * (16 * KIB) + bytes(KIB)
        self.write("disk", disk)
        for name, kind in (("sparse", "monolithicSparse"), ("stream", "streamOptimized")):
            self.qemu_img("convert", "-f", "raw", "-O", "vmdk", "-o", f"subformat={kind}",
                          self.path("disk"), self.path(name))
        self.done("convert", "-t", "streamOptimized", "-f", "raw", "-o", "capacity=exact", "disk",
                  "own_stream")
        return disk

    def test_images(self):
        disk = self.write_chips()
        generated = generated_disk()
        self.write("generated", generated)
        self.done("convert", "-g", "8K", "-o", "name=disk.vmdk", "generated", "sparse.vmdk")
        self.done("convert", "-t", "streamOptimized", "-g", "8K", "--codec", "stored",
                  "-o", "name=disk.vmdk", "-o", "CID=1f0dface", "generated", "stored.vmdk")
        for processor in BOARDS:
            stream = "stream" if processor == "cortex-m4" else "own_stream"
            status, said = self.boot(processor, "sparse", stream)
            self.assertEqual((0, set(build.JOBS)), (status, set(said)), said)
            for job, (error, _, stack) in said.items():
                self.assertEqual(0, error, job)
                if processor == "cortex-m0" and job in BOUNDS:
                    self.assert_within(BOUNDS[job], job, stack)
            # The same bytes as on a host, and what another program takes them for.
            self.assertTrue(self.read("port1") == self.read("sparse.vmdk"), processor)
            self.assertTrue(self.read("port2") == self.read("stored.vmdk"), processor)
            for port in ("port1", "port2", "port3"):
                self.qemu_img("check", "-f", "vmdk", self.path(port))
                self.assertTrue(self.raw(port) == generated, (processor, port))
            self.assertLess(2 * len(self.read("port3")), len(self.read("port2")))
            self.assertTrue(self.read("port4") == disk + disk, processor)

    def test_damaged_images(self):
        self.write_chips()
        sparse, stream = bytearray(self.read("sparse")), bytearray(self.read("stream"))
        sparse[4] = 9  # A version that does not exist.
        stream[64 * KIB + 100] ^= 1  # In the first grain.
        self.write("sparse", sparse)
        self.write("stream", stream)
        status, said = self.boot("cortex-m0", "sparse", "stream")
        self.assertEqual(1, status)
        self.assertEqual((103, 4), said["read_sparse"][:2])
        self.assertIn(said["read_stream"][0], range(400, 412))
        self.assertEqual(0, said["write_stored"][0])

    def test_undefined_symbols(self):
        for processor in BOARDS:
            for job in build.JOBS:
                wanted = undefined(self.object_of(processor, job + ".o"))
                own = {name for name in wanted if name.startswith("board::")}
                self.assertTrue(own)
                self.assertEqual(set(), wanted - own - SUPPLIED - HELPERS, (processor, job))

    def test_undefined_symbols_of_a_planted_offence(self):
        self.write("planted.cc", b"long long f(long long a, long long b) { return a / b; }\n")
        build.compile_object("cortex-m0", self.path("planted.cc"), self.path("planted.o"))
        self.assertEqual({"__aeabi_ldivmod"}, undefined(self.path("planted.o")) - HELPERS)


if __name__ == "__main__":
    unittest.main()
