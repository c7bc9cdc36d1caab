#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the seeds of the sparse_header fuzz target: small images of each form. Run in fuzz/."""

import os
import struct

FOLDER = "seeds/sparse_header"
SECTOR = 512
AT_END = (1 << 64) - 1


def header(flags=3, version=1, capacity=3, grain=1, descriptor=0, descriptor_sectors=0,
           redundant=1, directory=6, overhead=11, algorithm=0):
    packed = struct.pack("<4sIIQQQQIQQQB4sH", b"KDMV", version, flags, capacity, grain, descriptor,
                         descriptor_sectors, 512, redundant, directory, overhead, 0,
                         b"\n \r\n", algorithm)
    return packed.ljust(SECTOR, b"\0")


def numbers(*values, sectors):
    return struct.pack(f"<{len(values)}I", *values).ljust(sectors * SECTOR, b"\0")


def copy_at(sector, entries):
    """One directory of one table, and the table."""
    return numbers(sector + 1, sectors=1) + numbers(*entries, sectors=4)


def marker(kind, sectors):
    return struct.pack("<QII", sectors, 0, kind).ljust(SECTOR, b"\0")


def seeds():
    data = b"A" * SECTOR + b"B" * SECTOR
    yield "header", header(capacity=77138, grain=128, descriptor=1, descriptor_sectors=20,
                           redundant=21, directory=30, overhead=128)
    yield "usual", header() + copy_at(1, (11, 0, 12)) + copy_at(6, (11, 0, 12)) + data
    yield "primary_first", (header(directory=1, redundant=6) + copy_at(1, (12, 11)) +
                            copy_at(6, (12, 11)) + data)
    yield "shared", header(directory=1, redundant=1, overhead=6) + copy_at(1, (6, 7)) + data
    yield "no_redundant", (header(flags=1, directory=1, redundant=0, overhead=6) +
                           copy_at(1, (6, 7)) + data)
    yield "zeroed", (header(flags=5, version=2, directory=1, redundant=0, overhead=0) +
                     copy_at(1, (1, 6, 7)) + data)
    yield "grain_8_cut", (header(flags=1, grain=8, capacity=2, directory=1, redundant=0,
                                 overhead=6) + copy_at(1, (6,)) + data)
    yield "table_missing", (header(flags=1, capacity=600, directory=1, redundant=0, overhead=6) +
                            numbers(0, 2, sectors=1) + numbers(6, sectors=4) + data)
    yield "huge_directory", header(flags=1, capacity=1 << 50, grain=1 << 21, directory=1,
                                   redundant=0, overhead=1) + numbers(3, 3, sectors=6)
    common = {"flags": 0x30001, "version": 3, "capacity": 128, "grain": 128, "redundant": 0,
              "overhead": 1, "algorithm": 1}
    yield "stream", (header(directory=AT_END, **common) + marker(3, 1) +
                     header(directory=1, **common) + bytes(SECTOR))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for name, image in seeds():
        with open(os.path.join(FOLDER, name), "wb") as out:
            out.write(image)


if __name__ == "__main__":
    main()
