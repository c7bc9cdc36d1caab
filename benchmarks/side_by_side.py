#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Times the program against its peers, in turn, on tmpfs, and prints a Markdown table.

Usage: benchmarks/side_by_side.py [--runs N] [--only WORD] [--work WORD]

Before: tools/vmdk --version; bazel build --config=opt //benchmarks:strided_read

Ratios are medians of ratios of neighbouring runs, so that a machine whose speed drifts does not
matter. Memory is the peak of the whole process, in a run that is not timed. No test depends on any of these figures.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
GIB = 1 << 30


def run(command):
    """Runs a command; returns its wall time in seconds."""
    begin = time.monotonic()
    status = subprocess.run(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL).returncode
    seconds = time.monotonic() - begin
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return seconds


def peak_memory(command):
    """Runs a command; returns the most memory, in bytes, that it held at a time.

    What wait4 tells counts the memory of the program that started the command, so the kernel's
    record of the process is looked at again and again until it is gone.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    peak = max(peak, int(line.split()[1]) * 1024)
        time.sleep(0.002)
    if process.returncode != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return peak


def make_random(path, size):
    generator = random.Random(1)
    with open(path, "wb") as disk:
        for _ in range(size // MIB):
            disk.write(generator.randbytes(MIB))


def make_sparse(path):
    """64 GiB with about 700 MB in pieces of 4 KiB to 2 MiB."""
    generator = random.Random(2)
    block = generator.randbytes(2 * MIB)
    left = 700 * 1000 * 1000
    with open(path, "wb") as disk:
        disk.truncate(64 * GIB)
        while left > 0:
            n = 4096 << generator.randrange(10)
            disk.seek(generator.randrange(64 * GIB // 4096 - 512) * 4096)
            disk.write(block[:n])
            left -= n


def make_ext4(path, folder):
    """1 GiB of ext4 with at least 300 MB of this machine's own files."""
    tree = os.path.join(folder, "tree")
    os.mkdir(tree)
    left = 400 * MIB
    for top in ("/usr/lib", "/usr/share", "/usr/bin"):
        for where, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                source = os.path.join(where, name)
                if left <= 0 or os.path.islink(source) or not os.path.isfile(source):
                    continue
                size = os.path.getsize(source)
                if size > 8 * MIB:
                    continue
                target = os.path.join(tree, where.lstrip("/"))
                os.makedirs(target, exist_ok=True)
                shutil.copyfile(source, os.path.join(target, name))
                left -= size
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tree, path, "1G"], check=True)
    shutil.rmtree(tree)


class Row:
    """What is measured: our command and those of the peers, each with the file that it makes, or
    None."""

    def __init__(self, disk, what, ours, peers):
        self.disk, self.what, self.ours, self.peers = disk, what, ours, peers


def measure(row, runs):
    commands = {"vmdk": row.ours, **row.peers}
    seconds = {name: [] for name in commands}
    memory = {}
    size = {}
    for name, (command, output) in commands.items():
        memory[name] = peak_memory(command)
        if output:
            size[name] = os.path.getsize(output)
            os.unlink(output)
    for _ in range(runs):
        for name, (command, output) in commands.items():
            seconds[name].append(run(command))
            if output:
                os.unlink(output)
    return seconds, memory, size


def report(row, runs):
    seconds, memory, size = measure(row, runs)
    ours = seconds["vmdk"]
    for name in seconds:
        if name == "vmdk":
            ratio = ""
        else:
            ratio = f"{statistics.median(p / o for p, o in zip(seconds[name], ours)):.2f}"
        print(f"| {row.disk} | {row.what} | {name} | {statistics.median(seconds[name]):.2f} s "
              f"| {ratio} | {memory[name] / MIB:.1f} MiB "
              f"| {f'{size[name] / 1e6:.1f} MB' if name in size else ''} |", flush=True)


def rows(program, strided_read, folder, disk, path):
    def in_folder(name):
        return os.path.join(folder, name)

    def ours(source, kind, name, *more):
        target = in_folder(name)
        return [program, "convert", "-t", kind, *more, source, target], target

    def qemu(source, source_kind, kind, name, *more):
        target = in_folder(name)
        return ["qemu-img", "convert", "-f", source_kind, "-O", kind, *more, source, target], target

    def copy(source, name):
        return ["cp", "--sparse=always", source, in_folder(name)], in_folder(name)

    def strided(image, count):
        step = str(7 * MIB + 13 * 4096)
        return ([strided_read, image, str(count), step], None), {"qemu-img": (
            ["qemu-img", "bench", "-q", "-f", "vmdk", "-d", "1", "-c", str(count), "-s", "4096",
             "-S", step, image], None)}

    yield Row(disk, "raw to monolithicSparse", ours(path, "monolithicSparse", "o.vmdk"),
              {"qemu-img": qemu(path, "raw", "vmdk", "q.vmdk"), "cp": copy(path, "c.img")})
    sparse = in_folder("sparse.vmdk")
    run([program, "convert", path, sparse])
    yield Row(disk, "monolithicSparse to raw", ours(sparse, "raw", "o.img"),
              {"qemu-img": qemu(sparse, "vmdk", "raw", "q.img"), "cp": copy(path, "c.img")})
    if disk != "ext4":
        os.unlink(sparse)
        return
    yield Row(disk, "100,000 reads of 4 KiB, monolithicSparse", *strided(sparse, 100_000))
    os.unlink(sparse)
    stream = ("-o", "subformat=streamOptimized")
    for codec in ("libdeflate", "zlib", "builtin"):
        yield Row(disk, f"raw to streamOptimized, {codec}",
                  ours(path, "streamOptimized", "o.vmdk", "--codec", codec),
                  {"qemu-img": qemu(path, "raw", "vmdk", "q.vmdk", *stream)})
    packed = in_folder("stream.vmdk")
    run([program, "convert", "-t", "streamOptimized", path, packed])
    for codec in ("libdeflate", "builtin"):
        yield Row(disk, f"streamOptimized to raw, {codec}",
                  ours(packed, "raw", "o.img", "--codec", codec),
                  {"qemu-img": qemu(packed, "vmdk", "raw", "q.img")})
    yield Row(disk, "4,000 reads of 4 KiB, streamOptimized", *strided(packed, 4_000))
    os.unlink(packed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="a word of the disk's name")
    parser.add_argument("--work", default="", help="a word of the work's name")
    options = parser.parse_args()
    program = os.path.abspath(".cache/vmdk")
    strided_read = os.path.abspath("bazel-bin/benchmarks/strided_read")
    print("| disk | work | program | median | peer / ours | peak memory | output |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = os.path.join(folder, "disk.img")
        makers = {"ext4": lambda: make_ext4(path, folder),
                  "sparse 64 GiB": lambda: make_sparse(path),
                  "random 1 GiB": lambda: make_random(path, GIB)}
        for disk, make in makers.items():
            if options.only and options.only not in disk:
                continue
            make()
            for row in rows(program, strided_read, folder, disk, path):
                if options.work in row.what:
                    report(row, options.runs)
            os.unlink(path)


if __name__ == "__main__":
    main()
