//! Problems of the meaning: names that do not exist, what could never be, what could never fail.

use super::kind::{ProblemKind, kind};

pub(super) const KINDS: &[ProblemKind] = &[
    kind(
        "scenario::name",
        "the scenario's name is not the file's",
        "Reports, snapshots and lists refer to a scenario by its name, so there is only one: \
         `scenario:` says the file's name without `.yaml`. Rename one of the two.",
        "# in scenarios/seed/raw-disk-refused.yaml\nscenario: raw-disk-refuses",
        "# in scenarios/seed/raw-disk-refused.yaml\nscenario: raw-disk-refused",
    ),
    kind(
        "scenario::disk_name",
        "the name of a disk is no target device",
        "The name becomes the disk's target device in the domain's XML and a part of its image's \
         file name: small letters and digits.",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }\n  \
         data-disk: { format: raw, size: 16M }",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }\n  \
         vdc: { format: raw, size: 16M }",
    ),
    kind(
        "scenario::empty_disk",
        "a disk of no size",
        "libvirt would refuse the domain before the call under test is reached. A small disk, \
         such as 16M, costs next to nothing.",
        "disks:\n  vda: { format: qcow2, size: 0 }\n  vdb: { format: raw, size: 16M }",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }",
    ),
    kind(
        "scenario::alignment",
        "a size or an offset that is no whole number of sectors",
        "Disks and writes are made of sectors of 512 bytes. Write sizes with a unit: 64K, 1M.",
        "history:\n  - guest-write: { disk: vda, offset: 1000, length: 64K, pattern: 1 }",
        "history:\n  - guest-write: { disk: vda, offset: 1024, length: 64K, pattern: 1 }",
    ),
    kind(
        "scenario::beyond_end",
        "a write beyond the end of its disk",
        "Offset and length together must not be more than the disk's size. Make the disk larger, \
         or write elsewhere.",
        "history:\n  - guest-write: { disk: vda, offset: 15M, length: 2M, pattern: 1 }",
        "history:\n  - guest-write: { disk: vda, offset: 14M, length: 2M, pattern: 1 }",
    ),
    kind(
        "scenario::unknown_disk",
        "a step names a disk that there is not",
        "Every disk that a step names must stand in `disks`. Where the very point is a name that \
         libvirt does not know, send the document by `call`.",
        "history:\n  - guest-write: { disk: vdc, offset: 0, length: 64K, pattern: 1 }",
        "history:\n  - guest-write: { disk: vda, offset: 0, length: 64K, pattern: 1 }",
    ),
    kind(
        "scenario::unknown_dump",
        "a redefinition of what was not dumped",
        "`checkpoint-redefine` sends an XML that an earlier `checkpoint-dump … as: LABEL` has \
         kept. No step before this one keeps anything under this label.",
        "history:\n  - start\n  - checkpoint-create: { name: c1, disks: [vda] }\n  \
         - checkpoint-redefine: { from: saved }",
        "history:\n  - start\n  - checkpoint-create: { name: c1, disks: [vda] }\n  \
         - checkpoint-dump: { name: c1, as: saved }\n  \
         - checkpoint-redefine: { from: saved }",
    ),
    kind(
        "scenario::unknown_format",
        "a disk format that is not known",
        "The formats are those that the simulated host and the real one can both make.",
        "disks:\n  vda: { format: qcow, size: 16M }\n  vdb: { format: raw, size: 16M }",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }",
    ),
    kind(
        "scenario::unknown_mode",
        "a backup mode that the step does not know",
        "The step `backup-begin` writes the documents of push backups. Any other document can be \
         sent by `call`, word for word.",
        "when:\n  backup-begin: { mode: pul, disks: { vda: { target: vda.img } } }",
        "when:\n  backup-begin: { mode: push, disks: { vda: { target: vda.img } } }\n\
         then:\n  result: ok",
    ),
    kind(
        "scenario::file_name",
        "the target of a backup is no file name",
        "Targets lie in the scenario's own directory, so that nothing of the host can be \
         overwritten and nothing stays behind. Write a name without `/`.",
        "when:\n  backup-begin: { mode: push, disks: { vda: { target: ../vda.img } } }\n\
         then:\n  result: ok",
        "when:\n  backup-begin: { mode: push, disks: { vda: { target: vda.img } } }\n\
         then:\n  result: ok",
    ),
    kind(
        "scenario::unknown_api",
        "a function that `call` does not know",
        "`call` takes the C names of libvirt's functions for domains, checkpoints and backups.",
        "history:\n  - call: { api: virDomainReboot }",
        "history:\n  - call: { api: virDomainReset }",
    ),
    kind(
        "scenario::argument",
        "an argument that the function does not take",
        "`call` sends what libvirt's function takes and nothing else. Remove the key, or take \
         the function that has the argument.",
        "history:\n  - call: { api: virDomainAbortJob, flags: 1 }",
        "history:\n  - call: { api: virDomainAbortJobFlags, flags: 1 }",
    ),
    kind(
        "scenario::when",
        "the step under test is no call",
        "`when` is the one call whose answer the scenario is about. Guest writes, waiting and \
         damage to images belong into `history`.",
        "when:\n  guest-write: { disk: vda, offset: 0, length: 64K, pattern: 1 }\n\
         then:\n  result: ok",
        "history:\n  - guest-write: { disk: vda, offset: 0, length: 64K, pattern: 1 }\n\
         when:\n  checkpoint-create: { name: c1, disks: [vda] }\n\
         then:\n  result: ok",
    ),
    kind(
        "scenario::result",
        "a result other than ok",
        "A call either succeeds, `result: ok`, or is refused, and then `error` says with which \
         code.",
        "then:\n  result: refused",
        "then:\n  result: ok",
    ),
    kind(
        "scenario::unknown_code",
        "an error code that libvirt does not have",
        "`error` takes a name of libvirt's virterror.h. `backup-tck explain --list` shows all.",
        "then:\n  error: VIR_ERR_CHECKPOINT_BROKEN\n  decision: full-backup-new-chain",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  decision: full-backup-new-chain",
    ),
    kind(
        "scenario::unknown_domain",
        "a part of libvirt that there is not",
        "`error-domain` takes a name of libvirt's virterror.h, such as VIR_FROM_QEMU: the part \
         of libvirt that raises the error. It may be left out.",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  error-domain: VIR_FROM_KVM\n  \
         decision: full-backup-new-chain",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  error-domain: VIR_FROM_QEMU\n  \
         decision: full-backup-new-chain",
    ),
    kind(
        "scenario::unknown_decision",
        "a decision that is none of the closed set",
        "There are ten decisions and no other. `backup-tck explain --list` shows them, and \
         `backup-tck explain DECISION` tells what each means.",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  decision: full-backup",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  decision: full-backup-new-chain",
    ),
    kind(
        "scenario::empty_message",
        "an empty message",
        "An empty text is a part of every message, so this expectation could never fail. Write \
         the part that matters, or leave the key out.",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  message: \"\"\n  \
         decision: full-backup-new-chain",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  message: missing or broken bitmap\n  \
         decision: full-backup-new-chain",
    ),
    kind(
        "scenario::no_remedy",
        "a request to fix without the fixed request",
        "`fix-request` is only proven by the corrected call, and only the author knows it: add \
         it as `then.remedy`, with the same function as the call under test.",
        "then:\n  error: VIR_ERR_CONFIG_UNSUPPORTED\n  decision: fix-request",
        "then:\n  error: VIR_ERR_CONFIG_UNSUPPORTED\n  decision: fix-request\n  remedy:\n    \
         - checkpoint-create: { name: c1, disks: [vda] }",
    ),
];
