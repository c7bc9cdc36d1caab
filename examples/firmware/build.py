#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Builds the firmware. Usage: examples/firmware/build.py cortex-m0|cortex-m4 OUTPUT.elf"""

import concurrent.futures
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
INCLUDE = os.path.join(HERE, "..", "..", "include")

JOBS = ("read_sparse", "read_stream", "write_sparse", "write_stored", "write_deflate")
BOARD = ("board", "main", "memory", "start")

FLAGS = ("-std=c++20", "-Os", "-ffreestanding", "-fno-exceptions", "-fno-rtti",
         "-fno-threadsafe-statics", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables",
         "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra", "-Wpedantic",
         "-Wconversion", "-Wshadow", "-Werror", "-I", INCLUDE)
COMPILER = "arm-none-eabi-g++"


def machine(processor):
    return (f"-mcpu={processor}", "-mthumb")


def compile_object(processor, source, output, *more):
    """Compiles one file; raises AssertionError with what the compiler says."""
    run(COMPILER, *machine(processor), *FLAGS, *more, "-c", source, "-o", output)


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout


def build(processor, output, folder):
    """Compiles everything into a folder and links it. -lgcc is last: its integer helpers are all
    that comes from outside."""
    def compile_named(name):
        # Else the compiler sees that a loop is a memcpy, and calls memcpy for it.
        more = ("-fno-tree-loop-distribute-patterns",) if name == "memory" else ()
        path = os.path.join(folder, name + ".o")
        compile_object(processor, os.path.join(HERE, name + ".cc"), path, *more)
        return path

    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        objects = list(pool.map(compile_named, JOBS + BOARD))
    run(COMPILER, *machine(processor), "-nostdlib", "-T", os.path.join(HERE, "mps2.ld"),
        "-Wl,--gc-sections", *objects, "-lgcc", "-o", output)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as objects_folder:
        build(sys.argv[1], sys.argv[2], objects_folder)
