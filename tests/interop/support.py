# SPDX-License-Identifier: BSD-2-Clause
"""What the tests with other people's images and programs share: room, comparing large sparse files
quickly, running other programs. Tests run from the root of the project."""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.getcwd(), "tests", "cli"))
# The tests take from here what they need of this, too.
from program import GIB, KIB, MIB, SECTOR, ProgramTest, noise, read_header

MEMORY = "/dev/shm"
BLOCK = 64 << 10  # As much as a pipe holds. Larger blocks leave the processor's cache: slower.
ZEROS = bytes(BLOCK)
PATIENCE_SECONDS = 1500


def roomy_folder(need_bytes):
    """A new folder: in memory where that has so much to spare, else among the temporary files."""
    room = 0
    if os.access(MEMORY, os.W_OK):
        with open("/proc/meminfo", encoding="ascii") as file:
            available = next(line for line in file if line.startswith("MemAvailable:"))
        room = min(shutil.disk_usage(MEMORY).free, int(available.split()[1]) << 10)
    return tempfile.mkdtemp(dir=MEMORY if room > need_bytes else None)


def round_up(number, unit):
    return -(-number // unit) * unit


def _first(descriptor, offset, what):
    """The next data or hole of a file, from an offset on; its end where there is no more data."""
    try:
        return os.lseek(descriptor, offset, what)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return os.fstat(descriptor).st_size


def pieces(descriptor, size):
    """Cuts a file into (start, end, has_data) by its holes. Zeros follow the file, up to size."""
    at, end = 0, os.fstat(descriptor).st_size
    while at < end:
        data = _first(descriptor, at, os.SEEK_DATA)
        if data > at:
            yield at, data, False
        if data < end:
            at = _first(descriptor, data, os.SEEK_HOLE)
            yield data, at, True
        else:
            at = end
    if end < size:
        yield end, size, False


def blocks(descriptor, size):
    """Yields (offset, bytes) of a file and the zeros behind it, without reading the holes."""
    for start, end, has_data in pieces(descriptor, size):
        for at in range(start, end, BLOCK):
            n = min(BLOCK, end - at)
            yield at, os.pread(descriptor, n, at) if has_data else ZEROS[:n]


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for _, content in blocks(file.fileno(), 0):
            digest.update(content)
    return digest.hexdigest()


def _foreign_data(one, other):
    """Where one file has data that another one has not, or None."""
    for start, end, has_data in pieces(one, 0):
        for at in range(start, end if has_data else start, BLOCK):
            content = os.pread(one, min(BLOCK, end - at), at)
            if content != os.pread(other, len(content), at).ljust(len(content), b"\0"):
                return at
    return None


def file_difference(want, got, size):
    """Says how a file differs from what is wanted: one of this size, with the content of another
    and then zeros. Returns None where it does not."""
    if os.path.getsize(got) != size:
        return f"{got} has {os.path.getsize(got)} bytes, not {size}"
    with open(want, "rb") as first, open(got, "rb") as second:
        for pair in ((first, second), (second, first)):
            at = _foreign_data(pair[0].fileno(), pair[1].fileno())
            if at is not None:
                return f"{got} differs from {want} in the block at byte {at}"
    return None


def peer(*arguments, folder=None):
    """Runs another program, which must succeed; returns what it says."""
    done = subprocess.run(arguments, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          timeout=PATIENCE_SECONDS, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(arguments)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


class InteropTest(ProgramTest):
    """A test with an empty folder that has some room."""

    need_bytes = 1 << 30

    def setUp(self):
        self.folder = roomy_folder(self.need_bytes)
        self.addCleanup(shutil.rmtree, self.folder)

    def assert_file(self, want, got, size):
        """A file in the folder has the content of another, then zeros up to a size."""
        difference = file_difference(os.path.join(self.folder, want), self.path(got), size)
        if difference:
            self.fail(difference)

    def remove(self, *names):
        for name in names:
            os.remove(self.path(name))
