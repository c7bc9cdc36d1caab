#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Streams: written and read, in files and through pipes, with each codec."""

import json
import os
import shutil
import subprocess
import time
import unittest

from program import GIB, MIB, PROGRAM, SECTOR, ProgramTest, noise, read_descriptor, read_header

QEMU_IMG = shutil.which("qemu-img")
SEVEN_ZIP = shutil.which("7zz") or shutil.which("7z")


def disk_content():
    """Text, noise, zeros inside a grain, whole grains of zeros, and an end inside a grain."""
    content = bytearray(3 * MIB + 5 * SECTOR)
    content[:100_000] = noise(100_000)
    content[MIB:MIB + 300_000] = (b"a line of text\n" * 20_000)
    content[-SECTOR:] = noise(SECTOR, seed=2)
    return bytes(content)


class Streams(ProgramTest):
    def setUp(self):
        super().setUp()
        self.content = disk_content()
        self.write("disk.img", self.content)

    def stream(self, *arguments):
        self.done("convert", "--force", "-t", "streamOptimized", *arguments, "disk.img", "disk.vmdk")
        return self.read("disk.vmdk")

    def check_readers(self):
        """Ours, in a file and from a pipe, qemu-img's and 7-Zip's."""
        self.assertRegex(self.done("compare", "disk.img", "disk.vmdk"), rb"\Aidentical\b")
        self.assertRegex(self.done("check", "disk.vmdk"), rb"(?m)^disk\.vmdk: sound: 0 errors")
        back = self.done("convert", "-f", "vmdk", "-", "-", content=self.read("disk.vmdk"))
        self.assertEqual(self.content, back[:len(self.content)])
        self.assertFalse(back[len(self.content):].strip(b"\0"))
        if QEMU_IMG:
            subprocess.run([QEMU_IMG, "compare", "-q", "-fraw", "-Fvmdk", "disk.img", "disk.vmdk"],
                           cwd=self.folder, check=True)
        if SEVEN_ZIP and read_header(self.path("disk.vmdk")).directory == 2**64 - 1:
            out = subprocess.run([SEVEN_ZIP, "x", "-tvmdk", "-so", "disk.vmdk"], cwd=self.folder,
                                 check=True, capture_output=True).stdout
            self.assertEqual(back, out)

    def test_codecs_and_levels(self):
        for codec, levels in (("builtin", "069"), ("stored", ""), ("zlib", "19"),
                              ("libdeflate", ("1", "12"))):
            for level in (None, *levels):
                with self.subTest(codec=codec, level=level):
                    chosen = ["--codec", codec] + (["-l", level] if level else [])
                    self.stream(*chosen)
                    self.check_readers()
                    for reader in ("builtin", "stored", "zlib", "libdeflate"):
                        self.done("convert", "--force", "--codec", reader, "disk.vmdk", "back.img")
                        self.assertEqual(self.content,
                                         self.read("back.img")[:len(self.content)])

    def test_default_is_libdeflate_5(self):
        self.assertEqual(self.stream(), self.stream("--codec", "libdeflate", "-l", "5"))
        self.assertLess(len(self.stream()), len(self.stream("-l", "1")) + 1)

    def test_grains_and_tables(self):
        for grain in ("8K", "64K", "512K"):
            for tables in ("end", "front"):
                with self.subTest(grain=grain, tables=tables):
                    self.stream("-g", grain, "-o", f"tables={tables}")
                    self.check_readers()

    def test_any_number_of_threads(self):
        wanted = self.stream("-j", "1")
        for threads in ("2", "7"):
            self.assertEqual(wanted, self.stream("-j", threads))
            # From a compressed source, whose grains are expanded by the threads.
            self.done("convert", "--force", "-t", "streamOptimized", "-j", threads, "-o",
                      "capacity=exact", "-o", "name=disk.vmdk", "disk.vmdk", "again.vmdk")
            self.assertEqual(wanted, self.read("again.vmdk"))
            self.done("convert", "--force", "-j", threads, "disk.vmdk", "back.img")
            self.assertEqual(self.content, self.read("back.img")[:len(self.content)])
            back = self.done("convert", "-f", "vmdk", "-j", threads, "-t", "raw", "-", "-",
                             content=wanted)
            self.assertEqual(self.content, back[:len(self.content)])

    def test_pipes(self):
        wanted = self.stream()
        self.assertEqual(wanted, self.done("convert", "-t", "streamOptimized", "disk.img", "-"))
        # A pipe cannot be read twice for its id, so the id is another; the content is not.
        out = self.done("convert", "-f", "raw", "--size", str(len(self.content)), "-t",
                        "streamOptimized", "-", "-", content=self.content)
        self.write("piped.vmdk", out)
        self.assertRegex(self.done("compare", "disk.img", "piped.vmdk"), rb"\Aidentical\b")
        given = ["-o", "CID=12345678"]
        self.assertEqual(self.stream(*given),
                         self.done("convert", "-f", "raw", "--size", str(len(self.content)), *given,
                                   "-t", "streamOptimized", "-", "-", content=self.content))

    def test_stream_from_a_pipe_to_each_type(self):
        stream = self.stream("-o", "capacity=exact")
        for name in ("raw.img", "sparse.vmdk"):
            self.done("convert", "-f", "vmdk", "-", name, content=stream)
            self.assertRegex(self.done("compare", "disk.img", name), rb"\Aidentical\b")
        for grain in ("4K", "1M"):
            self.done("convert", "--force", "-f", "vmdk", "-t", "streamOptimized", "-g", grain, "-",
                      "again.vmdk", content=stream)
            self.assertRegex(self.done("compare", "disk.img", "again.vmdk"), rb"\Aidentical\b")
        self.assertEqual(self.content, self.read("raw.img"))

    def test_descriptor(self):
        self.stream()
        text = read_descriptor(self.path("disk.vmdk"))
        self.assertIn('createType="streamOptimized"', text.splitlines())
        self.assertIn('RDONLY 6272 SPARSE "disk.vmdk"', text.splitlines())

    def test_holes_stay_holes(self):
        self.sparse("disk.img", GIB, {0: noise(4096), GIB - 1: b"x"})
        self.stream()
        self.done("convert", "disk.vmdk", "back.img")
        with open(self.path("disk.vmdk"), "rb") as file:
            self.done("convert", "-f", "vmdk", "-", "piped.img", stdin=subprocess.PIPE,
                      content=file.read())
        for name in ("back.img", "piped.img"):
            self.assertLess(os.stat(self.path(name)).st_blocks * SECTOR, MIB)
            self.assertEqual(b"identical\n", self.done("compare", "disk.img", name))


