#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Builds the UEFI loader and the payload inside it. Usage: examples/firmware/build_uefi.py FOLDER
The folder then holds a disk for QEMU: EFI/BOOT/BOOTX64.EFI."""

import os
import subprocess
import sys
import tempfile

from build import CLANG, FLAGS, HERE, run

ROOT = os.path.join(HERE, "..", "..")
COMPILER = (*CLANG, "--target=x86_64-unknown-windows-gnu", *FLAGS, "-fno-stack-protector",
            "-mno-red-zone", "-mno-stack-arg-probe")
LINKER = ("lld-link-19", "/subsystem:efi_application", "/entry:efi_main", "/nodefaultlib")


def build_program(name, output, folder):
    """Compiles and links uefi/NAME.cc, which finds further files in the folder."""
    objects = []
    for source, more in (("memory.cc", ["-fno-builtin"]), (f"uefi/{name}.cc", ["-I", folder])):
        objects.append(os.path.join(folder, os.path.basename(source) + ".o"))
        run(*COMPILER, *more, "-c", os.path.join(HERE, source), "-o", objects[-1])
    run(*LINKER, *objects, "/out:" + output)


def build(output, folder, convert):
    """Builds both; convert(source, image) makes the streamOptimized image that is carried."""
    payload = os.path.join(folder, "payload.efi")
    build_program("payload", payload, folder)
    convert(payload, os.path.join(folder, "carried.vmdk"))
    build_program("loader", output, folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    boot_folder = os.path.join(sys.argv[1], "EFI", "BOOT")
    os.makedirs(boot_folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        build(os.path.join(boot_folder, "BOOTX64.EFI"), scratch,
              lambda source, image: subprocess.run(
                  [os.path.join(ROOT, "tools", "vmdk"), "convert", "-t", "streamOptimized", source,
                   image], check=True))
