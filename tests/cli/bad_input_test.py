#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What cannot be done is refused with one line on standard error and status 2, and leaves nothing
behind."""

import ctypes
import os
import re
import resource
import signal
import subprocess
import time
import unittest

from program import KIB, MIB, PROGRAM, SECTOR, ProgramTest, noise, read_descriptor


def be_bound_by_permissions():
    """Takes from a program that root runs what lets root pass all permissions."""
    drop_from_bounding_set, dac_override, dac_read_search = 24, 1, 2
    for capability in (dac_override, dac_read_search):
        ctypes.CDLL(None).prctl(drop_from_bounding_set, capability)


class Sources(ProgramTest):
    def test_missing(self):
        self.refused("convert", "disk.img", "disk.vmdk",
                     says="disk.img: No such file or directory")

    def test_directory(self):
        os.mkdir(self.path("folder"))
        self.refused("convert", "folder", "disk.vmdk", says="folder: Is a directory")
        self.refused("info", "folder", says="folder: Is a directory")
        self.refused("compare", "folder", "folder", says="folder: Is a directory")

    def test_no_permission(self):
        os.chmod(self.write("disk.img", noise(512)), 0)
        self.refused("convert", "disk.img", "disk.vmdk", preexec_fn=be_bound_by_permissions,
                     says="disk.img: Permission denied")

    def test_empty(self):
        self.write("disk.img", b"")
        self.refused("convert", "disk.img", "disk.vmdk", says="disk.img: is empty")
        self.refused("convert", "-f", "vmdk", "disk.img", "disk.raw", says="disk.img: is empty")

    def test_name_with_line_end_stays_one_line(self):
        self.refused("convert", "no\nsuch\x1b[31m", "disk.vmdk", says=r"no\x0asuch\x1b[31m: No such")

    def test_vmdk_under_a_raw_name(self):
        self.write("disk.img", noise(MIB))
        self.done("convert", "disk.img", "disk.vmdk")
        os.rename(self.path("disk.vmdk"), self.path("stranger.img"))
        self.refused("convert", "stranger.img", "out.raw", says=["stranger.img: ", "-f vmdk", "-f raw"])
        self.refused("convert", "stranger.img", "out.vmdk", says="-f vmdk")
        self.refused("compare", "stranger.img", "disk.img", says="-f vmdk")
        self.done("convert", "-f", "vmdk", "stranger.img", "inner.img")
        self.assertEqual(self.read("disk.img"), self.read("inner.img"))
        self.done("convert", "-f", "raw", "stranger.img", "outer.img")
        self.assertEqual(self.read("stranger.img"), self.read("outer.img"))

    def test_descriptor_under_a_raw_name(self):
        for text in (b"# Disk DescriptorFile\nversion=1\n", b"#disk descriptor\n",
                     b"# hello\n\nversion=1\ncreateType=\"monolithicFlat\"\n",
                     b"COWD" + bytes(508), bytes.fromhex("bebafecaf00d0000") + bytes(504)):
            self.write("disk.img", text.ljust(1024, b"\n"))
            self.refused("convert", "disk.img", "disk.vmdk", says="-f raw")

    def test_extent_without_its_descriptor(self):
        for content in (b"COWD", bytes.fromhex("bebafeca")):
            self.write("disk-delta.vmdk", content.ljust(4096, b"\0"))
            for command in (["info"], ["map"], ["convert", "-t", "raw"]):
                self.refused(*command, "disk-delta.vmdk", *(["out.raw"] if "-t" in command else []),
                             says="disk-delta.vmdk: the file has no descriptor; open the text")

    def test_child_that_names_no_parent(self):
        self.write("base-flat.vmdk", bytes(512))
        self.write("child.vmdk", b'# Disk DescriptorFile\nversion=1\nCID=12345678\n'
                   b'parentCID=87654321\ncreateType="monolithicFlat"\n\n'
                   b'RW 1 FLAT "base-flat.vmdk" 0\n\nddb.adapterType = "ide"\n')
        self.refused("convert", "child.vmdk", "out.raw", says="child.vmdk: the parent of this delta")
        self.assertIn(b"error: child.vmdk: the parent of this delta", self.run_program(
            "check", "child.vmdk").out)

    def test_raw_under_a_vmdk_name(self):
        self.write("disk.vmdk", noise(MIB))
        self.refused("convert", "disk.vmdk", "out.img", says=["disk.vmdk: is not a VMDK", "-f raw"])
        self.refused("info", "disk.vmdk", says="disk.vmdk: is not a VMDK")

    def test_extent_outside_the_folder(self):
        os.mkdir(self.path("inner"))
        self.write("secret.raw", noise(512))
        text = ('# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n'
                'createType="monolithicFlat"\n\nRW 1 FLAT "{}" 0\n\nddb.adapterType = "ide"\n')
        for name in ("../secret.raw", "/etc/passwd", self.path("secret.raw"), "json:{}",
                     "..", ".", "link.raw", "fifo", "secret.raw"):
            self.write("inner/disk.vmdk", text.format(name).encode())
            if name == "link.raw":
                os.symlink("../secret.raw", self.path("inner/link.raw"))
            if name == "fifo":
                os.mkfifo(self.path("inner/fifo"))
            self.refused("convert", "inner/disk.vmdk", "out.raw", says="inner/disk.vmdk: ")
        self.done("convert", "--allow-dir", ".", "inner/disk.vmdk", "out.raw")
        self.assertEqual(noise(512), self.read("out.raw"))

    def test_damaged_image(self):
        self.write("disk.img", noise(MIB))
        self.done("convert", "disk.img", "disk.vmdk")
        good = self.read("disk.vmdk")
        self.write("disk.vmdk", good[:4] + b"\x09" + good[5:])
        self.refused("convert", "disk.vmdk", "out.img", says=["disk.vmdk: ", "version", "byte 4)"])
        # The first entry of the first table: past the end of the file.
        self.write("disk.vmdk", good[:27 * 512] + b"\0\0\0\x7f" + good[27 * 512 + 4:])
        self.refused("convert", "disk.vmdk", "out.img",
                     says=["disk.vmdk: ", "past the end", "(at byte 13824, in sector 27)"])
        self.refused("compare", "disk.vmdk", "disk.img", says="disk.vmdk: ")
        self.write("disk.vmdk", good[:len(good) // 2])
        self.refused("convert", "disk.vmdk", "out.img", says="disk.vmdk: ")

    def test_disks_that_cannot_be_read_as_a_whole(self):
        self.write("disk.img", noise(MIB))
        self.done("convert", "disk.img", "disk.vmdk")
        good = self.read("disk.vmdk")
        text = read_descriptor(self.path("disk.vmdk"))

        for descriptor, says, checks in (
                (text + 'ddb.uuid.parent="5e2e1fa0-7e0e-4b8a-9a4b-0b1c2d3e4f50"\n', "VirtualBox", 1),
                (text.replace("createType", 'encryptionKeys="' + "x" * 3000 + '"\ncreateType'),
                 "is encrypted", 1),
                (text.replace("RW ", "NOACCESS "), "forbids access", 0)):
            raw = descriptor.encode().ljust(20 * SECTOR, b"\0")
            self.write("disk.vmdk", good[:SECTOR] + raw + good[21 * SECTOR:])
            self.refused("convert", "disk.vmdk", "out.img", says=["disk.vmdk: ", says])
            checked = self.run_program("check", "disk.vmdk")
            self.assertEqual(checks, checked.status)
            self.assertIn(says, checked.out.decode())

    def test_extent_of_another_size(self):
        self.write("disk.img", noise(640 * SECTOR))
        self.done("convert", "-t", "twoGbMaxExtentSparse", "disk.img", "disk.vmdk")
        text = self.read("disk.vmdk").decode()

        def put(lines):
            self.write("disk.vmdk",
                       re.sub("RW 640 (.*)\n", lambda m: lines.format(m[1]), text).encode())

        # VirtualBox rounds up the last extent's header; the disk is what the lines say.
        put("RW 5 ZERO\nRW 580 {}\n")
        self.done("convert", "disk.vmdk", "out.img", "--force")
        expected = bytes(5 * SECTOR) + noise(640 * SECTOR)[:580 * SECTOR]
        self.assertEqual(expected, self.read("out.img"))
        self.done("compare", "disk.vmdk", "out.img")
        self.assertIn(b"note: ", self.done("check", "disk.vmdk"))
        for command in ("info", "map"):
            self.done(command, "disk.vmdk")
        # Any other size is refused, in the words of a check.
        for lines, line in (("RW 5 ZERO\nRW 512 {}\n", 512), ("RW 580 {}\nRW 5 ZERO\n", 580)):
            put(lines)
            says = f"the extent's header states 640 sectors, but the descriptor {line}"
            says = "disk-s001.vmdk: " + says + " (at byte 12)"
            for command in (("convert", "disk.vmdk", "out2.img"), ("map", "disk.vmdk"),
                            ("compare", "disk.vmdk", "disk.img")):
                self.refused(*command, says=says)
            for command in ("info", "check"):
                self.assertIn(says, self.run_program(command, "disk.vmdk").out.decode())

    def test_standard_input_has_no_name(self):
        self.refused("convert", "-", "disk.vmdk", content=noise(512), says=["standard input: ", "-f"])

    def test_pipe_of_unknown_size(self):
        self.refused("convert", "-f", "raw", "-", "disk.vmdk", content=noise(512), says="--size")

    def test_pipe_too_short(self):
        self.refused("convert", "-f", "raw", "--size", "1M", "-", "disk.vmdk",
                     content=noise(MIB - 1), says=["standard input: ", "(at byte 1048575"])
        self.refused("convert", "-f", "raw", "--size", "1M", "-", "disk.img",
                     content=noise(MIB - 1), says=["standard input: ", "(at byte 1048575"])

    def test_pipe_too_long(self):
        self.refused("convert", "-f", "raw", "--size", "1M", "-", "disk.vmdk",
                     content=noise(MIB + 1), says=["standard input: ", "(at byte 1048576"])
        self.refused("convert", "-f", "raw", "--size", "1M", "-", "disk.img",
                     content=noise(MIB + 1), says=["standard input: ", "(at byte 1048576"])

    def test_pipe_that_would_be_read_twice(self):
        self.refused("convert", "-f", "raw", "--size", "512", "-t", "monolithicSparse", "-", "-",
                     content=noise(512), says=["standard input: ", "twice"])

    def test_size_that_is_another(self):
        self.write("disk.img", noise(1024))
        self.refused("convert", "--size", "512", "disk.img", "disk.vmdk", says="disk.img: has 1024")
        self.refused("convert", "--size", "0", "disk.img", "disk.vmdk", says="--size 0")

    def test_source_that_shrinks(self):
        """The program sleeps while its source is cut, once its output has begun."""
        for destination in ("disk.vmdk", "disk.raw"):
            self.write("disk.img", noise(64 * MIB))
            before = self.listing()
            process = self.start("convert", "disk.img", destination)
            while process.poll() is None and len(os.listdir(self.folder)) == len(before):
                pass
            process.send_signal(signal.SIGSTOP)
            os.truncate(self.path("disk.img"), 4096)
            process.send_signal(signal.SIGCONT)
            _, err = process.communicate(timeout=60)
            self.assertEqual(2, process.returncode, "the machine was too fast for this test")
            self.assertRegex(err.decode(), r"\Avmdk: disk\.img: [^\n]+\(at byte [^\n]+\n\Z")
            self.assertEqual(["disk.img"], os.listdir(self.folder))

    def test_source_that_shrinks_on_its_way_to_a_fifo(self):
        self.write("disk.img", noise(4 * MIB))
        os.mkfifo(self.path("fifo"))
        process = self.start("convert", "-t", "raw", "disk.img", "fifo")
        with open(self.path("fifo"), "rb") as reader:
            reader.read(4096)  # The rest waits for us, or is not read yet.
            os.truncate(self.path("disk.img"), 4096)
            while reader.read(MIB):
                pass
        _, err = process.communicate(timeout=60)
        self.assertEqual(2, process.returncode)
        self.assertRegex(err.decode(), r"\Avmdk: disk\.img: [^\n]+\n\Z")


class Destinations(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("disk.img", noise(MIB))

    def test_existing(self):
        for name in ("disk.vmdk", "disk.raw"):
            self.write(name, b"precious")
            self.refused("convert", "disk.img", name, says=[f"{name}: ", "--force"])
            self.done("convert", "--force", "disk.img", name)
            self.assertNotEqual(b"precious", self.read(name))

    def test_directory(self):
        os.mkdir(self.path("folder"))
        self.refused("convert", "disk.img", "folder", says="folder: Is a directory")
        self.refused("convert", "--force", "disk.img", "folder", says="folder: Is a directory")

    def test_no_folder(self):
        self.refused("convert", "disk.img", "no/disk.vmdk", says="no/disk.vmdk: ")

    def test_the_source_itself(self):
        os.symlink("disk.img", self.path("link.vmdk"))
        for name in ("disk.img", "link.vmdk", "./disk.img"):
            self.refused("convert", "--force", "disk.img", name, says="is the source")
        with open(self.path("disk.img"), "ab") as out:
            self.refused("convert", "disk.img", "-", stdout=out, says="is the source")

    def test_full_device(self):
        for name in ("/dev/full",):
            self.refused("convert", "-t", "raw", "disk.img", name, says=f"{name}: No space left")
            self.refused("convert", "-t", "monolithicSparse", "disk.img", name,
                         says=f"{name}: No space left")
        with open("/dev/full", "wb") as full:
            self.refused("convert", "disk.img", "-", stdout=full,
                         says="standard output: No space left")

    def test_full_device_for_words(self):
        self.done("convert", "disk.img", "disk.vmdk")
        for arguments in (["info", "disk.vmdk"], ["info", "--json", "disk.vmdk"], ["--help"],
                          ["--version"], ["compare", "disk.img", "disk.vmdk"],
                          ["layout", "-t", "monolithicSparse", "--capacity", "1M"]):
            with open("/dev/full", "wb") as full:
                self.refused(*arguments, stdout=full, says="standard output: No space left")

    def test_file_size_limit(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (256 * KIB, 256 * KIB))
        for name in ("disk.vmdk", "disk.raw"):
            self.refused("convert", "disk.img", name, preexec_fn=limit,
                         says=[f"{name}: File too large", "(at byte 262144"])

    def test_small_file_system(self):
        os.mkdir(self.path("small"))
        script = ('mount -t tmpfs -o size=256k none small || exit 77\n'
                  '"$0" convert disk.img small/"$1"; status=$?\n'
                  'ls -A small\nexit $status\n')
        unshare = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
        for name in ("disk.vmdk", "disk.raw"):
            ran = subprocess.run([*unshare, "sh", "-c", script, PROGRAM, name], cwd=self.folder,
                                 capture_output=True, text=True, check=False)
            if ran.returncode in (1, 77) and "vmdk: " not in ran.stderr:
                self.skipTest("nothing can be mounted here; interrupted_test fills disks, too")
            self.assertEqual((2, ""), (ran.returncode, ran.stdout))
            self.assertRegex(ran.stderr, rf"\Avmdk: small/{name}: No space left on device [^\n]*\n\Z")

    def test_closed_pipe(self):
        self.done("convert", "disk.img", "disk.vmdk")
        for arguments in (["convert", "disk.img", "-"],
                          ["convert", "-t", "monolithicSparse", "disk.img", "-"],
                          ["convert", "disk.vmdk", "-"], ["info", "disk.vmdk"], ["--help"]):
            reader, writer = os.pipe()
            os.close(reader)
            self.refused(*arguments, stdout=writer, says="standard output: Broken pipe")
            os.close(writer)

    def test_name_that_a_descriptor_cannot_hold(self):
        self.refused("convert", "disk.img", 'a"b.vmdk', says=["-o name=FILE"])
        self.done("convert", "-o", "name=disk.vmdk", "disk.img", 'a"b.vmdk')

    def test_block_device(self):
        """One that is made for this, so that no mistake costs a disk."""
        self.write("device.raw", b"\xff" * (4 * MIB))
        made = subprocess.run(["losetup", "--find", "--show", self.path("device.raw")], text=True,
                              capture_output=True, check=False)
        if made.returncode != 0:
            self.skipTest("no loop device can be made here")
        device = made.stdout.strip()
        try:
            self.refused("convert", "disk.img", device, says=f"{device}: is a device; --force")
            self.done("convert", "--force", "disk.img", device)
            self.done("convert", "--force", device, "back.img")
            self.assertEqual(noise(MIB) + b"\xff" * (3 * MIB), self.read("back.img"))
            self.done("convert", "--force", "-t", "monolithicSparse", "disk.img", device)
            self.done("convert", "-f", "vmdk", device, "inner.img")
            self.assertEqual(noise(MIB), self.read("inner.img"))
            self.refused("convert", "--force", "-f", "raw", device, device, says="is the source")
            self.write("large.img", noise(5 * MIB))
            self.refused("convert", "--force", "large.img", device, says="No space left")
        finally:
            subprocess.run(["losetup", "--detach", device], check=True)


class Options(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("disk.img", noise(4096))

    def test_unknown(self):
        for arguments, culprit in (
                (["-t", "qcow2"], "-t qcow2"), (["-t", ""], "-t "), (["-f", "qcow2"], "-f qcow2"),
                (["-f", ""], "-f "), (["-g", "3000"], "-g 3000"), (["-g", "2K"], "-g 2K"),
                (["-g", "2M"], "-g 2M"), (["-g", "96K"], "-g 96K"), (["-g", "64KB"], "-g 64KB"),
                (["-g", "-1"], "-1"), (["-g", ""], "-g "), (["-o", "colour=red"], "-o colour"),
                (["-o", "adaptertype=ide"], "-o adaptertype"), (["-o", "CID"], "-o CID"),
                (["-o", "adapterType=pvscsi"], "adapterType=pvscsi"),
                (["-o", "CID=123456789"], "CID=123456789"), (["-o", "CID=xyz"], "CID=xyz"),
                (["-o", "CID=ffffffff"], "CID=ffffffff"),
                (["-o", "virtualHWVersion=ten"], "virtualHWVersion=ten"),
                (["-o", "toolsVersion=4294967296"], "toolsVersion=4294967296"),
                (["-o", "capacity=big"], "capacity=big"), (["-o", "mkimg=1"], "mkimg=1"),
                (["-o", "tables=front"], "-o tables"), (["-o", "uuid=1"], "uuid=1"),
                (["-o", "name=a/b"], "name=a/b"), (["-o", "name="], "name="),
                (["-o", 'name=a"b'], 'name=a"b'), (["-o", "name=.."], "name=.."),
                (["-o", "CID=1", "-o", "CID=2"], "-o CID"),
                (["-o", 'ddb.comment=a"b'], "ddb.comment"),
                (["-o", "ddb.comment=a\nb"], "ddb.comment"),
                (["-o", "ddb.comment=a\x07b"], "ddb.comment"),
                (["-o", "ddb.a=1", "-o", 'ddb.b="'], "-o ddb.b"),
                (["-o", "ddb.=1"], "ddb."), (["-o", "ddb.uuid=1"], "ddb.uuid"),
                (["-o", "ddb.a b=1"], "ddb.a b"), (["-l", "3"], "-l"), (["--codec", "zlib"], "--codec"),
                (["-j", "0"], "-j 0"), (["--size", "big"], "--size big"), (["--colour"], "--colour"),
                (["--size", "99999999999999999999"], "--size 9"), (["--size", "9999999P"], "--size")):
            with self.subTest(arguments):
                self.refused("convert", *arguments, "disk.img", "disk.vmdk", says=f"{culprit}")

    def test_nothing_for_raw(self):
        for arguments in (["-g", "64K"], ["-o", "CID=1"], ["-l", "1"], ["--codec", "zlib"]):
            self.refused("convert", *arguments, "disk.img", "disk.raw", says=arguments[0])

    def test_arguments(self):
        for arguments, says in (
                ([], "a command is missing"), (["frobnicate"], "frobnicate"),
                (["convert"], "SRC"), (["convert", "disk.img"], "DST"), (["info"], "FILE"),
                (["compare", "disk.img"], "SECOND"), (["convert", "a", "b", "c"], "c: "),
                (["convert", "-g"], "-g: takes one value"), (["layout"], "-t is missing"),
                (["layout", "-t", "monolithicSparse"], "--capacity"),
                (["layout", "-t", "monolithicSparse", "--capacity", "0"], "--capacity 0"),
                (["layout", "-t", "monolithicSparse", "--capacity", "1P", "-g", "4K"], "--capacity"),
                (["layout", "-t", "monolithicSparse", "--capacity", "1M", "--stored", "17"],
                 "--stored 17: the disk has only 16"),
                (["layout", "-t", "raw", "--capacity", "1M"], "-t raw: has no layout; a raw"),
                (["layout", "-t", "what", "--capacity", "1M"], "-t what"),
                (["compare", "-", "-"], "standard input"), (["info", "disk.img"], "is not a VMDK")):
            with self.subTest(arguments):
                self.refused(*arguments, says=says)

    def test_empty_names(self):
        for arguments, culprit in (
                (["convert", "", "x"], "SRC"), (["convert", "disk.img", ""], "DST"),
                (["compare", "disk.img", ""], "SECOND"), (["info", ""], "FILE"),
                (["check", ""], "FILE"), (["map", ""], "FILE"), (["repair", ""], "FILE"),
                (["repair", "--keep", "", "disk.img"], "--keep"),
                (["create", "--size", "1M", ""], "FILE"),
                (["create", "--parent", "", "x.vmdk"], "--parent"),
                (["info", "--allow-dir", "", "disk.img"], "--allow-dir")):
            with self.subTest(arguments):
                self.refused(*arguments, says=f"vmdk: {culprit}: the name is empty; see vmdk ")


class Signals(ProgramTest):
    def test_stopped(self):
        """A stopped program takes its unfinished output with it."""
        for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start("convert", "-f", "raw", "--size", "1M", "-", "disk.vmdk",
                                 stdin=subprocess.PIPE)
            process.stdin.write(noise(MIB // 2))
            process.stdin.flush()
            deadline = time.monotonic() + 60
            while not os.listdir(self.folder) and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertRegex(" ".join(os.listdir(self.folder)), r"^\.disk\.vmdk\.\w+\.tmp$")
            process.send_signal(stop)
            _, err = process.communicate(timeout=60)
            self.assertEqual((-stop, b""), (process.returncode, err))
            self.assertEqual([], os.listdir(self.folder))

    def test_hang_up_that_is_ignored(self):
        self.write("disk.img", noise(MIB))
        self.done("convert", "disk.img", "disk.vmdk",
                  preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))


if __name__ == "__main__":
    unittest.main()