class Refusals(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("disk.img", noise(200_000).ljust(MIB, b"\0"))

    def test_arguments(self):
        for arguments, says in ((["--codec", "lzma"], "--codec lzma: is no known codec"),
                                (["--codec", "zlib", "-l", "10"], "-l 10: is too much for zlib"),
                                (["--codec", "stored", "-l", "1"], "-l 1: is too much for stored"),
                                (["-o", "mkimg=yes"], "-o mkimg")):
            self.refused("convert", "-t", "streamOptimized", *arguments, "disk.img", "disk.vmdk",
                         says=says)
        self.refused("convert", "-t", "streamOptimized", "-o", "tables=front", "disk.img", "-",
                     says="-o tables=front: needs a file")
        self.refused("convert", "-j", "2", "disk.img", "disk.vmdk", says="-j: means nothing here")

    def test_pipe_that_is_no_stream(self):
        self.done("convert", "disk.img", "disk.vmdk")
        self.refused("convert", "-f", "vmdk", "-", "back.img", content=self.read("disk.vmdk"),
                     says="standard input: is a pipe, and a VMDK of this type")
        self.refused("convert", "-f", "vmdk", "-", "back.img", content=noise(4096),
                     says="standard input: ")
        self.refused("convert", "-f", "vmdk", "-", "back.img", content=b"", says="standard input: ")

    def test_descriptor_that_makes_a_stream_no_disk(self):
        """What a file is refused for, a pipe is too."""
        self.write("disk.img", disk_content())
        self.done("convert", "-t", "streamOptimized", "disk.img", "disk.vmdk")
        good = self.read("disk.vmdk")
        for old, new, says in (
                (b"parentCID=ffffffff", b"parentCID=12345678", ": is a pipe, and the disk has a parent"),
                (b"RDONLY", b"NOACCESS", ": the descriptor forbids access to an extent"),
                (b"encoding=\"UTF-8\"", b"encryptionKeys=\"x\"", ": the disk is encrypted (at byte "),
                (b"version=1", b"version=9", ": the descriptor")):
            with self.subTest(new):
                at = good.index(old)
                end = good.index(b"\0", at)
                text = new + good[at + len(old):end]
                bad = good[:at] + text + good[at + len(text):]
                self.refused("convert", "--force", "-f", "vmdk", "-", "out.img", content=bad,
                             says="standard input" + says)
                self.write("bad.vmdk", bad)
                self.refused("convert", "--force", "bad.vmdk", "out.img", says="bad.vmdk: ")

    def test_stream_that_is_cut_or_goes_on(self):
        self.done("convert", "-t", "streamOptimized", "disk.img", "disk.vmdk")
        stream = self.read("disk.vmdk")
        for damaged in (stream[:-SECTOR], stream[:len(stream) // 2], stream + b"x" * SECTOR,
                        stream[:70_000] + b"damage" + stream[70_006:]):
            for destination in ("back.img", "back.vmdk"):
                self.refused("convert", "-f", "vmdk", "-", destination, content=damaged,
                             says=["standard input: ", "(at byte "])


class Memory(ProgramTest):
    """Peak memory is the directory and a constant, and nothing lies in a file meanwhile."""

    LIMIT_KIB = 32 * 1024

    def watch(self, arguments, source):
        """Runs the program to its end with a file on a pipe. Returns the peak of its memory, and
        the files that it had open."""
        with subprocess.Popen(["cat", source], stdout=subprocess.PIPE) as cat:
            process = self.start(*arguments, stdin=cat.stdout, stdout=subprocess.DEVNULL,
                                 env={**os.environ, "TMPDIR": self.folder})
            cat.stdout.close()
            peak_kib, files = 0, set()
            while process.poll() is None:
                try:
                    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                        # The program's own peak, which getrusage would mix with that of its parent.
                        peak_kib = max([peak_kib, *(int(line.split()[1]) for line in status
                                                    if line.startswith("VmHWM:"))])
                    folder = f"/proc/{process.pid}/fd"
                    files.update(os.readlink(f"{folder}/{name}") for name in os.listdir(folder))
                except OSError:
                    pass  # It has ended meanwhile.
                time.sleep(0.01)
            _, error = process.communicate()
        self.assertEqual((0, b""), (process.returncode, error))
        self.assertGreater(peak_kib, 0)
        places = (self.folder + "/", "/tmp/", "/var/tmp/", "/dev/shm/")
        return peak_kib, {name for name in files - {self.folder}
                          if name.startswith(places) or name.endswith("(deleted)")}

    def test_a_sparse_disk_through_pipes(self):
        has_sanitizers = "asan" in os.path.realpath(PROGRAM)
        size = GIB // 4 if has_sanitizers else 8 * GIB
        self.sparse("disk.img", size, {n * size // 100: noise(200_000, n) for n in range(100)})
        peak_kib, files = self.watch(["convert", "-f", "raw", "--size", str(size), "-t",
                                      "streamOptimized", "-j", "4", "-", "-"], self.path("disk.img"))
        self.assertEqual(set(), files)
        self.assertEqual(["disk.img"], os.listdir(self.folder))
        self.done("convert", "-t", "streamOptimized", "disk.img", "disk.vmdk")
        back_kib, files = self.watch(["convert", "-f", "vmdk", "-t", "raw", "-j", "4", "-", "back.img"],
                                     self.path("disk.vmdk"))
        self.assertTrue(files and all("/back.img" in name or "/.back.img." in name
                                      for name in files), files)
        self.assertEqual(b"identical\n", self.done("compare", "disk.img", "back.img"))
        if not has_sanitizers:
            self.assertLess(max(peak_kib, back_kib), self.LIMIT_KIB)


class Layout(ProgramTest):
    def layout(self, *arguments):
        return json.loads(self.done("layout", "--json", "-t", "streamOptimized", *arguments))

    def test_empty_disk(self):
        said = self.layout("--capacity", "40M")
        self.assertEqual(128 * SECTOR + 5 * SECTOR, said["file_bytes"])
        self.assertEqual(["header", "descriptor", "padding", "grains and tables", "directory marker",
                          "directory", "footer marker", "footer", "end of stream"],
                         [region["name"] for region in said["files"][0]["regions"]])
        self.done("create", "-t", "streamOptimized", "--size", "40M", "disk.vmdk")
        self.assertEqual(said["file_bytes"], os.stat(self.path("disk.vmdk")).st_size)

    def test_bounds(self):
        said = self.layout("--capacity", "1M", "--stored", "16")
        self.assertIsNone(said["file_bytes"])
        self.write("disk.img", noise(MIB))
        self.done("convert", "-t", "streamOptimized", "disk.img", "disk.vmdk")
        self.assertLessEqual(os.stat(self.path("disk.vmdk")).st_size, said["max_file_bytes"])
        self.assertLess(said["min_file_bytes"], said["max_file_bytes"])
        self.assertIn(b"as the grains compress",
                      self.done("layout", "-t", "streamOptimized", "--capacity", "1M", "--stored", "1"))
        self.refused("layout", "-t", "streamOptimized", "--capacity", "1M", "--stored", "17",
                     says="the disk has only 16 grains")


if __name__ == "__main__":
    unittest.main()
