#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `vmdk info`, `layout`, `compare` and the helps print."""

import json
import os
import re
import unittest

from program import GIB, KIB, MIB, SECTOR, TIB, ProgramTest, noise

INFO_KEYS = ["file", "type", "capacity_bytes", "stored_bytes", "file_bytes", "header", "cid",
             "parent_cid", "parent_file", "adapter", "geometry", "extents", "ddb", "chain",
             "problems"]
HEADER_KEYS = ["version", "flags", "grain_bytes", "grains", "tables", "overhead_sectors",
               "descriptor_sector", "descriptor_sectors", "directory_sector",
               "redundant_directory_sector", "tables_at_end", "compressed", "unclean_shutdown"]
LAYOUT_KEYS = ["type", "capacity_bytes", "grain_bytes", "grains", "tables", "stored_grains",
               "file_bytes", "min_file_bytes", "max_file_bytes", "files"]
REGION_KEYS = ["name", "first_sector", "sectors", "offset_bytes", "bytes"]


def declared_options():
    """The options that each command takes, as its parser is told."""
    with open("examples/cli/arguments.cc", encoding="utf-8") as file:
        bodies = re.findall(r"^void declare_(\w+)\(.*?\{\n(.*?)^\}", file.read(),
                            re.MULTILINE | re.DOTALL)
    return {command: re.findall(r"(?<=[\",])--?[A-Za-z][\w-]*", body) for command, body in bodies}


