# SPDX-License-Identifier: BSD-2-Clause
"""The compilers and flags that the library promises to compile with."""

import concurrent.futures
import os
import subprocess

COMPILERS = ("g++", "clang++-14", "clang++-19")
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
NO_RUNTIME = ("-fno-exceptions", "-fno-rtti")

# What needs an operating system or a library may also use exceptions and any standard header.
HOSTED_FOLDER = "vmdk/hosted/"
HOSTED_HEADERS = ("vmdk/hosted.hpp", "vmdk/codec/zlib.hpp", "vmdk/codec/libdeflate.hpp")


def is_hosted(header):
    """Tells whether a header, named from the include root, is outside the core."""
    return header.startswith(HOSTED_FOLDER) or header in HOSTED_HEADERS


def headers_under(include_root):
    """Names all headers below include_root, relative to it, in order."""
    found = []
    for folder, _, files in os.walk(include_root, followlinks=True):
        for name in files:
            if name.endswith(".hpp"):
                found.append(os.path.relpath(os.path.join(folder, name), include_root))
    return sorted(found)


def run(compiler, *arguments):
    """Runs a compiler; returns its exit status and everything it said."""
    done = subprocess.run([compiler, "-std=c++20", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return done.returncode, done.stdout


def run_all(jobs):
    """Runs (label, compiler, arguments...) jobs side by side; yields (label, status, output)."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        running = [(job[0], pool.submit(run, *job[1:])) for job in jobs]
        for label, future in running:
            yield (label, *future.result())


def expect_none(test, messages):
    """Fails a unittest with the messages as they stand, if there are any."""
    if messages:
        test.fail("\n" + "\n".join(messages))
