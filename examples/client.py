#!/usr/bin/env python3
"""A small backup client of libvirt that asks `backup-tck decide` what to do after an error.

usage: client.py backup --domain NAME --state DIR [--connect URI] [--decide PROGRAM]

Takes a push backup of every qcow2 disk of the domain into DIR: incremental from the newest
checkpoint that has a verified backup behind it and full where there is none, each with a new
checkpoint. DIR also holds the client's books. It runs on libvirt's own host.

No error code and no message decides anything here. The client tells what it asked for, what it has
in its books and what libvirt answered, looks at whatever `decide` wants to know, and does what that
says.

exit codes:
  0  the backup is there, or was there already
  2  wrong usage
  3  the request must be fixed
  4  try again: the situation is temporary, its reason is printed
  5  somebody must look at it
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import client_host
import libvirt
from client_host import METADATA_ONLY, NO_DOMAIN, REDEFINE, VALIDATE, Disk, Host

EXIT_CODES = {"already-done": 0, "invalid-request": 3, "temporary": 4}
ESCALATED = 5
FAILURES = (libvirt.libvirtError, OSError, RuntimeError, subprocess.CalledProcessError)
ROUNDS = 3  # A recovery that fails is decided on as well, but not for ever.


class Decide:
    """`backup-tck decide`: one process, one line of facts in, one line of answer out."""

    def __init__(self, program: str) -> None:
        self.process = subprocess.Popen(
            [program, "decide", "--lines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, facts: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(facts) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "decide has ended"}')
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        self.process.communicate()


class Books:
    """What the client knows by itself. Each change is on disk before the next step."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "books.json"
        known = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.backups: list[dict[str, Any]] = known.get("backups", [])  # oldest first
        self.documents: dict[str, str] = known.get("documents", {})  # of checkpoints, by name
        self.due: list[dict[str, Any]] = known.get("due", [])  # clean-up before the next attempt

    def save(self) -> None:
        parts = {"backups": self.backups, "documents": self.documents, "due": self.due}
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(parts, indent=1))
        os.replace(new, self.path)

    def bases(self) -> list[dict[str, Any]]:
        """The backups that another one may build on: verified, and not retired."""
        return [each for each in self.backups if each["verified"] and not each["retired"]]

    def backup(self, checkpoint: str) -> dict[str, Any]:
        return next(each for each in self.backups if each["checkpoint"] == checkpoint)

    def retire(self, checkpoint: str) -> None:
        """The checkpoint is no base any more; the files of its backup stay."""
        for each in self.backups:
            each["retired"] |= each["checkpoint"] == checkpoint
        self.documents.pop(checkpoint, None)

    def chain(self, checkpoint: str, disk: str) -> list[str]:
        """The files that restore a disk, newest first."""
        backup = self.backup(checkpoint)
        older = self.chain(backup["base"], disk) if backup["parts"][disk] == "incremental" else []
        return [backup["files"][disk], *older]


@dataclass
class Plan:
    """What the next attempt takes. A disk without a part is taken as the base allows."""

    base: str | None = None
    parts: dict[str, str] = field(default_factory=dict)
    begins_chain: bool = False


