#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""QEMU boots GRUB's rescue disk from an image that the program wrote."""

import json
import subprocess
import time
import unittest

from support import KIB, MIB, InteropTest, peer

SCREEN_ADDRESS, SCREEN_COLUMNS, SCREEN_ROWS = 0xb8000, 80, 25
PATIENCE_SECONDS = 240


class Machine:
    """A PC with one disk, stopped on leaving."""

    def __init__(self, image, screen_path):
        self.screen_path = screen_path
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-machine", "pc", "-accel", "tcg", "-m", "64", "-nodefaults",
             "-vga", "std", "-display", "none", "-qmp", "stdio",
             "-drive", f"file={image},format=vmdk,if=ide"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.command("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def command(self, name, **arguments):
        try:
            self.process.stdin.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # It has ended; its last words follow.
        for line in self.process.stdout:
            if '"return"' in line:
                return
            if '"QMP"' not in line and '"event"' not in line:
                raise AssertionError(f"QEMU says: {line}")
        raise AssertionError("QEMU has ended")

    def screen(self):
        """The text on the screen: each character has its colours behind it."""
        self.command("pmemsave", val=SCREEN_ADDRESS, size=2 * SCREEN_COLUMNS * SCREEN_ROWS,
                     filename=self.screen_path)
        with open(self.screen_path, "rb") as file:
            text = file.read()[::2].decode("cp437")
        rows = (text[at:at + SCREEN_COLUMNS].rstrip(" \0")
                for at in range(0, len(text), SCREEN_COLUMNS))
        return "\n".join(row for row in rows if row)

    def wait_for(self, *texts):
        """Returns which of the texts comes on the screen first."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up:
            screen = self.screen()
            for text in texts:
                if text in screen:
                    return text
            time.sleep(0.2)
        raise AssertionError(f"none of {texts} comes; the screen shows:\n{screen}")


class Boot(InteropTest):
    banner = "GNU GRUB  version"
    no_disk = "No bootable device"

    def first_text(self, source, *options):
        self.done("convert", *options, source, "disk.vmdk")
        with Machine(self.path("disk.vmdk"), self.path("screen")) as machine:
            return machine.wait_for(self.banner, self.no_disk)

    def rescue_disk(self):
        files = peer("dpkg", "-L", "grub-rescue-pc").splitlines()
        return next(path for path in files if path.endswith("/grub-rescue-cdrom.iso"))

    def test_rescue_disk(self):
        self.assertEqual(self.banner, self.first_text(self.rescue_disk()))

    def test_rescue_disk_in_small_grains(self):
        options = ("-g", "4K", "-o", "capacity=exact")
        self.assertEqual(self.banner, self.first_text(self.rescue_disk(), *options))

    def test_disk_without_a_loader(self):
        self.write("zeros.img", bytes(4 * MIB + 4 * KIB))
        self.assertEqual(self.no_disk, self.first_text("zeros.img"))


if __name__ == "__main__":
    unittest.main()
