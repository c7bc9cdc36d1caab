#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Disks of several files, and children of other disks: written, replaced, refused, taken back."""

import json
import os
import resource
import shutil
import signal
import subprocess
import time
import unittest

from program import GIB, KIB, MIB, SECTOR, ProgramTest, noise, read_descriptor

QEMU_IMG = shutil.which("qemu-img")
SPARSE, FLAT, SPLIT_FLAT = "twoGbMaxExtentSparse", "monolithicFlat", "twoGbMaxExtentFlat"
FILES = {SPARSE: ["disk-s001.vmdk", "disk.vmdk"], FLAT: ["disk-flat.vmdk", "disk.vmdk"],
         SPLIT_FLAT: ["disk-f001.vmdk", "disk.vmdk"]}


class ManyFilesTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.content = noise(300_000).ljust(2 * MIB + 3 * SECTOR, b"\0")
        self.write("source", self.content)

    def files(self):
        return sorted(name for name in os.listdir(self.folder) if name != "source")

    def assert_disk(self, image, content):
        """The program and qemu-img find this in an image, and zeros behind it."""
        back = self.done("convert", image, "-")
        self.assertEqual(content, back[:len(content)])
        self.assertFalse(back[len(content):].strip(b"\0"))
        self.assertIn(b": sound: 0 errors, 0 warnings", self.done("check", image))
        if QEMU_IMG:
            self.write("wanted", back)
            subprocess.run([QEMU_IMG, "compare", "-q", "-fraw", "-Fvmdk", "wanted", image],
                           cwd=self.folder, check=True)
            os.remove(self.path("wanted"))


class Writing(ManyFilesTest):
    def test_each_type(self):
        for kind, files in FILES.items():
            with self.subTest(kind):
                self.done("convert", "-t", kind, "source", "disk.vmdk")
                self.assertEqual(files, self.files())
                self.assert_disk("disk.vmdk", self.content)
                self.assertIn(f'createType="{kind}"', self.read("disk.vmdk").decode())
                for name in files:
                    os.remove(self.path(name))

    def test_in_another_folder(self):
        os.mkdir(self.path("to"))
        for kind, files in FILES.items():
            self.done("convert", "-t", kind, "source", "to/disk.vmdk")
            self.assertEqual(files, sorted(os.listdir(self.path("to"))))
            self.done("convert", "to/disk.vmdk", "back")
            self.assertEqual(self.content, self.read("back")[:len(self.content)])
            os.remove(self.path("back"))
            shutil.rmtree(self.path("to"))
            os.mkdir(self.path("to"))

    def test_settings(self):
        self.done("convert", "-t", SPARSE, "-g", "8K", "-o", "capacity=exact", "-o",
                  "adapterType=ide", "source", "disk.vmdk")
        said = json.loads(self.done("info", "--json", "disk.vmdk"))
        self.assertEqual((len(self.content), "ide"), (said["capacity_bytes"], said["adapter"]))

    def test_more_than_one_piece(self):
        size = 4 * GIB + 5 * SECTOR
        self.sparse("source", size, {0: noise(SECTOR), 2047 * MIB - 70_000: noise(140_000),
                                     size - SECTOR: noise(SECTOR, seed=2)})
        for kind, letter, pieces in ((SPARSE, "s", 3), (SPLIT_FLAT, "f", 3)):
            exact = ["-o", "capacity=exact"] if kind == SPARSE else []
            self.done("convert", "--force", "-t", kind, *exact, "source", "disk.vmdk")
            self.assertEqual([f"disk-{letter}00{n + 1}.vmdk" for n in range(pieces)] + ["disk.vmdk"],
                             self.files())
            self.assertEqual(b"identical\n", self.done("compare", "source", "disk.vmdk"))
            # What the set takes is little, since the disk is holes.
            taken = sum(os.stat(self.path(name)).st_blocks for name in self.files()) * SECTOR
            self.assertLess(taken, 4 * MIB)

    def test_from_a_pipe(self):
        for kind in FILES:
            self.done("convert", "--force", "-f", "raw", "--size", str(len(self.content)), "-t", kind,
                      "-", "disk.vmdk", content=self.content)
            self.assert_disk("disk.vmdk", self.content)

    def test_empty(self):
        for kind, files in FILES.items():
            self.done("create", "--force", "-t", kind, "--size", "3G", "disk.vmdk")
            planned = json.loads(self.done("layout", "--json", "-t", kind, "--capacity", "3G"))
            self.assertEqual(sorted(file["name"] for file in planned["files"]), self.files())
            for file in planned["files"]:
                self.assertEqual(file["bytes"], os.stat(self.path(file["name"])).st_size)
            self.assertEqual(sum(file["bytes"] for file in planned["files"]), planned["file_bytes"])
            said = json.loads(self.done("info", "--json", "disk.vmdk"))
            self.assertEqual((3 * GIB, []), (said["capacity_bytes"], said["problems"]))
            self.sparse("zeros", 3 * GIB, {})
            self.assertEqual(b"identical\n", self.done("compare", "zeros", "disk.vmdk"))
            os.remove(self.path("zeros"))


