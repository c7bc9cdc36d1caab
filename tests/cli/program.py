# SPDX-License-Identifier: BSD-2-Clause
"""Runs the program as a user does. Tests run from the root of the project; VMDK_PROGRAM names
another program than the one that Bazel built."""

import collections
import hashlib
import os
import random
import shutil
import struct
import subprocess
import tempfile
import unittest

PROGRAM = os.path.abspath(os.environ.get("VMDK_PROGRAM") or "examples/cli/vmdk")
SECTOR = 512
KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

Result = collections.namedtuple("Result", "status out err")

HEADER = struct.Struct("<4sIIQQQQIQQQB4sH")
Header = collections.namedtuple(
    "Header", "magic version flags capacity grain descriptor descriptor_size entries redundant "
              "directory overhead unclean newlines compression")


def read_header(path):
    with open(path, "rb") as file:
        return Header(*HEADER.unpack_from(file.read(SECTOR)))


def read_descriptor(path):
    header = read_header(path)
    with open(path, "rb") as file:
        file.seek(header.descriptor * SECTOR)
        return file.read(header.descriptor_size * SECTOR).rstrip(b"\0").decode()


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(MIB), b""):
            digest.update(block)
    return digest.hexdigest()


def noise(size, seed=1):
    """Bytes without a run of zeros, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def fast_folder():
    """A folder in memory where there is one: what a file system on a disk makes of holes varies."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class ProgramTest(unittest.TestCase):
    """Gives each test an empty folder, and runs the program in it."""

    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=fast_folder())
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def sparse(self, name, size, pieces):
        """Makes a file of holes but for the pieces: offset -> bytes."""
        with open(self.path(name), "wb") as file:
            file.truncate(size)
            for offset, content in pieces.items():
                file.seek(offset)
                file.write(content)
        return self.path(name)

    def start(self, *arguments, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, **options)

    def run_program(self, *arguments, content=None, **options):
        """Runs it to its end; `content` comes through a pipe."""
        if content is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*arguments, **options)
        out, err = process.communicate(content, timeout=240)
        return Result(process.returncode, out, (err or b"").decode())

    def done(self, *arguments, **options):
        """Runs what must succeed without a word; returns its output."""
        result = self.run_program(*arguments, **options)
        self.assertEqual((0, ""), (result.status, result.err), arguments)
        return result.out

    def listing(self):
        """Everything that is in the folder: names, kinds, sizes, times."""
        found = {}
        for name in sorted(os.listdir(self.folder)):
            status = os.lstat(self.path(name))
            found[name] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)
        return found

    def assert_refusal(self, result, *says):
        """One line on standard error that says all this, status 2."""
        self.assertEqual(2, result.status, result.err)
        self.assertRegex(result.err, r"\Avmdk: [^\n]+\n\Z")
        for text in says:
            self.assertIn(text, result.err)

    def refused(self, *arguments, says, **options):
        """Runs what must be refused, with nothing changed in the folder."""
        before = self.listing()
        result = self.run_program(*arguments, **options)
        self.assert_refusal(result, *([says] if isinstance(says, str) else says))
        self.assertEqual(before, self.listing())
        return result
