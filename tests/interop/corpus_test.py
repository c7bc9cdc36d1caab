#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images found in other projects, good and bad, whoever wrote them.

VMDK_CORPUS is their folder; its manifest.tsv says what each is, whether it shall be read, and the
digest of the disk inside. Unset, no file is tested.
"""

import csv
import json
import os
import re
import shutil
import sys
import tarfile
import unittest

from support import InteropTest, sha256_of

CORPUS = os.environ.get("VMDK_CORPUS", "")

# What a message says for the reason that the manifest gives; {name} is the first extent's file.
CAUSES = {
    "extent file": ("{name}", "No such file"),
    "no footer": ("footer is missing",),
    "the text of the descriptor is cut out": ("descriptor",),
}


def rows(expect):
    """The rows of the manifest that expect this."""
    with open(os.path.join(CORPUS, "manifest.tsv"), encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                if row["expect"].partition(":")[0] == expect]


def original(row):
    """The path of a row's file in the corpus."""
    return os.path.join(CORPUS, row["file"].partition(" > ")[0])


def cause_words(row):
    """What the refusal of a bad image must say."""
    names = re.findall(r'"(.*?)"', row["what"])
    for reason, words in CAUSES.items():
        if reason in row["expect"]:
            return [word.format(name=names[0] if names else "") for word in words]
    raise AssertionError(f"{row['file']}: no words are known for '{row['expect']}'")


def extract(archive, member, path):
    """Takes a disk out of an OVA, which is a tar. One named joined-X is the chunks *X.0000..."""
    is_chunk = re.compile(".*" + re.escape(member.removeprefix("joined-")) + r"\.\d+").fullmatch
    with tarfile.open(archive) as tar, open(path, "wb") as out:
        names = [name for name in tar.getnames()
                 if name == member or (member.startswith("joined-") and is_chunk(name))]
        if not names:
            raise AssertionError(f"{archive} has no {member}")
        for name in sorted(names):
            shutil.copyfileobj(tar.extractfile(name), out)


@unittest.skipUnless(CORPUS, "VMDK_CORPUS is not set: run on 0 files")
class Corpus(InteropTest):
    def each(self, expect, judge):
        """Calls judge(row, path of the image) for each such row, with an empty folder each time."""
        found = rows(expect)
        self.assertTrue(found, "the manifest has no such row")
        folder = self.folder
        for number, row in enumerate(found):
            self.folder = os.path.join(folder, str(number))
            os.mkdir(self.folder)
            with self.subTest(row["file"]):
                self.assertEqual(row["file_sha256"], sha256_of(original(row)), "another file")
                judge(row, self.image(row))
            shutil.rmtree(self.folder)
        self.folder = folder
        print(f"{self.id()}: {len(found)} files", file=sys.stderr)

    def image(self, row):
        """The path of a row's image; from an archive it is taken out."""
        member = row["file"].partition(" > ")[2]
        if not member:
            return original(row)
        os.mkdir(self.path("ova"))
        extract(original(row), member, self.path("ova/" + member))
        return self.path("ova/" + member)

    def copy_renamed(self, path, name):
        """Copies an image under another name, and beside it the extents that a text names."""
        os.mkdir(self.path("copy"))
        shutil.copyfile(path, self.path("copy/" + name))
        folder = os.path.relpath(os.path.dirname(path), CORPUS)
        for row in rows("part"):
            if os.path.dirname(row["file"]) == folder:
                shutil.copy(os.path.join(CORPUS, row["file"]), self.path("copy"))
        return "copy/" + name

    def judge_good(self, row, path):
        self.done("convert", "-f", "vmdk", "-t", "raw", path, "disk.raw")
        self.assertEqual(row["raw_sha256"], sha256_of(self.path("disk.raw")))

        about = json.loads(self.done("info", "--json", path))
        self.assertEqual(os.path.getsize(self.path("disk.raw")), about["capacity_bytes"])
        self.assertEqual([], about["problems"])

        # A name that ends in .vmdk, and one that says nothing.
        for options, name in ((), "another name.VMDK"), (("-f", "vmdk"), "disk.bin"):
            copy = self.copy_renamed(path, name)
            self.done("convert", *options, "-t", "raw", copy, "again.raw")
            self.assert_file("disk.raw", "again.raw", os.path.getsize(self.path("disk.raw")))
            self.remove("again.raw")
            shutil.rmtree(self.path("copy"))

    def judge_bad(self, row, path):
        says = cause_words(row)
        for image in path, self.copy_renamed(path, "another name.bin"):
            to_raw = ("convert", "-f", "vmdk", "-t", "raw", image)
            self.refused(*to_raw, "disk.raw", says=[f"vmdk: {image}: ", *says])
            self.assertEqual(b"", self.refused(*to_raw, "-", says=says).out)

    def judge_good_by_check(self, _, path):
        result = self.run_program("check", path)
        self.assertEqual((0, ""), (result.status, result.err), result.out.decode())

    def judge_bad_by_check(self, _, path):
        result = self.run_program("check", path)
        self.assertIn(result.status, (1, 2), result.out.decode())
        self.assertTrue(result.out or result.err)

    def test_good_images(self):
        self.each("ok", self.judge_good)

    def test_bad_images(self):
        self.each("reject", self.judge_bad)

    def test_check(self):
        self.each("ok", self.judge_good_by_check)
        self.each("reject", self.judge_bad_by_check)


if __name__ == "__main__":
    unittest.main()