class Client:
    def __init__(self, host: Host, state: Path, decide: Decide) -> None:
        self.host = host
        self.domain = host.domain
        self.state = state
        self.decide = decide
        self.books = Books(state)
        self.decisions: list[dict[str, Any]] = []

    def fresh_name(self) -> str:
        """Nothing has ever had it, so what is found under it later is the client's own."""
        return f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}"

    # --- the backup ---------------------------------------------------------------

    def run(self) -> int:
        """Takes a backup, recovering as decided; an exit code."""
        replaced = self.replaced_disks()
        usable = [each["checkpoint"] for each in self.books.bases()]
        usable = [name for name in usable if name not in replaced]
        plan = Plan(usable[-1] if usable else None)
        steps = self.books.due
        for _ in range(ROUNDS):
            self.clean_up(steps, "before-retry")
            self.books.due = []
            facts = self.attempt(plan)
            if facts is None:
                self.clean_up(steps, "after-verified-backup")
                return 0
            decided = self.consult(facts)
            steps = decided["clean_up"]
            self.clean_up(steps, "first")
            match decided["decision"]:
                case "full-backup-new-chain":
                    plan = Plan(begins_chain=True)
                case "incremental-from-other-good-checkpoint":
                    plan = Plan(decided["base"])
                case "full-for-affected-disks":
                    plan = Plan(decided["base"], decided["disks"])
                case "redefine-missing-checkpoints-then-retry":
                    self.redefine_missing(facts)
                case _:
                    self.books.due = [step for step in steps if step["time"] == "before-retry"]
                    self.books.save()
                    return EXIT_CODES.get(decided["category"], ESCALATED)
        return ESCALATED

    def attempt(self, plan: Plan) -> dict[str, Any] | None:
        """One backup; nothing where it is good, else what is known of the failure by itself."""
        name, disks = self.fresh_name(), self.host.disks()
        whole = "incremental" if plan.base else "full"
        parts = {
            disk: plan.parts.get(disk, whole) for disk in disks if disks[disk].format == "qcow2"
        }
        if plan.base:  # A disk that has come since has no bitmap of that checkpoint.
            known = self.books.backup(plan.base)["parts"]
            parts = {disk: parts[disk] if disk in known else "full" for disk in parts}
        files = {disk: str(self.state / f"{name}-{disk}.qcow2") for disk in parts}
        request_disks = [
            {
                "disk": disk,
                "base": plan.base if parts[disk] == "incremental" else None,
                "target": {"path": files[disk], "format": "qcow2"},
            }
            for disk in parts
        ]
        self.books.backups.append(
            {
                "checkpoint": name,
                "base": plan.base,
                "parts": parts,
                "files": files,
                "images": {disk: disks[disk].identity for disk in parts},
                "verified": False,
                "retired": False,
            }
        )
        self.books.save()
        facts = {
            "api": "virDomainBackupBegin",
            "request": {"checkpoint": name, "disks": request_disks},
            "observed": {},
        }
        try:
            self.domain.backupBegin(
                backup_xml(plan.base, parts, files, disks), checkpoint_xml(name, parts, disks)
            )
        except libvirt.libvirtError as error:
            facts["error"] = {
                "code": error.get_error_code(),
                "domain": error.get_error_domain(),
                "int1": error.get_int1(),
                "message": error.get_error_message(),
            }
        else:
            if self.end_of_job() == "completed":
                self.commit(name, plan)
                return None
        return facts | {"records": self.records()}

    def end_of_job(self) -> str:
        """Waits for the end of the job, whichever it is."""
        while self.host.job() != "none":
            time.sleep(0.1)
        return self.host.completed_job()

    def commit(self, name: str, plan: Plan) -> None:
        """The backup may be built on from now on. A careful program has restored it before."""
        document = self.domain.checkpointLookupByName(name).getXMLDesc(NO_DOMAIN)
        if plan.begins_chain:
            for each in self.books.bases():
                each["retired"] = True
        self.books.backup(name)["verified"] = True
        self.books.documents[name] = document
        self.books.save()
        print(f"backup {name}: {self.books.backup(name)['parts']}, base {plan.base}")

    # --- the decision -------------------------------------------------------------

    def replaced_disks(self) -> dict[str, list[str]]:
        now = {name: disk.identity for name, disk in self.host.disks().items()}
        replaced = {}
        for each in self.books.bases():
            images = each["images"].items()
            disks = [disk for disk, image in images if now.get(disk, image) != image]
            replaced |= {each["checkpoint"]: disks} if disks else {}
        return replaced

    def records(self) -> dict[str, Any]:
        attempts = [
            each for each in self.books.backups if not each["verified"] and not each["retired"]
        ]
        return {
            "verified_checkpoints": [each["checkpoint"] for each in self.books.bases()],
            "saved_checkpoints": list(self.books.documents),
            "uncommitted_checkpoints": [each["checkpoint"] for each in attempts],
            "replaced_disks": self.replaced_disks(),
            "can_mix": True,
            "may_start": True,  # By its owner: this client only says that it is off.
            "restored_and_not_resumed": self.host.is_restored_and_not_resumed(),
            "can_use_monitor": client_host.libvirt_qemu is not None,
        }

    def consult(self, facts: dict[str, Any]) -> dict[str, Any]:
        asked: list[dict[str, Any]] = []
        while "need" in (answer := self.decide(facts)):
            if answer["need"] in asked:
                raise RuntimeError(f"the answer to {answer['need']} did not help")
            asked.append(answer["need"])
            self.host.answer(answer["need"], facts)
        decided = answer["decided"]
        self.decisions.append(decided)
        if "error" in facts:
            print(f"libvirt: {facts['error']['message']}")
        print(f"decision: {decided['decision']} (rule {decided['rule']}: {decided['because']})")
        return decided

    # --- what a decision asks for -------------------------------------------------

    def redefine(self, name: str, disks: list[str], flags: int) -> libvirt.virDomainCheckpoint:
        document = self.books.documents.get(name) or self.host.document(name)
        return self.host.redefine(name, document, disks, flags)

    def redefine_missing(self, facts: dict[str, Any]) -> None:
        """Parents first. What libvirt does not take for good shows in the retry."""
        rows = facts["observed"].get("bitmaps")
        for name in [each["checkpoint"] for each in self.books.bases()]:
            if name in self.host.checkpoints() or name not in self.books.documents:
                continue
            disks = client_host.bitmap_disks(self.books.documents[name])
            if rows is not None:
                carriers = {row["disk"] for row in rows if row["name"] == name}
                disks = [disk for disk in disks if disk in carriers]
            try:
                if disks:
                    self.redefine(name, disks, VALIDATE)
            except libvirt.libvirtError as error:
                print(f"checkpoint {name} stays undefined: {error}")

    def clean_up(self, steps: list[dict[str, Any]], now: str) -> None:
        """The steps that are due now, in their order."""
        for step in (step for step in steps if step["time"] == now):
            name, disks, kept = step["checkpoint"], step["disks"], step.get("kept", [])
            print(f"clean-up: {step['kind']} {name} on {' '.join(disks)}")
            match step["kind"]:
                case "discard-uncommitted-checkpoint":
                    self.domain.checkpointLookupByName(name).delete()
                case "drop-checkpoint-metadata" if not kept:
                    self.domain.checkpointLookupByName(name).delete(METADATA_ONLY)
                case "drop-checkpoint-metadata":
                    self.redefine(name, kept, VALIDATE)
                case "purge-stale-bitmap-live" if step.get("unseen"):
                    for disk in disks:
                        self.purge_unseen(name, disk)
                case "purge-stale-bitmap-live":
                    self.redefine(name, disks, REDEFINE).delete()
                case "purge-stale-bitmap-offline":
                    for disk in disks:
                        image = self.host.disks()[disk].file
                        command = ["qemu-img", "bitmap", "--remove", image, name]
                        subprocess.run(command, check=True)
                case "clear-stuck-backup-job":
                    for disk in self.host.block_jobs().keys() & set(disks):
                        self.domain.blockJobAbort(disk)
                    while self.host.block_jobs().keys() & set(disks):
                        time.sleep(0.1)
            if kept and step["kind"] == "purge-stale-bitmap-live":
                self.redefine(name, kept, VALIDATE)
            if not kept:
                self.books.retire(name)
            self.books.save()

    def purge_unseen(self, name: str, disk: str) -> None:
        """Whether the disk carries the bitmap is not known, and a deletion wants to be right."""
        checkpoint = self.redefine(name, [disk], REDEFINE)
        try:
            checkpoint.delete()
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_INTERNAL_ERROR:
                raise
            checkpoint.delete(METADATA_ONLY)


