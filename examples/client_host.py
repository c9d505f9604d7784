"""What libvirt and its host know: an answer to each probe of `backup-tck decide`, as JSON.

`backup-tck decide --schema facts` has the form of the answers; how each is asked, and what that
costs, is in src/judge/probe.rs. Where an error's number is read here, it is the answer to a
question, as that file says; nothing is decided by it.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, NamedTuple

import libvirt

try:
    import libvirt_qemu
except ImportError:  # Bitmaps are then judged by redefining their checkpoints.
    libvirt_qemu = None

NO_DOMAIN = libvirt.VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN
REDEFINE = libvirt.VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE
VALIDATE = REDEFINE | libvirt.VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE
METADATA_ONLY = libvirt.VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY
KEPT = libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED | libvirt.VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED
INCONSISTENT = 109  # VIR_ERR_CHECKPOINT_INCONSISTENT; some bindings do not name it.
STATES = {
    libvirt.VIR_DOMAIN_RUNNING: "running",
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_SHUTOFF: "shutoff",
}
ENDS = {
    libvirt.VIR_DOMAIN_JOB_COMPLETED: "completed",
    libvirt.VIR_DOMAIN_JOB_FAILED: "failed",
    libvirt.VIR_DOMAIN_JOB_CANCELLED: "cancelled",
}


class Disk(NamedTuple):
    format: str
    file: str  # empty where the disk is no file

    @property
    def identity(self) -> list[int]:
        """A restored or replaced image is another file; its bitmaps may look good, and lie."""
        stat = os.stat(self.file) if os.path.exists(self.file) else None
        return [stat.st_dev, stat.st_ino] if stat else []


class Host:
    """A domain and the host it is on."""

    def __init__(self, domain: libvirt.virDomain, checkpoint_store: Path) -> None:
        self.domain = domain
        self.checkpoint_store = checkpoint_store

    def answer(self, probe: dict[str, Any], facts: dict[str, Any]) -> None:
        """Puts what a probe tells into the facts."""
        observed = facts["observed"]
        match probe["probe"]:
            case "bitmap-health":
                health = self.bitmap_health(probe["checkpoint"], probe["disks"])
                observed.setdefault("bitmap_health", {})[probe["checkpoint"]] = health
            case "files":
                paths = [disk["target"]["path"] for disk in facts["request"]["disks"]]
                observed["files"] = [path for path in paths if os.path.exists(path)]
            case name:
                fact = name.replace("-", "_")
                observed[fact] = getattr(self, fact)()

    def disk_elements(self) -> dict[str, ET.Element]:
        """The disks that a backup can be about, by target device."""
        found = {}
        for disk in ET.fromstring(self.domain.XMLDesc()).iterfind("./devices/disk"):
            target, source = disk.find("target"), disk.find("source")
            if target is not None and source is not None and disk.find("readonly") is None:
                found[target.get("dev", "")] = disk
        return found

    def disks(self) -> dict[str, Disk]:
        disks = {}
        for name, element in self.disk_elements().items():
            driver, source = element.find("driver"), element.find("source")
            kind = "raw" if driver is None else driver.get("type", "raw")
            disks[name] = Disk(kind, "" if source is None else source.get("file", ""))
        return disks

    def domain_state(self) -> str:
        try:
            return STATES.get(self.domain.state()[0], "other")
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            return "gone"

    def is_restored_and_not_resumed(self) -> bool:
        """Its reason tells a domain that was restored paused from one that was paused since."""
        try:
            restored = [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_MIGRATION]
            return self.domain.state() == restored
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            return False

    def disk_formats(self) -> dict[str, str]:
        return {name: disk.format for name, disk in self.disks().items()}

    def checkpoints(self) -> dict[str, list[str]]:
        found = {}
        for checkpoint in self.domain.listAllCheckpoints():
            found[checkpoint.getName()] = bitmap_disks(checkpoint.getXMLDesc(NO_DOMAIN))
        return found

    def job(self) -> str:
        try:
            stats = self.domain.jobStats()
        except libvirt.libvirtError:
            if self.domain.isActive():
                raise
            return "none"
        if stats["type"] == libvirt.VIR_DOMAIN_JOB_NONE:
            return "none"
        is_backup = stats.get("operation") == libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP
        return "backup" if is_backup else "other"

    def completed_job(self) -> str:
        return ENDS.get(self.domain.jobStats(KEPT)["type"], "none")

    def backup(self) -> bool:
        try:
            self.domain.backupGetXMLDesc()
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_BACKUP:
                raise
            return False
        return True

    def block_jobs(self) -> dict[str, int]:
        if not self.domain.isActive():
            return {}
        jobs = {disk: self.domain.blockJobInfo(disk) for disk in self.disks()}
        return {disk: job["type"] for disk, job in jobs.items() if job}

    def server(self) -> str:
        return "usable"  # A push backup has none that could fail.

    def metadata_store(self) -> Any:
        directory = self.checkpoint_store / self.domain.name()
        probe = directory / f".probe-{uuid.uuid4().hex}"
        try:
            probe.touch()
            probe.unlink()
        except FileNotFoundError:
            return "usable"  # libvirt makes the directory with the first checkpoint.
        except OSError as error:
            return {"unusable": str(error)}
        return "usable"

    def image_versions(self) -> dict[str, str]:
        qcow2 = {name: disk.file for name, disk in self.disks().items() if disk.format == "qcow2"}
        return {name: layers(file, "-U")[0]["compat"] for name, file in qcow2.items()}

    def stored_bitmaps(self) -> list[dict[str, Any]]:
        """The bitmaps of closed images; only asked for while the domain is off."""
        rows = []
        for name, disk in self.disks().items():
            for depth, layer in enumerate(layers(disk.file)):
                for bitmap in layer.get("bitmaps", []):
                    flags = {
                        "persistent": True,
                        "recording": "auto" in bitmap["flags"],
                        "inconsistent": "in-use" in bitmap["flags"],
                        "busy": False,
                    }
                    rows.append(bitmap_row(name, depth, bitmap, flags))
        return rows

    def bitmaps(self) -> list[dict[str, Any]]:
        """The bitmaps of QEMU's nodes; libvirt names those of a layer by the layer's index."""
        nodes = {}
        for disk, element in self.disk_elements().items():
            sources = [element.find("source")]
            sources += [store.find("source") for store in element.iter("backingStore")]
            for depth, source in enumerate(each for each in sources if each is not None):
                nodes[f"libvirt-{source.get('index')}-format"] = (disk, depth)
        command = {"execute": "query-named-block-nodes", "arguments": {"flat": True}}
        reply = libvirt_qemu.qemuMonitorCommand(self.domain, json.dumps(command), 0)
        rows = []
        for node in json.loads(reply)["return"]:
            for bitmap in node.get("dirty-bitmaps", []):
                if node["node-name"] in nodes and "name" in bitmap:
                    names = ("persistent", "recording", "inconsistent", "busy")
                    flags = {name: bitmap.get(name, False) for name in names}
                    rows.append(bitmap_row(*nodes[node["node-name"]], bitmap, flags))
        return rows

    def bitmap_health(self, name: str, disks: list[str]) -> dict[str, str]:
        """Each bitmap by a validated redefinition of its own; the definition is put back."""
        before = self.document(name)
        health = {}
        try:
            for disk in disks:
                try:
                    self.redefine(name, before, [disk], VALIDATE, with_parent=False)
                    health[disk] = "good"
                except libvirt.libvirtError as error:
                    if error.get_error_code() != INCONSISTENT:
                        raise
                    health[disk] = "bad"
        finally:
            if before is not None:
                self.domain.checkpointCreateXML(before, REDEFINE)
            elif self.document(name) is not None:
                self.domain.checkpointLookupByName(name).delete(METADATA_ONLY)
        return health

    def document(self, name: str) -> str | None:
        """The document of a checkpoint, where it is defined."""
        if name not in self.checkpoints():
            return None
        return self.domain.checkpointLookupByName(name).getXMLDesc(NO_DOMAIN)

    def redefine(
        self,
        name: str,
        document: str | None,
        disks: list[str],
        flags: int,
        with_parent: bool = True,
    ) -> libvirt.virDomainCheckpoint:
        """Defines a checkpoint on exactly these disks, otherwise by its document."""
        if document:
            root = ET.fromstring(document)
        else:
            root = ET.Element("domaincheckpoint")
            ET.SubElement(root, "name").text = name
            ET.SubElement(root, "creationTime").text = "1"  # libvirt wants one, and takes any.
        parent = root.find("parent")
        if parent is not None and not (
            with_parent and parent.findtext("name") in self.checkpoints()
        ):
            root.remove(parent)
        for listed in root.findall("disks"):
            root.remove(listed)
        listed = ET.SubElement(root, "disks")
        for disk in disks:
            ET.SubElement(listed, "disk", name=disk, checkpoint="bitmap", bitmap=name)
        return self.domain.checkpointCreateXML(ET.tostring(root, encoding="unicode"), flags)


def layers(path: str, *options: str) -> list[dict[str, Any]]:
    """What the images of a chain say of themselves, top first."""
    command = ["qemu-img", "info", "--backing-chain", *options, "--output=json", path]
    infos = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return [info.get("format-specific", {}).get("data", {}) for info in infos]


def bitmap_row(disk: str, layer: int, bitmap: dict[str, Any], flags: dict[str, bool]) -> Any:
    row = {"disk": disk, "layer": layer, "name": bitmap["name"], **flags}
    return row | {"granularity": bitmap["granularity"], "dirty": bitmap.get("count")}


def bitmap_disks(document: str) -> list[str]:
    listed = ET.fromstring(document).iterfind("./disks/disk[@checkpoint='bitmap']")
    return [disk.get("name", "") for disk in listed]
