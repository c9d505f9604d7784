"""The client in client.py on real libvirt: each failure is made, and what it does is shown by data.

usage: python3 examples/client_test.py

`ci/examples` builds what it needs and calls it. libvirt runs inside this process (qemu:///embed) in
a directory of its own below TMPDIR. Needs Python's bindings of libvirt, QEMU, qemu-img and a built
`backup-tck`, which BACKUP_TCK names, else it is looked for in target/debug; without one of them all
tests are skipped, and say so.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

EXAMPLES = Path(__file__).resolve().parent
sys.path.insert(0, str(EXAMPLES))
sys.dont_write_bytecode = True

EMULATOR = shutil.which("qemu-system-x86_64")
PROGRAM = os.environ.get("BACKUP_TCK", str(EXAMPLES.parent / "target/debug/backup-tck"))
SIZE = 4 << 20
DISKS = ("vda", "vdb")
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h

root = Path()
connection: Any = None


def setUpModule() -> None:
    global libvirt, libvirt_qemu, client, client_host, root, connection
    # libvirt logs each refusal, and refusals are what is tested.
    os.environ.setdefault("LIBVIRT_LOG_OUTPUTS", "1:file:/dev/null")
    try:
        import libvirt
        import libvirt_qemu
    except ImportError as error:
        raise unittest.SkipTest(f"{error} (Debian and Ubuntu: python3-libvirt)") from error
    for tool in ("qemu-system-x86_64", "qemu-img", PROGRAM):
        if shutil.which(tool) is None:
            raise unittest.SkipTest(f"there is no {tool}")
    import client
    import client_host

    root = Path(tempfile.mkdtemp(prefix="btck-py-"))
    unittest.addModuleCleanup(shutil.rmtree, root)
    configuration = root / "r/etc"
    configuration.mkdir(parents=True)
    settings = [
        'stdio_handler = "file"',
        'security_driver = "none"',
        "namespaces = [ ]",
        "cgroup_controllers = [ ]",
        "dynamic_ownership = 0",
        "remember_owner = 0",
    ]
    if os.geteuid() == 0:
        settings += ['user = "root"', 'group = "root"']
    (configuration / "qemu.conf").write_text("\n".join(settings) + "\n")
    libvirt.registerErrorHandler(lambda *_: None, None)
    # The driver lives in this process, so its events are this process's to dispatch.
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=dispatch_events, daemon=True).start()
    connection = libvirt.open(f"qemu:///embed?root={root}/r")


def dispatch_events() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def tearDownModule() -> None:
    if connection is None:
        return
    connection.close()
    left = processes()
    for process in left:
        os.kill(process, signal.SIGKILL)
    if left:
        raise AssertionError(f"processes were left: {left}")


def processes() -> list[int]:
    """The QEMU processes of this test."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"{root}/".encode() in arguments and b"qemu-system" in arguments:
            found.append(int(entry.name))
    return found


def qemu_img(*arguments: str) -> None:
    subprocess.run(["qemu-img", *arguments], check=True, capture_output=True)