def checkpoint_xml(name: str, parts: dict[str, str], disks: dict[str, Disk]) -> str:
    kinds = {disk: "bitmap" if disk in parts else "no" for disk in disks}
    listed = [f"<disk name={quoteattr(disk)} checkpoint='{kinds[disk]}'/>" for disk in disks]
    return (
        f"<domaincheckpoint><name>{name}</name>"
        f"<disks>{''.join(listed)}</disks></domaincheckpoint>"
    )


def backup_xml(
    base: str | None, parts: dict[str, str], files: dict[str, str], disks: dict[str, Disk]
) -> str:
    listed = []
    for disk in disks:
        if disk not in parts:
            listed.append(f"<disk name={quoteattr(disk)} backup='no'/>")
            continue
        listed.append(
            f"<disk name={quoteattr(disk)} type='file' backupmode='{parts[disk]}'>"
            f"<driver type='qcow2'/><target file={quoteattr(files[disk])}/></disk>"
        )
    incremental = f"<incremental>{base}</incremental>" if base else ""
    return f"<domainbackup>{incremental}<disks>{''.join(listed)}</disks></domainbackup>"


def backup(client: Client) -> int:
    """A backup. Where its recovery is refused, a program does nothing more."""
    try:
        return client.run()
    except FAILURES as error:
        return escalated(error)


def escalated(error: Exception) -> int:
    print(f"client.py: {error}", file=sys.stderr)
    return ESCALATED


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("backup", help="take a backup of all qcow2 disks")
    command.add_argument("--connect", metavar="URI", default="qemu:///system")
    command.add_argument("--domain", metavar="NAME", required=True)
    command.add_argument("--state", metavar="DIR", type=Path, required=True)
    command.add_argument("--decide", metavar="PROGRAM", default="backup-tck")
    command.add_argument(
        "--checkpoint-store",
        metavar="DIR",
        type=Path,
        default=Path("/var/lib/libvirt/qemu/checkpoint"),
        help="where libvirt keeps the metadata of checkpoints",
    )
    options = parser.parse_args(arguments)
    libvirt.registerErrorHandler(lambda *_: None, None)  # Each error is told once, by this client.
    try:
        options.state.mkdir(parents=True, exist_ok=True)
        connection = libvirt.open(options.connect)
        decide = Decide(options.decide)
        try:
            host = Host(connection.lookupByName(options.domain), options.checkpoint_store)
            return backup(Client(host, options.state.resolve(), decide))
        finally:
            decide.close()
            connection.close()
    except FAILURES as error:
        return escalated(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