class Info(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("disk.img", noise(200_000).ljust(5 * MIB, b"\0"))

    def info(self, name, *arguments):
        return json.loads(self.done("info", "--json", *arguments, name))

    def test_sparse(self):
        self.done("convert", "-o", "CID=12345678", "disk.img", "disk.vmdk")
        said = self.info("disk.vmdk")
        self.assertEqual(INFO_KEYS, list(said))
        self.assertEqual(HEADER_KEYS, list(said["header"]))
        self.assertEqual(
            ("disk.vmdk", "monolithicSparse", 5 * MIB, 4 * 64 * KIB, "12345678", None, None,
             "lsilogic", []),
            tuple(said[key] for key in ("file", "type", "capacity_bytes", "stored_bytes", "cid",
                                        "parent_cid", "parent_file", "adapter", "problems")))
        self.assertEqual(os.stat(self.path("disk.vmdk")).st_size, said["file_bytes"])
        self.assertEqual([{"access": "RW", "type": "SPARSE", "bytes": 5 * MIB, "file": "disk.vmdk",
                           "offset_bytes": 0}], said["extents"])
        self.assertEqual([{"file": "disk.vmdk", "cid": "12345678", "stored_bytes": 4 * 64 * KIB}],
                         said["chain"])
        self.assertEqual({"cylinders": 5, "heads": 64, "sectors": 32}, said["geometry"])
        self.assertEqual((1, 3, 65536, 80, 1, 128, 1, 20, 26, 21, False, False, False),
                         tuple(said["header"].values()))

    def test_text(self):
        self.done("convert", "disk.img", "disk.vmdk")
        text = self.done("info", "disk.vmdk").decode()
        for line in (r"^disk\.vmdk: VMDK, monolithicSparse$",
                     r"^  capacity +5242880 bytes \(5 MiB\)$",
                     r"^  stored +262144 bytes \(256 KiB\), 5\.0 %$", r"^  grain +64 KiB, 80 in all$",
                     r"^  header +version 1, flags 0x3 \(newline bytes, redundant tables\)",
                     r"^  parent +none$", r"^  adapter +lsilogic$",
                     r'^  extent +RW SPARSE, 5 MiB, "disk\.vmdk"$'):
            self.assertRegex(text, re.compile(line, re.MULTILINE))

    def test_any_name(self):
        self.done("convert", "disk.img", "disk.vmdk")
        os.rename(self.path("disk.vmdk"), self.path("renamed"))
        self.assertEqual("monolithicSparse", self.info("renamed")["type"])
        with open(self.path("renamed"), "rb") as file:
            self.assertEqual("standard input",
                             json.loads(self.done("info", "--json", "-", stdin=file))["file"])

    def test_descriptor_and_its_extents(self):
        text = ('# Disk DescriptorFile\nversion=1\nCID=00000001\nparentCID=ffffffff\n'
                'createType="twoGbMaxExtentFlat"\n\nRW 8 FLAT "a-f001.vmdk" 0\n'
                'RW 8 ZERO\n\nddb.adapterType = "ide"\nddb.comment = "\x1b[31m"\n')
        self.write("a.vmdk", text.replace("\x1b", "").encode())
        said = self.info("a.vmdk")
        self.assertEqual(8192, said["capacity_bytes"])
        self.assertEqual(["FLAT", "ZERO"], [extent["type"] for extent in said["extents"]])
        self.assertIsNone(said["stored_bytes"])
        self.assertEqual("a.vmdk", said["problems"][0]["file"])
        self.assertIn("a-f001.vmdk", said["problems"][0]["text"])
        os.mkdir(self.path("extents"))
        self.write("extents/a-f001.vmdk", noise(4096))
        said = self.info("a.vmdk", "--allow-dir", "extents")
        self.assertEqual(([], 4096), (said["problems"], said["stored_bytes"]))
        # What a file says never reaches the terminal as it is.
        self.write("a.vmdk", text.replace("a-f001", "a-\x7f").encode())
        shown = self.run_program("info", "a.vmdk")
        self.assertNotIn(b"\x1b", shown.out + shown.err.encode())
        self.assertNotIn(b"\x7f", shown.out + shown.err.encode())

    def test_damaged_tables(self):
        self.done("convert", "disk.img", "disk.vmdk")
        good = self.read("disk.vmdk")
        self.write("disk.vmdk", good[:27 * SECTOR] + b"\0\0\0\x7f" + good[27 * SECTOR + 4:])
        said = self.info("disk.vmdk")
        self.assertIsNone(said["stored_bytes"])
        self.assertIn("(at byte 13824, in sector 27)", said["problems"][0]["text"])


class Layout(ProgramTest):
    KNOWN = (  # bytes, grain: grains, tables, RGD, RGTs, GD, GTs, overhead, least and most bytes
        (77138 * SECTOR, "64K", 603, 2, 21, 22, 30, 31, 128, 65536, 39583744),
        (SECTOR, "64K", 1, 1, 21, 22, 26, 27, 128, 65536, 131072),
        (2 * MIB, "4K", 512, 1, 21, 22, 26, 27, 32, 16384, 2113536),
        (64 * GIB, "64K", 1048576, 2048, 21, 37, 8229, 8245, 16512, 8454144, 68727930880),
        (2 * TIB, "64K", 33554432, 65536, 21, 533, 262677, 263189, 525440, 269025280, None))

    def test_known_answers(self):
        for size, grain, *wanted in self.KNOWN:
            said = json.loads(self.done("layout", "--json", "-t", "monolithicSparse", "--capacity",
                                        str(size), "-g", grain))
            self.assertEqual(LAYOUT_KEYS, list(said))
            regions = {}
            end = 0
            for region in said["files"][0]["regions"]:
                self.assertEqual(REGION_KEYS, list(region))
                self.assertEqual(end, region["first_sector"])
                self.assertEqual(region["first_sector"] * SECTOR, region["offset_bytes"])
                self.assertEqual(region["sectors"] * SECTOR, region["bytes"])
                end = region["first_sector"] + region["sectors"]
                regions[region["name"]] = region["first_sector"]
            self.assertEqual(wanted, [
                said["grains"], said["tables"], regions["redundant directory"],
                regions["redundant tables"], regions["directory"], regions["tables"],
                regions["grains"], said["min_file_bytes"], said["max_file_bytes"]])

    def test_stored(self):
        said = json.loads(self.done("layout", "--json", "-t", "monolithicsparse", "--capacity", "1G",
                                    "--stored", "100"))
        self.assertEqual(said["min_file_bytes"] + 100 * 65536, said["file_bytes"])
        self.assertEqual(100 * 65536, said["files"][0]["regions"][-1]["bytes"])

    def test_text(self):
        text = self.done("layout", "-t", "monolithicSparse", "--capacity", "64G").decode()
        self.assertRegex(text, r"(?m)^capacity +68719476736 bytes \(64 GiB\)$")
        self.assertRegex(text, r"(?m)^  redundant tables +37 +8192 +18944 +4194304$")
        text = self.done("layout", "-t", "monolithicSparse", "--capacity", "2T").decode()
        self.assertRegex(text, r"(?m)^at most +more than ")

    def test_it_is_what_convert_writes(self):
        self.write("disk.img", noise(3 * MIB))
        self.done("convert", "disk.img", "disk.vmdk")
        said = json.loads(self.done("layout", "--json", "-t", "monolithicSparse", "--capacity", "3M",
                                    "--stored", "48"))
        self.assertEqual(os.stat(self.path("disk.vmdk")).st_size, said["file_bytes"])


class Compare(ProgramTest):
    def compare(self, *arguments):
        result = self.run_program("compare", *arguments)
        self.assertEqual("", result.err)
        return result.status, result.out.decode()

    def test_first_difference(self):
        content = noise(MIB)
        self.write("a.img", content)
        for offset in (0, 1, 4095, 262_143, 262_144, 262_145, 700_001, MIB - 1):
            changed = bytearray(content)
            changed[offset] ^= 1
            changed[MIB - 1] ^= 1 if offset < MIB - 1 else 0
            self.write("b.img", bytes(changed))
            wanted = (1, f"different: at byte {offset}, in sector {offset // SECTOR}\n")
            self.assertEqual(wanted, self.compare("a.img", "b.img"))
            self.assertEqual(wanted, self.compare("b.img", "a.img"))
            self.done("convert", "--force", "b.img", "b.vmdk")
            self.assertEqual(wanted, self.compare("b.vmdk", "a.img"))

    def test_holes(self):
        size = 32 * GIB
        piece = noise(5000)
        self.sparse("a.img", size, {10 * GIB: piece, 20 * GIB: bytes(100_000)})
        self.sparse("b.img", size, {10 * GIB: piece, 15 * GIB: bytes(3 * MIB)})
        self.assertEqual((0, "identical\n"), self.compare("a.img", "b.img"))
        self.sparse("b.img", size, {10 * GIB: piece, 15 * GIB + 7 * MIB + 3: b"x"})
        wanted = 15 * GIB + 7 * MIB + 3
        for pair in (("a.img", "b.img"), ("b.img", "a.img")):
            self.assertEqual((1, f"different: at byte {wanted}, in sector {wanted // SECTOR}\n"),
                             self.compare(*pair))

    def test_tails(self):
        content = noise(300_000)
        self.write("a.img", content)
        self.write("b.img", content + bytes(50_000))
        self.write("c.img", content + bytes(50_000) + b"x")
        for pair in (("a.img", "b.img"), ("b.img", "a.img")):
            self.assertEqual((0, "identical; b.img goes on for 50000 zero bytes\n"),
                             self.compare(*pair))
        for pair in (("a.img", "c.img"), ("c.img", "b.img")):
            self.assertEqual((1, "different: at byte 350000, in sector 683\n"), self.compare(*pair))

    def test_formats(self):
        self.write("a.img", noise(65536))
        self.done("convert", "a.img", "a.vmdk")
        os.rename(self.path("a.vmdk"), self.path("a.bin"))
        self.assertEqual((0, "identical\n"), self.compare("-F", "vmdk", "a.img", "a.bin"))
        self.assertEqual((0, "identical\n"), self.compare("-f", "vmdk", "a.bin", "a.img"))
        self.assertEqual(1, self.compare("-F", "raw", "a.img", "a.bin")[0])
        with open(self.path("a.img"), "rb") as file:
            result = self.run_program("compare", "-f", "raw", "-", "a.img", stdin=file)
            self.assertEqual((0, b"identical\n"), (result.status, result.out))
        self.refused("compare", "-f", "raw", "-", "a.img", content=b"x" * 512, says="is a pipe")


class Words(ProgramTest):
    def test_version(self):
        with open("MODULE.bazel", encoding="ascii") as file:
            version = re.search(r'name = "vmdk",\n +version = "(\d+\.\d+\.\d+)"', file.read())
        self.assertEqual(f"vmdk {version[1]}\n", self.done("--version").decode())

    def test_help(self):
        overview = self.done("--help").decode()
        self.assertIn("vmdk create --parent ", overview)
        for command in declared_options():
            self.assertIn(f"vmdk {command} ", overview)
            text = self.done(command, "--help").decode()
            self.assertEqual(text, self.done(command, "-h").decode())
            self.assertTrue(text.startswith(f"Usage: vmdk {command} "))
            self.assertIn("Example", text)
            self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertLessEqual(max(map(len, overview.splitlines())), 80)

    def test_a_help_lists_what_its_command_takes(self):
        for command, options in declared_options().items():
            text = self.done(command, "--help").decode()
            listed = re.findall(r"^  (-\S+?)(?:, (--\S+))? ", text, re.MULTILINE)
            self.assertEqual(sorted(options), sorted(filter(None, sum(listed, ()))), command)
            sentences, _, examples = text.partition("\nExample")
            used = [(command, sentences), *re.findall(r"\bvmdk ([a-z]+) ([^|'\n]*)", examples)]
            for name, words in used:
                self.assertLessEqual(set(re.findall(r"(?<![\w-])--?[A-Za-z][a-z-]*", words)),
                                     set(declared_options()[name]), words)


if __name__ == "__main__":
    unittest.main()
