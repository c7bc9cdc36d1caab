#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A UEFI program unpacks another one out of the image that it carries, and runs it. Run from the
root of the project."""

import os
import subprocess
import sys
import unittest

sys.path[:0] = [os.path.join(os.getcwd(), "tests", "cli"),
                os.path.join(os.getcwd(), "examples", "firmware")]
import build_uefi
from program import KIB, ProgramTest

FIRMWARE = "/usr/share/ovmf/OVMF.fd"
PATIENCE_SECONDS = 240

PAYLOAD = "payload: I was compressed in a VMDK"
DONE = "loader: done"
DAMAGED = "loader: the image is damaged"


class Uefi(ProgramTest):
    def boot(self, spoil=lambda image: None):
        """Builds the loader around an image, boots it, and returns what it prints."""
        def convert(source, image):
            self.done("convert", "-t", "streamOptimized", source, image)
            spoil(image)

        os.makedirs(self.path("disk/EFI/BOOT"))
        build_uefi.build(self.path("disk/EFI/BOOT/BOOTX64.EFI"), self.folder, convert)
        # The loader switches the machine off. QEMU keeps what is written to the disk in TMPDIR.
        done = subprocess.run(
            ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "128", "-nodefaults",
             "-display", "none", "-no-reboot", "-bios", FIRMWARE, "-serial", "file:serial",
             "-drive", "file=fat:rw:disk,format=raw,if=ide"],
            cwd=self.folder, env={**os.environ, "TMPDIR": self.folder}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_SECONDS,
            check=False)
        self.assertEqual(0, done.returncode, done.stdout)
        return self.read("serial").decode(errors="replace")

    def test_payload(self):
        said = self.boot()
        self.assertIn(PAYLOAD, said)
        self.assertIn(DONE, said.split(PAYLOAD)[1])

    def test_damaged_image(self):
        def spoil(image):
            with open(image, "r+b") as file:
                file.seek(64 * KIB + 100)  # In the first grain.
                byte = file.read(1)[0]
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte ^ 1]))

        said = self.boot(spoil)
        self.assertIn(DAMAGED, said)
        self.assertNotIn(PAYLOAD, said)


if __name__ == "__main__":
    unittest.main()