class Layout(ProgramTest):
    def layout(self, kind, *arguments):
        return json.loads(self.done("layout", "--json", "-t", kind, *arguments))

    def test_it_is_what_convert_writes(self):
        self.write("disk.img", noise(3 * MIB))
        for kind, stored in ((SPARSE, ["--stored", "48"]), (FLAT, []), (SPLIT_FLAT, [])):
            said = self.layout(kind, "--capacity", "3M", *stored)
            self.done("convert", "--force", "-t", kind, "disk.img", "disk.vmdk")
            for file in said["files"]:
                self.assertEqual(os.stat(self.path(file["name"])).st_size, file["bytes"])
                end = 0
                for region in file["regions"]:
                    self.assertEqual(end, region["offset_bytes"])
                    end += region["bytes"]
                self.assertEqual(file["bytes"], end)

    def test_several_pieces(self):
        said = self.layout(SPARSE, "--capacity", "5G", "--stored", "3")
        self.assertEqual((81920, 161, 3), (said["grains"], said["tables"], said["stored_grains"]))
        self.assertEqual(said["min_file_bytes"] + 3 * 64 * KIB, said["file_bytes"])
        self.assertEqual([None] * 3, [file["bytes"] for file in said["files"][:3]])
        full = self.layout(SPARSE, "--capacity", "5G", "--stored", "81920")
        self.assertEqual(full["max_file_bytes"], full["file_bytes"])
        self.assertEqual(full["file_bytes"], sum(file["bytes"] for file in full["files"]))
        flat = self.layout(SPLIT_FLAT, "--capacity", "5G")
        self.assertEqual([4193792 * SECTOR, 4193792 * SECTOR, 5 * GIB - 2 * 4193792 * SECTOR],
                         [file["bytes"] for file in flat["files"][:3]])

    def test_tables_in_front(self):
        said = self.layout("streamOptimized", "--capacity", "40M", "-o", "tables=front")
        self.assertEqual(["header", "descriptor", "directory", "tables", "grains", "end of stream"],
                         [region["name"] for region in said["files"][0]["regions"]])
        self.done("create", "-t", "streamOptimized", "-o", "tables=front", "--size", "40M", "disk.vmdk")
        self.assertEqual(said["file_bytes"], os.stat(self.path("disk.vmdk")).st_size)

    def test_exact(self):
        said = self.layout("monolithicSparse", "--capacity", "1000", "-o", "capacity=exact")
        self.assertEqual(1024, said["capacity_bytes"])

    def test_refusals(self):
        for kind, arguments, says in (
                (FLAT, ["-g", "64K"], "-g"), (FLAT, ["--stored", "1"], "--stored"),
                (FLAT, ["-o", "capacity=exact"], "-o capacity"), (SPARSE, ["-o", "tables=front"], "-o tables"),
                (SPARSE, ["-o", "CID=1"], "-o CID: means nothing for a layout"),
                (SPARSE, ["--stored", "17"], "the disk has only 16 grains"),
                (SPLIT_FLAT, ["--capacity", "9999T"], "--capacity")):
            sizes = [] if "--capacity" in arguments else ["--capacity", "1M"]
            self.refused("layout", "-t", kind, *sizes, *arguments, says=says)


