#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Builds the firmware. Usage: examples/firmware/build.py cortex-m0|cortex-m4|riscv32 OUTPUT.elf"""

import collections
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

# Clang has no C++ library for such machines. The headers of newlib's take all types from the
# compiler, whatever the processor.
LIBRARY = "/usr/include/newlib/c++/12.2.1"
CLANG = ("clang++-19", "-nostdinc++", "-isystem", LIBRARY, "-isystem", LIBRARY + "/arm-none-eabi",
         "-isystem", "/usr/include/newlib")

# The compiler; the linker and what follows the objects; the machine's own file and memory map; and
# what keeps the compiler from seeing that memcpy is a memcpy, and calling memcpy for it.
Processor = collections.namedtuple("Processor", "compiler linker libraries machine no_idioms")


def cortex(name):
    """libgcc's integer helpers are all that comes from outside."""
    compiler = ("arm-none-eabi-g++", "-mcpu=" + name, "-mthumb")
    return Processor(compiler, (*compiler, "-nostdlib", "-Wl,--gc-sections"), ("-lgcc",), "mps2",
                     "-fno-tree-loop-distribute-patterns")


PROCESSORS = {
    "cortex-m0": cortex("cortex-m0"),
    "cortex-m4": cortex("cortex-m4"),
    "riscv32": Processor((*CLANG, "--target=riscv32-unknown-elf", "-march=rv32imc", "-mabi=ilp32"),
                         ("ld.lld-19", "--gc-sections"), (), "virt", "-fno-builtin"),
}


def run(*command):
    """Runs a command; returns what it says, or raises AssertionError with it."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout


def compile_object(name, source, output, *more):
    run(*PROCESSORS[name].compiler, *FLAGS, *more, "-c", source, "-o", output)


def build(name, output, folder):
    """Compiles everything into a folder, and links it."""
    processor = PROCESSORS[name]

    def compile_named(source):
        more = (processor.no_idioms,) if source == "memory" else ()
        path = os.path.join(folder, source + ".o")
        compile_object(name, os.path.join(HERE, source + ".cc"), path, *more)
        return path

    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        objects = list(pool.map(compile_named, (*JOBS, *BOARD, processor.machine)))
    run(*processor.linker, "-L", HERE, "-T", os.path.join(HERE, processor.machine + ".ld"),
        *objects, *processor.libraries, "-o", output)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in PROCESSORS:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as objects_folder:
        build(sys.argv[1], sys.argv[2], objects_folder)
