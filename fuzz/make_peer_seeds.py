#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes seeds from images that qemu-img writes. Run in fuzz/; bundle.hpp says how they are kept."""

import os
import re
import subprocess
import tempfile

FORMS = ("monolithicSparse", "streamOptimized", "twoGbMaxExtentSparse", "monolithicFlat")


def bundled(content):
    """Long runs of zeros become a line."""
    packed = re.sub(rb"\0{24,}", lambda run: b"\n=ZERO %d\n" % len(run.group()), content)
    return packed[1:] if packed.startswith(b"\n=ZERO") else packed


def put(target, name, seed):
    os.makedirs(f"seeds/{target}", exist_ok=True)
    with open(f"seeds/{target}/{name}", "wb") as out:
        out.write(seed)


def qemu_img(*arguments, folder):
    subprocess.run(("qemu-img",) + arguments, check=True, cwd=folder, stdout=subprocess.DEVNULL)


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def main():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "disk.raw"), "wb") as disk:
            disk.write(b"boot" + bytes(70000) + b"content of a grain".ljust(58000, b"\0"))
        for form in FORMS:
            before = set(os.listdir(folder))
            qemu_img("convert", "-f", "raw", "-O", "vmdk", "-o", f"subformat={form}", "disk.raw",
                     f"{form}.vmdk", folder=folder)
            names = sorted(set(os.listdir(folder)) - before, key=lambda n: n != f"{form}.vmdk")
            files = b"\n".join(b"=FILE %s\n%s" % (name.encode(), bundled(read(folder, name)))
                               for name in names)
            put("chain", f"qemu_{form}", files)
            if len(names) == 1:
                for target in ("image", "repair") + (("stream",) if "stream" in form else ()):
                    put(target, f"qemu_{form}", bundled(read(folder, names[0])))
        qemu_img("create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", "monolithicSparse.vmdk",
                 "child.vmdk", folder=folder)
        put("chain", "qemu_delta",
            b"=FILE child.vmdk\n%s\n=FILE monolithicSparse.vmdk\n%s" %
            (bundled(read(folder, "child.vmdk")), bundled(read(folder, "monolithicSparse.vmdk"))))


if __name__ == "__main__":
    main()