class Replacing(ManyFilesTest):
    def test_old_set(self):
        """Pieces are replaced, and those that no descriptor names any more are removed."""
        for first in (*FILES, "three pieces"):
            for second in (*FILES, "monolithicSparse", "streamOptimized", "raw"):
                with self.subTest(first=first, second=second):
                    if first == "three pieces":
                        self.done("create", "-t", SPLIT_FLAT, "--size", "5G", "disk.vmdk")
                    else:
                        self.done("convert", "-t", first, "source", "disk.vmdk")
                    # Not of this set, whatever its name is like.
                    self.write("disk-s099.vmdk", b"precious")
                    before = self.listing()
                    self.refused("convert", "-t", second, "source", "disk.vmdk", says="--force")
                    self.assertEqual(before, self.listing())
                    self.done("convert", "--force", "-t", second, "source", "disk.vmdk")
                    self.assertEqual(sorted([*FILES.get(second, ["disk.vmdk"]), "disk-s099.vmdk"]),
                                     self.files())
                    for name in self.files():
                        os.remove(self.path(name))

    def test_what_a_descriptor_names_is_safe(self):
        """An old descriptor cannot have files removed that are not named after it."""
        text = "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"custom\"\n"
        names = ["letter.txt", "other-s001.vmdk", "disk-s1.vmdk", "disk-flat.txt", "diskette-s001.vmdk",
                 "source", "disk.vmdk"]
        text += "".join(f'RW 1 FLAT "{name}" 0\n' for name in [*names, "disk-flat.vmdk"])
        self.write("disk.vmdk", text.encode())
        os.mkdir(self.path("disk-flat.vmdk"))
        for name in names[:-2]:
            self.write(name, b"precious")
        self.done("convert", "--force", "-t", SPLIT_FLAT, "source", "disk.vmdk")
        for name in names[:-2]:
            self.assertEqual(b"precious", self.read(name))
        self.assertEqual(self.content, self.read("source"))
        self.assertTrue(os.path.isdir(self.path("disk-flat.vmdk")))
        self.assertEqual(self.content, self.read("disk-f001.vmdk"))

    def test_pieces_in_the_way(self):
        for kind, files in FILES.items():
            self.write(files[0], b"precious")
            self.refused("convert", "-t", kind, "source", "disk.vmdk",
                         says=[f"{files[0]}: exists already", "--force"])
            self.done("convert", "--force", "-t", kind, "source", "disk.vmdk")
            for name in self.files():
                os.remove(self.path(name))
            os.mkdir(self.path(files[0]))
            self.refused("convert", "--force", "-t", kind, "source", "disk.vmdk",
                         says=f"{files[0]}: Is a directory")
            os.rmdir(self.path(files[0]))

    def test_the_source_itself(self):
        os.rename(self.path("source"), self.path("disk-flat.vmdk"))
        self.refused("convert", "--force", "-f", "raw", "-t", FLAT, "disk-flat.vmdk", "disk.vmdk",
                     says="disk-flat.vmdk: is the source as well")
        self.done("convert", "-f", "raw", "-t", SPARSE, "disk-flat.vmdk", "disk.vmdk")
        self.refused("convert", "--force", "-t", FLAT, "disk.vmdk", "disk.vmdk",
                     says="disk.vmdk: is the source as well")
        # Other files of the source and of parents are as safe.
        shutil.copy(self.path("disk.vmdk"), self.path("copy.vmdk"))
        for kind, name in ((SPARSE, "disk-s001.vmdk"), ("monolithicSparse", "disk-s001.vmdk")):
            destination = "disk.vmdk" if kind == SPARSE else name
            self.refused("convert", "--force", "-t", kind, "copy.vmdk", destination,
                         says=f"{name}: is the source as well")
        self.done("convert", "--force", "copy.vmdk", "disk.vmdk")
        self.assertEqual(b"identical\n", self.done("compare", "copy.vmdk", "disk.vmdk"))
        shutil.copy(self.path("copy.vmdk"), self.path("disk.vmdk"))
        self.done("create", "--force", "--parent", "copy.vmdk", "disk.vmdk")
        self.assertEqual(b"identical\n", self.done("compare", "copy.vmdk", "disk.vmdk"))
        self.refused("create", "--force", "--parent", "disk.vmdk", "disk-s001.vmdk",
                     says="disk-s001.vmdk: is the parent as well")
        shutil.copy(self.path("copy.vmdk"), self.path("disk.vmdk"))
        # A piece of the old set that the new disk is made from stays.
        self.done("convert", "--force", "-f", "raw", "-t", SPARSE, "disk-s001.vmdk", "other.vmdk")
        self.done("convert", "--force", "-f", "raw", "disk-s001.vmdk", "disk.vmdk")
        self.assertTrue(os.path.exists(self.path("disk-s001.vmdk")))


