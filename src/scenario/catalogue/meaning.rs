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
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 1000, length: 64K, pattern: 1 }",
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 1024, length: 64K, pattern: 1 }",
    ),
    kind(
        "scenario::beyond_end",
        "a write beyond the end of its disk",
        "Offset and length together must not be more than the disk's size. Make the disk larger, \
         or write elsewhere.",
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 15M, length: 2M, pattern: 1 }",
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 14M, length: 2M, pattern: 1 }",
    ),
    kind(
        "scenario::unknown_disk",
        "a step names a disk that there is not",
        "Every disk that a step names must stand in `disks`. Where the very point is a name that \
         libvirt does not know, send the document by `call`.",
        "history:\n  - start\n  - guest-write: { disk: vdc, offset: 0, length: 64K, pattern: 1 }",
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 0, length: 64K, pattern: 1 }",
    ),
    kind(
        "scenario::unknown_format",
        "a disk format that is not known",
        "The formats are those that the simulated host and the real one can both make.",
        "disks:\n  vda: { format: qcow, size: 16M }\n  vdb: { format: raw, size: 16M }",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }",
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
        "history:\n  - start\n  - guest-write: { disk: vda, offset: 0, length: 64K, pattern: 1 }\n\
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
        "a recovery without the operator's part",
        "`fix-request` is only proven by the corrected call, `restore-environment-then-retry` by \
         the repair, `retry-after-job-ends` by the end of the other job, and only the author knows \
         these: add them as `then.remedy`. The corrected call has the same function as the call \
         under test.",
        "then:\n  error: VIR_ERR_CONFIG_UNSUPPORTED\n  decision: fix-request",
        "then:\n  error: VIR_ERR_CONFIG_UNSUPPORTED\n  decision: fix-request\n  remedy:\n    \
         - checkpoint-create: { name: c1, disks: [vda] }",
    ),
    kind(
        "scenario::unknown_mode",
        "a backup mode that there is not",
        "A whole backup is `push` or `pull`; one disk of it is `full` or `incremental`.",
        "when:\n  backup-begin: { mode: pul, disks: { vda: { target: vda.img } } }",
        "when:\n  backup-begin: { mode: push, disks: { vda: { target: vda.img } } }\n\
         then:\n  result: ok",
    ),
    kind(
        "scenario::unknown_damage",
        "a kind of damage that the language does not know",
        "The kinds name one field of the qcow2 bitmaps extension each; the reference of the \
         language lists them. Any other damage can be written by `write-bytes`.",
        "history:\n  - damage-image: { disk: vda, kind: autoclear }\n  - start",
        "history:\n  - damage-image: { disk: vda, kind: autoclear-cleared }\n  - start",
    ),
    kind(
        "scenario::unknown_word",
        "a word that is none of those that are meant",
        "Only a few words have a meaning here; the message names them or the nearest one.",
        "history:\n  - start\n  - snapshot-create: { name: s0, kind: extern }",
        "history:\n  - start\n  - snapshot-create: { name: s0, kind: external }",
    ),
    kind(
        "scenario::unknown_need",
        "a need that the language does not know",
        "`needs` says what the host must offer, so that the scenario is skipped elsewhere.",
        "needs: [roots]",
        "needs: [root]",
    ),
    kind(
        "scenario::unknown_category",
        "a category that there is not",
        "The three classes that clients tell apart are `invalid-request`, `temporary` and \
         `unrecoverable`; beside them stand `already-done` and `undecidable`.",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  category: fatal\n  \
         decision: full-backup-new-chain",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  category: unrecoverable\n  \
         decision: full-backup-new-chain",
    ),
    kind(
        "scenario::category",
        "a decision of another category",
        "Each decision belongs to one category. One of the two is wrong.",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  category: temporary\n  \
         decision: full-backup-new-chain",
        "then:\n  error: VIR_ERR_CHECKPOINT_INCONSISTENT\n  category: unrecoverable\n  \
         decision: full-backup-new-chain",
    ),
    kind(
        "scenario::no_error",
        "an error that is none",
        "VIR_ERR_OK stands for success: libvirt never refuses a call with it.",
        "then:\n  error: VIR_ERR_OK\n  decision: treat-as-done",
        "then:\n  result: ok",
    ),
    kind(
        "scenario::then",
        "a success with the parts of a refusal",
        "A call either succeeds or is refused. Error, message, decision and remedy belong to a \
         refusal alone.",
        "then:\n  result: ok\n  decision: treat-as-done",
        "then:\n  result: ok",
    ),
    kind(
        "scenario::versions",
        "a range of versions with nothing in it",
        "`since` is the first version of libvirt that the scenario applies to, `until` the last. \
         Both belong to the range.",
        "since: 9.0.0\nuntil: 7.0.0",
        "since: 7.0.0\nuntil: 9.0.0",
    ),
    kind(
        "scenario::matrix",
        "a matrix that cannot be expanded",
        "Each combination of one value of each axis is a scenario. The names of the values become \
         parts of its name, two axes must not replace the same key, and the number of scenarios \
         has a limit.",
        "matrix:\n  base:\n    Old One: { summary: \"The old base.\" }",
        "matrix:\n  base:\n    old: { summary: \"The old base.\" }",
    ),
    kind(
        "scenario::raw_disk",
        "a raw disk with what only qcow2 has",
        "A raw image is bytes and nothing else: no version, no clusters, no layers below.",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  \
         vdb: { format: raw, size: 16M, cluster-size: 64K }",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  \
         vdb: { format: qcow2, size: 16M, cluster-size: 64K }",
    ),
    kind(
        "scenario::cluster_size",
        "clusters that qcow2 does not have",
        "A cluster is a power of two, from 512 bytes to 2 MiB.",
        "disks:\n  vda: { format: qcow2, size: 16M, cluster-size: 48K }\n  \
         vdb: { format: raw, size: 16M }",
        "disks:\n  vda: { format: qcow2, size: 16M, cluster-size: 32K }\n  \
         vdb: { format: raw, size: 16M }",
    ),
    kind(
        "scenario::empty_drive",
        "an empty drive that is none, or that is used",
        "Only the drives of removable media can be empty, and then they have no image to write \
         to.",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }\n  \
         sda: { device: disk, empty: true }",
        "disks:\n  vda: { format: qcow2, size: 16M }\n  vdb: { format: raw, size: 16M }\n  \
         sda: { device: cdrom, empty: true }",
    ),
];
