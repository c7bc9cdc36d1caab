#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images that other programs wrote: what is good converts to the right bytes, what is not is refused.

The folder of images and its manifest.tsv are in VMDK_CORPUS; without it nothing is tested.
"""

import csv
import os
import shutil
import tarfile
import unittest

from program import ProgramTest, sha256

CORPUS = os.environ.get("VMDK_CORPUS", "")
# What a message must say for the reason that the manifest gives.
REASONS = {"missing": "No such file", "footer": "footer", "cut out": "descriptor"}


def rows():
    with open(os.path.join(CORPUS, "manifest.tsv"), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@unittest.skipUnless(CORPUS, "VMDK_CORPUS is not set")
class Corpus(ProgramTest):
    def image(self, row):
        """The path of a row's image; what lies in an archive is taken out of it, pieces joined."""
        archive, _, member = row["file"].partition(" > ")
        path = os.path.join(CORPUS, archive)
        if not member:
            return path
        out = self.path("member.vmdk")
        suffix = member.removeprefix("joined-") if member.startswith("joined-") else None
        with tarfile.open(path) as archived, open(out, "wb") as file:
            for name in sorted(archived.getnames()):
                if name == member or (suffix and name.rpartition(".")[0].endswith(suffix)):
                    shutil.copyfileobj(archived.extractfile(name), file)
        return out

    @staticmethod
    def is_sparse(path):
        with open(path, "rb") as file:
            return file.read(4) == b"KDMV"

    def test_good_images(self):
        count = 0
        for row in rows():
            if row["expect"] != "ok":
                continue
            with self.subTest(row["file"]):
                path = self.image(row)
                self.done("convert", "--force", "-f", "vmdk", path, "out.raw")
                self.assertEqual(row["raw_sha256"], sha256(self.path("out.raw")))
                self.assertRegex(self.done("info", path).decode(), r": VMDK, \w+\n")
                if self.is_sparse(path):
                    shutil.copy(path, self.path("renamed.bin"))
                    self.assertEqual(b"identical\n", self.done("compare", "-f", "vmdk",
                                                               "renamed.bin", "out.raw"))
                count += 1
        self.assertGreater(count, 0)

    def test_bad_images(self):
        for row in rows():
            if not row["expect"].startswith("reject"):
                continue
            with self.subTest(row["file"]):
                says = [text for reason, text in REASONS.items() if reason in row["expect"]]
                self.refused("convert", "-f", "vmdk", self.image(row), "out.raw", says=says)


if __name__ == "__main__":
    unittest.main()