class Refusals(ManyFilesTest):
    def test_arguments(self):
        for kind in FILES:
            self.refused("convert", "-t", kind, "source", "-",
                         says=[f"standard output: {kind} has several files, which need a folder"])
            self.refused("create", "-t", kind, "--size", "1M", "-", says="several files")
            self.refused("convert", "-t", kind, "-o", "name=other.vmdk", "source", "disk.vmdk",
                         says="-o name: means nothing")
            self.refused("convert", "-t", kind, "-o", "mkimg=yes", "source", "disk.vmdk",
                         says="-o mkimg")
            self.refused("convert", "-t", kind, "source", "no/disk.vmdk", says="no/disk.vmdk: ")
            named = self.refused("convert", "-t", kind, "source", 'a"b.vmdk', says='a"b.vmdk: ')
            self.assertNotIn("-o name", named.err)
            self.refused("convert", "-t", kind, "-o", "ddb.a=\x01", "source", "disk.vmdk",
                         says="-o ddb.a")
        for kind in (FLAT, SPLIT_FLAT):
            self.refused("convert", "-t", kind, "-g", "64K", "source", "disk.vmdk", says="-g: means")
            self.refused("convert", "-t", kind, "-o", "capacity=exact", "source", "disk.vmdk",
                         says="-o capacity: means nothing")

    def test_nodes(self):
        os.mkfifo(self.path("fifo"))
        os.mkdir(self.path("folder"))
        os.symlink("disk.vmdk", self.path("link.vmdk"))
        for name in ("fifo", "folder", "link.vmdk", "/dev/null"):
            for force in ([], ["--force"]):
                self.refused("convert", *force, "-t", SPARSE, "source", name, says=f"{name}: ")

    def test_write_error(self):
        """Nothing is left of a set that could not be written, and an old one stays."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (256 * KIB, 256 * KIB))
        self.write("source", noise(MIB))
        for kind, files in FILES.items():
            self.refused("convert", "-t", kind, "source", "disk.vmdk", preexec_fn=limit,
                         says=[f"{files[0]}: File too large", "(at byte 262144"])
            self.done("create", "-t", kind, "--size", "3G", "disk.vmdk")
            self.refused("convert", "--force", "-t", kind, "source", "disk.vmdk", preexec_fn=limit,
                         says=f"{files[0]}: File too large")
            for name in self.files():
                os.remove(self.path(name))

    def test_source_error(self):
        for kind in FILES:
            for size in len(self.content) + 1, len(self.content) - 1:
                self.refused("convert", "-f", "raw", "--size", str(size), "-t", kind, "-", "disk.vmdk",
                             content=self.content, says=["standard input: ", "(at byte "])

    def test_stopped(self):
        """A stopped program takes all files of the set with it."""
        for stop in (signal.SIGINT, signal.SIGTERM):
            process = self.start("convert", "-f", "raw", "--size", str(3 * GIB), "-t", SPLIT_FLAT, "-",
                                 "disk.vmdk", stdin=subprocess.PIPE)
            zeros = bytes(MIB)
            for _ in range(2050):  # Into the second piece.
                process.stdin.write(zeros)
            process.stdin.flush()
            deadline = time.monotonic() + 60
            while len(self.files()) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertEqual(2, len([name for name in self.files() if name.startswith(".disk-f00")]))
            process.send_signal(stop)
            process.communicate(timeout=60)
            self.assertEqual((-stop, []), (process.returncode, self.files()))


class Children(ManyFilesTest):
    def setUp(self):
        super().setUp()
        self.content = noise(1_000_000).ljust(2 * MIB, b"\0")
        self.write("source", self.content)

    def test_empty_child(self):
        for kind in ("monolithicSparse", "streamOptimized", *FILES):
            self.done("convert", "--force", "-t", kind, "source", "parent.vmdk")
            self.done("create", "--force", "--parent", "parent.vmdk", "child.vmdk")
            self.assert_disk("child.vmdk", self.content)
            said = json.loads(self.done("info", "--json", "child.vmdk"))
            self.assertEqual((2 * MIB, "parent.vmdk"), (said["capacity_bytes"], said["parent_file"]))
            self.assertEqual([0, said["chain"][1]["stored_bytes"]],
                             [link["stored_bytes"] for link in said["chain"]])

    def test_child_holds_what_differs(self):
        self.done("convert", "source", "parent.vmdk")
        changed = bytearray(self.content)
        changed[700_000] ^= 1
        changed[0:65536] = bytes(65536)
        self.write("changed", bytes(changed))
        self.done("convert", "--parent", "parent.vmdk", "changed", "child.vmdk")
        self.assert_disk("child.vmdk", bytes(changed))
        said = json.loads(self.done("info", "--json", "child.vmdk"))
        self.assertEqual(2 * 64 * KIB, said["chain"][0]["stored_bytes"])
        # From a pipe, and as the child of a child.
        self.done("convert", "-f", "raw", "--size", "2M", "--parent", "child.vmdk", "-",
                  "grandchild.vmdk", content=self.content)
        self.assert_disk("grandchild.vmdk", self.content)

    def test_parent_elsewhere(self):
        os.mkdir(self.path("base"))
        self.done("convert", "source", "base/parent.vmdk")
        self.done("create", "--parent", "base/parent.vmdk", "child.vmdk")
        self.assertIn('parentFileNameHint="base/parent.vmdk"',
                      read_descriptor(self.path("child.vmdk")))
        self.done("convert", "--allow-dir", "base", "child.vmdk", "back")
        self.assertEqual(self.content, self.read("back"))
        if QEMU_IMG:
            subprocess.run([QEMU_IMG, "compare", "-q", "-fraw", "-Fvmdk", "source", "child.vmdk"],
                           cwd=self.folder, check=True)

    def test_equal_names_in_two_folders(self):
        """What a parent names lies beside it, whatever else has that name beside the child."""
        for folder in ("base", "child"):
            os.mkdir(self.path(folder))
        self.write("other", noise(1_000_000)[::-1].ljust(2 * MIB, b"\0"))
        for kind in FILES:
            with self.subTest(kind):
                self.done("convert", "--force", "-t", kind, "source", "base/disk.vmdk")
                self.done("convert", "--force", "-t", kind, "other", "child/disk.vmdk")
                self.done("create", "--force", "--parent", "base/disk.vmdk", "child/disk.vmdk")
                self.done("convert", "--force", "--allow-dir", "base", "child/disk.vmdk", "back")
                self.assertEqual(self.content, self.read("back"))
                self.assertIn(b": sound: 0 errors, 0 warnings",
                              self.done("check", "--allow-dir", "base", "child/disk.vmdk"))
                # Without that folder the file would have to be its own parent.
                self.refused("convert", "--force", "child/disk.vmdk", "back", says="leads back")

    def test_refusals(self):
        self.done("convert", "source", "parent.vmdk")
        self.write("longer", self.content + bytes(SECTOR))
        self.write("shorter", bytes(MIB // 2))
        for arguments, says in (
                (["create", "--parent", "no.vmdk", "c.vmdk"], "no.vmdk: No such file"),
                (["create", "--parent", "source", "c.vmdk"], "source: "),
                (["create", "--parent", "parent.vmdk", "--size", "1M", "c.vmdk"], "parent.vmdk: has"),
                (["create", "--parent", "parent.vmdk", "-t", SPARSE, "c.vmdk"], "--parent: means"),
                (["create", "--parent", "parent.vmdk", "-o", "capacity=exact", "c.vmdk"], "-o capacity"),
                (["create", "--parent", "parent.vmdk", "-"], "--parent: means"),
                (["create", "--parent", "parent.vmdk", "-t", "monolithicSparse", "-"], "use a file"),
                (["create", "--parent", "-", "c.vmdk"], "standard input: "),
                (["create", "--parent", "parent.vmdk", "--force", "parent.vmdk"], "is the parent"),
                (["create", "c.vmdk"], "--size is missing"),
                (["convert", "--parent", "parent.vmdk", "longer", "c.vmdk"], "c.vmdk: "),
                (["convert", "--parent", "parent.vmdk", "shorter", "c.vmdk"], "c.vmdk: ")):
            with self.subTest(arguments):
                self.refused(*arguments, says=says)


if __name__ == "__main__":
    unittest.main()