class ClientTest(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = root / self._testMethodName
        self.state = self.directory / "backups"
        self.state.mkdir(parents=True)
        # What the guest has written, byte for byte.
        self.written = {disk: bytearray(SIZE) for disk in DISKS}
        for disk in DISKS:
            qemu_img("create", "-q", "-f", "qcow2", self.image(disk), str(SIZE))
        self.domain = connection.defineXML(self.domain_xml())
        self.addCleanup(self.remove_domain)
        self.decide = client.Decide(PROGRAM)
        self.addCleanup(self.decide.close)
        self.start()

    def start(self) -> None:
        """Paused, since there is no guest to run."""
        self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)

    def domain_xml(self) -> str:
        disks = [
            f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
            f"<source file='{self.image(disk)}'/><target dev='{disk}' bus='virtio'/></disk>"
            for disk in DISKS
        ]
        return (
            "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
            f"<name>{self._testMethodName}</name><memory unit='MiB'>32</memory>"
            "<os><type arch='x86_64' machine='pc'>hvm</type></os>"
            f"<devices><emulator>{EMULATOR}</emulator>{''.join(disks)}"
            "<controller type='usb' model='none'/><memballoon model='none'/></devices>"
            # Half of the time of a start; see src/plan/xml.rs.
            "<qemu:capabilities><qemu:del capability='cpu-unavailable-features'/>"
            "</qemu:capabilities></domain>"
        )

    def image(self, disk: str) -> str:
        return str(self.directory / f"{disk}.qcow2")

    def remove_domain(self) -> None:
        if self.domain.isActive():
            self.domain.destroy()
        self.domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA)

    def write(self, offset: int, pattern: int, disks: tuple[str, ...] = DISKS) -> None:
        """A write of the guest to 64 KiB of each disk, through QEMU's block layer."""
        for disk in disks:
            device = f"/machine/peripheral/virtio-disk{DISKS.index(disk)}/virtio-backend"
            command = f'qemu-io -d {device} "write -f -P {pattern} {offset << 16} 64k"'
            flags = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
            libvirt_qemu.qemuMonitorCommand(self.domain, command, flags)
            self.written[disk][offset << 16 : (offset + 1) << 16] = bytes([pattern]) * (1 << 16)

    def restart(self) -> None:
        """QEMU ends as it should, and stores its bitmaps."""
        self.domain.destroy()
        self.start()

    def emulator(self) -> int:
        """The process of the domain's QEMU."""
        (process,) = [
            number
            for number in processes()
            if self.image("vda").encode() in Path(f"/proc/{number}/cmdline").read_bytes()
        ]
        return process

    def crash(self) -> None:
        os.kill(self.emulator(), signal.SIGKILL)
        deadline = time.monotonic() + 10
        while self.domain.isActive():
            self.assertLess(time.monotonic(), deadline, "libvirt has not seen QEMU's end")
            time.sleep(0.02)
        self.start()

    def back_up(self, exit_code: int = 0, names: tuple[str, ...] = ()) -> Any:
        """A run of the client, as of a new process with the same books."""
        store = root / "r/lib/qemu/checkpoint"
        run = client.Client(client_host.Host(self.domain, store), self.state, self.decide)
        if names:
            run.fresh_name = iter(names).__next__
        self.assertEqual(client.backup(run), exit_code)
        return run

    def newest(self) -> str:
        return client.Books(self.state).bases()[-1]["checkpoint"]

    def checkpoints(self) -> list[str]:
        return sorted(checkpoint.getName() for checkpoint in self.domain.listAllCheckpoints())

    def assert_restores(self, layers: int, disks: tuple[str, ...] = DISKS) -> None:
        """The newest backup, with those it builds on, is what was written."""
        for disk in disks:
            chain = client.Books(self.state).chain(self.newest(), disk)
            self.assertEqual(len(chain), layers, disk)
            for top, below in zip(chain, chain[1:]):
                qemu_img("rebase", "-u", "-F", "qcow2", "-b", below, top)
            raw = self.directory / f"{disk}.raw"
            qemu_img("convert", "-f", "qcow2", "-O", "raw", chain[0], str(raw))
            self.assertTrue(raw.read_bytes() == self.written[disk], f"{disk} differs")

    def stored_bitmaps(self, disk: str) -> list[str]:
        data = client_host.layers(self.image(disk))[0]
        return [bitmap["name"] for bitmap in data.get("bitmaps", [])]

    def assert_decided(self, run: Any, *expected: str) -> None:
        self.assertEqual([decided["decision"] for decided in run.decisions], list(expected))

    def test_full_then_incremental(self) -> None:
        self.write(0, 1)
        self.assert_decided(self.back_up())
        full = self.newest()
        self.assert_restores(1)
        self.write(1, 2)
        self.assert_decided(self.back_up())
        self.assertEqual(client.Books(self.state).backup(self.newest())["base"], full)
        self.assert_restores(2)

    def test_command_line(self) -> None:
        self.write(0, 1)
        command = ["backup", "--connect", connection.getURI(), "--decide", PROGRAM]
        command += ["--domain", self.domain.name(), "--state", str(self.state)]
        self.assertEqual(client.main(command), 0)
        self.assertEqual(client.main(command), 0)
        self.assert_restores(2)

    def test_job_that_fails(self) -> None:
        self.write(0, 1)
        self.back_up()
        base = self.newest()
        for offset in range(1, 33):
            self.write(offset, 2)
        # As on a full file system: QEMU cannot write 2 MiB into one file.
        emulator = self.emulator()
        limits = resource.prlimit(emulator, resource.RLIMIT_FSIZE)
        resource.prlimit(emulator, resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
        run = self.back_up(4)
        resource.prlimit(emulator, resource.RLIMIT_FSIZE, limits)
        self.assert_decided(run, "restore-environment-then-retry")
        # The checkpoint of a backup that failed is a hole for whoever builds on it.
        self.assertEqual(self.checkpoints(), [base])
        self.assert_decided(self.back_up())
        self.assertEqual(client.Books(self.state).backup(self.newest())["base"], base)
        self.assert_restores(2)

    def crashed(self, expected_clean_up: list[str]) -> None:
        self.write(0, 1)
        self.back_up()
        old = self.newest()
        self.restart()  # The bitmap is in the image now, and is marked as in use.
        self.write(1, 2)
        self.crash()
        self.write(2, 3)
        run = self.back_up()
        self.assert_decided(run, "full-backup-new-chain")
        self.assertEqual([step["kind"] for step in run.decisions[0]["clean_up"]], expected_clean_up)
        self.assertNotEqual(self.newest(), old)
        self.assert_restores(1)
        self.assertEqual(self.checkpoints(), [self.newest()])
        self.write(3, 4)
        self.assert_decided(self.back_up())
        self.assert_restores(2)
        self.domain.destroy()
        for disk in DISKS:
            self.assertEqual(sorted(self.stored_bitmaps(disk)), self.checkpoints())

    def test_crash(self) -> None:
        self.crashed(["purge-stale-bitmap-live"])

    def test_crash_without_the_monitor(self) -> None:
        with mock.patch.object(client_host, "libvirt_qemu", None):
            self.crashed(["purge-stale-bitmap-live"])

    def test_old_chain_stays_until_there_is_a_new_one(self) -> None:
        self.write(0, 1)
        self.back_up()
        before = self.checkpoints()
        self.restart()
        self.crash()
        (self.state / "second-vda.qcow2").touch()
        run = self.back_up(3, ("first", "second"))
        self.assert_decided(run, "full-backup-new-chain", "fix-request")
        self.assertEqual(self.checkpoints(), before)
        self.assertEqual([self.newest()], before)

    def lose_metadata(self) -> None:
        self.domain.destroy()
        self.domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA)
        self.domain = connection.defineXML(self.domain_xml())
        self.start()
        self.assertEqual(self.checkpoints(), [])

    def lost_metadata(self) -> None:
        self.write(0, 1)
        self.back_up()
        self.write(1, 2)
        self.back_up()
        before = self.checkpoints()
        self.lose_metadata()
        self.write(2, 3)
        run = self.back_up()
        self.assert_decided(run, "redefine-missing-checkpoints-then-retry")
        self.assertEqual(self.checkpoints(), sorted([*before, self.newest()]))
        self.assert_restores(3)

    def test_lost_metadata(self) -> None:
        self.lost_metadata()

    def test_lost_metadata_without_the_monitor(self) -> None:
        with mock.patch.object(client_host, "libvirt_qemu", None):
            self.lost_metadata()

    def test_existing_target(self) -> None:
        self.write(0, 1)
        self.back_up()
        before = self.checkpoints()
        there = self.state / "tuesday-vdb.qcow2"
        there.write_text("not ours")
        self.assert_decided(self.back_up(3, ("tuesday",)), "fix-request")
        self.assertEqual(there.read_text(), "not ours")
        self.assertEqual(self.checkpoints(), before)
        self.write(1, 2)
        self.assert_decided(self.back_up())
        self.assert_restores(2)

    def lose_newest_bitmap(self, *disks: str) -> str:
        lost = self.newest()
        self.domain.destroy()
        for disk in disks:
            qemu_img("bitmap", "--remove", self.image(disk), lost)
        self.start()
        return lost

    def test_other_base(self) -> None:
        self.write(0, 1)
        self.back_up()
        oldest = self.newest()
        self.write(1, 2)
        self.back_up()
        lost = self.lose_newest_bitmap(*DISKS)
        self.write(2, 3)
        self.assert_decided(self.back_up(), "incremental-from-other-good-checkpoint")
        self.assertEqual(client.Books(self.state).backup(self.newest())["base"], oldest)
        self.assertNotIn(lost, self.checkpoints())
        self.assert_restores(2)

    def test_one_disk_affected(self) -> None:
        self.write(0, 1)
        self.back_up()
        self.lose_newest_bitmap("vdb")
        self.write(1, 2)
        self.assert_decided(self.back_up(), "full-for-affected-disks")
        parts = client.Books(self.state).backup(self.newest())["parts"]
        self.assertEqual(parts, {"vda": "incremental", "vdb": "full"})
        self.assert_restores(2, ("vda",))
        self.assert_restores(1, ("vdb",))

    def test_domain_is_off(self) -> None:
        self.back_up()
        before = self.checkpoints()
        self.domain.destroy()
        self.assert_decided(self.back_up(4), "change-domain-state-then-retry")
        self.start()
        self.assertEqual(self.checkpoints(), before)
        self.write(0, 1)
        self.assert_decided(self.back_up())
        self.assert_restores(2)

    def test_replaced_image(self) -> None:
        self.write(0, 1)
        self.back_up()
        old = self.newest()
        self.domain.destroy()
        # Rolled back by a copy, bitmaps and all: libvirt would take an incremental backup.
        copy = self.image("vdb") + ".copy"
        shutil.copy(self.image("vdb"), copy)
        os.replace(copy, self.image("vdb"))
        self.start()
        run = self.back_up()
        backup = run.books.backup(self.newest())
        self.assertNotEqual(backup["checkpoint"], old)
        self.assertEqual(backup["parts"], {"vda": "full", "vdb": "full"})
        self.assert_restores(1)


class CommandLineTest(unittest.TestCase):
    def test_usage(self) -> None:
        command = [sys.executable, "-B", str(EXAMPLES / "client.py"), "backup"]
        ended = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(ended.returncode, 2, ended.stderr)

    def test_unknown_domain(self) -> None:
        command = ["backup", "--connect", connection.getURI(), "--decide", PROGRAM]
        command += ["--domain", "none", "--state", str(root / "none")]
        self.assertEqual(client.main(command), 5)


def collect_orphans() -> None:
    """Goes on in a child, whose orphans come to this process and are collected at once.

    QEMU detaches itself, and libvirt waits until somebody has taken note of its end. Process 1
    takes its time with that on some machines: 2 s instead of 0.4 s for each domain.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    tests = os.fork()
    while tests:
        ended, status = os.wait()
        if ended == tests:
            sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    collect_orphans()
    unittest.main(buffer=True)
