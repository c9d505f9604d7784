//! The command of `virsh` that makes a call.
//!
//! Options and their flags are those of `tools/virsh-*.c` in libvirt 11.3.

use crate::model::{Api, Argument, Call, flags};

/// A flag and its option.
type Options = &'static [(u32, &'static str)];

/// The words behind `virsh` for a call, not quoted. `document` keeps an XML document in a file and
/// gives its path.
///
/// # Errors
/// Why virsh cannot make this call.
pub fn virsh_words(
    call: &Call,
    mut document: impl FnMut(&str) -> Result<String, String>,
) -> Result<Vec<String>, String> {
    let (command, options) = command(call.api);
    let mut words: Vec<String> = command.split(' ').map(str::to_owned).collect();
    if call.api != Api::DomainDefine {
        words.push(call.domain.clone());
    }
    words.extend((call.api == Api::CheckpointListAllChildren).then(|| "--from".to_owned()));
    for (argument, given) in [
        (Argument::Checkpoint, &call.checkpoint),
        (Argument::Disk, &call.disk),
        (Argument::Snapshot, &call.snapshot),
    ] {
        let is_taken = call.api.arguments().contains(&argument);
        match given {
            Some(name) if name.is_empty() => {
                return Err(format!("`virsh {command}` sends no empty name"));
            }
            Some(name) if name.starts_with('-') => {
                return Err(format!("`virsh {command}` takes `{name}` for an option"));
            }
            Some(name) => words.push(name.clone()),
            None if is_taken => return Err(format!("`virsh {command}` sends no NULL name")),
            None => {}
        }
    }
    if let Some(xml) = &call.xml {
        words.extend((call.api == Api::DomainBlockCopy).then(|| "--xml".to_owned()));
        words.push(document(xml)?);
    } else if call.api.arguments().contains(&Argument::Xml) {
        return Err(format!("`virsh {command}` sends no NULL document"));
    }
    words.extend(call.size.map(|size| size.to_string()));
    words.extend(call.to.clone());
    for (option, path) in [("--base", &call.base), ("--top", &call.top)] {
        if let Some(path) = path {
            words.extend([option.to_owned(), path.clone()]);
        }
    }
    if let Some(xml) = &call.checkpoint_xml {
        words.extend(["--checkpointxml".to_owned(), document(xml)?]);
    }
    let mut rest = call.flags;
    for &(flag, option) in options {
        if rest & flag != 0 {
            words.push(option.to_owned());
            rest &= !flag;
        }
    }
    if rest != 0 {
        return Err(format!(
            "`virsh {command}` has no option for the flags {rest:#x}"
        ));
    }
    Ok(words)
}

/// The command of a function with what it always takes, and the options that stand for flags.
#[expect(clippy::too_many_lines, reason = "one table")]
fn command(api: Api) -> (&'static str, Options) {
    match api {
        Api::DomainDefine => ("define", &[(1, "--validate")]),
        Api::DomainUndefine => (
            "undefine",
            &[
                (flags::UNDEFINE_MANAGED_SAVE, "--managed-save"),
                (flags::UNDEFINE_SNAPSHOTS_METADATA, "--snapshots-metadata"),
                (
                    flags::UNDEFINE_CHECKPOINTS_METADATA,
                    "--checkpoints-metadata",
                ),
                (flags::UNDEFINE_NVRAM, "--nvram"),
                (flags::UNDEFINE_KEEP_NVRAM, "--keep-nvram"),
                (flags::UNDEFINE_TPM, "--tpm"),
                (flags::UNDEFINE_KEEP_TPM, "--keep-tpm"),
            ],
        ),
        Api::DomainCreate => ("start", &[(flags::START_PAUSED, "--paused")]),
        Api::DomainDestroy => ("destroy", &[(1, "--graceful")]),
        Api::DomainShutdown => ("shutdown", &[]),
        Api::DomainReset => ("reset", &[]),
        Api::DomainSuspend => ("suspend", &[]),
        Api::DomainResume => ("resume", &[]),
        Api::DomainGetState => ("domstate", &[]),
        Api::DomainGetXmlDesc => ("dumpxml", &[(1, "--security-info"), (2, "--inactive")]),
        Api::DomainManagedSave => ("managedsave", &[(2, "--running"), (4, "--paused")]),
        Api::DomainManagedSaveRemove => ("managedsave-remove", &[]),
        Api::DomainAttachDevice => ("attach-device", DEVICE),
        Api::DomainDetachDevice => ("detach-device", DEVICE),
        Api::DomainSave => ("save", &[]),
        Api::DomainCoreDump => ("dump", &[(2, "--live"), (16, "--memory-only")]),
        Api::DomainRename => ("domrename", &[]),
        Api::DomainMigrateSetMaxSpeed => ("migrate-setspeed", &[(1, "--postcopy")]),
        Api::DomainMigrateToUri3 => ("migrate", &[(1, "--live"), (2, "--p2p")]),
        Api::DomainSnapshotDelete => (
            "snapshot-delete",
            &[(1, "--children"), (2, "--metadata"), (4, "--children-only")],
        ),
        Api::DomainRevertToSnapshot => (
            "snapshot-revert",
            &[(1, "--running"), (2, "--paused"), (4, "--force")],
        ),
        Api::DomainSnapshotCreate => (
            "snapshot-create",
            &[(4, "--no-metadata"), (16, "--disk-only")],
        ),
        Api::DomainBackupBegin => (
            "backup-begin",
            &[(flags::BACKUP_BEGIN_REUSE_EXTERNAL, "--reuse-external")],
        ),
        Api::DomainBackupGetXmlDesc => ("backup-dumpxml", &[]),
        Api::DomainAbortJob => ("domjobabort", &[]),
        Api::DomainAbortJobFlags => ("domjobabort", &[(1, "--postcopy")]),
        Api::DomainGetJobStats => ("domjobinfo", &[(1, "--completed"), (2, "--keep-completed")]),
        Api::DomainGetJobInfo => ("domjobinfo", &[]),
        Api::DomainBlockCopy => (
            "blockcopy",
            &[(flags::BLOCK_COPY_TRANSIENT_JOB, "--transient-job")],
        ),
        Api::DomainBlockCommit => (
            "blockcommit",
            &[(1, "--shallow"), (2, "--delete"), (4, "--active")],
        ),
        // With a base, `virsh` calls the second.
        Api::DomainBlockPull | Api::DomainBlockRebase => ("blockpull", &[]),
        // With no unit, `virsh` takes KiB as the function does.
        Api::DomainBlockResize => ("blockresize", &[]),
        Api::DomainBlockJobSetSpeed => ("blockjob", &[]),
        Api::DomainBlockJobAbort => (
            "blockjob --abort",
            &[(1, "--async"), (flags::BLOCK_JOB_ABORT_PIVOT, "--pivot")],
        ),
        Api::DomainGetBlockJobInfo => ("blockjob --info", &[(1, "--bytes")]),
        Api::CheckpointCreate => (
            "checkpoint-create",
            &[
                (flags::CHECKPOINT_CREATE_REDEFINE, "--redefine"),
                (flags::CHECKPOINT_CREATE_QUIESCE, "--quiesce"),
                (
                    flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE,
                    "--redefine-validate",
                ),
            ],
        ),
        Api::CheckpointDelete => (
            "checkpoint-delete",
            &[
                (flags::CHECKPOINT_DELETE_CHILDREN, "--children"),
                (flags::CHECKPOINT_DELETE_METADATA_ONLY, "--metadata"),
                (flags::CHECKPOINT_DELETE_CHILDREN_ONLY, "--children-only"),
            ],
        ),
        Api::CheckpointGetXmlDesc => (
            "checkpoint-dumpxml",
            &[
                (flags::CHECKPOINT_XML_SECURE, "--security-info"),
                (flags::CHECKPOINT_XML_NO_DOMAIN, "--no-domain"),
                (flags::CHECKPOINT_XML_SIZE, "--size"),
            ],
        ),
        // No command of virsh does the look-up alone; this one does the least beside it.
        Api::CheckpointLookupByName => ("checkpoint-dumpxml --no-domain", &[]),
        Api::CheckpointGetParent => ("checkpoint-parent", &[]),
        Api::DomainListAllCheckpoints => (
            "checkpoint-list --name",
            &[
                (flags::CHECKPOINT_LIST_ROOTS, "--roots"),
                (flags::CHECKPOINT_LIST_TOPOLOGICAL, "--topological"),
                (flags::CHECKPOINT_LIST_LEAVES, "--leaves"),
                (flags::CHECKPOINT_LIST_NO_LEAVES, "--no-leaves"),
            ],
        ),
        Api::CheckpointListAllChildren => (
            "checkpoint-list --name",
            &[
                (flags::CHECKPOINT_LIST_DESCENDANTS, "--descendants"),
                (flags::CHECKPOINT_LIST_TOPOLOGICAL, "--topological"),
                (flags::CHECKPOINT_LIST_LEAVES, "--leaves"),
                (flags::CHECKPOINT_LIST_NO_LEAVES, "--no-leaves"),
            ],
        ),
    }
}

const DEVICE: Options = &[(1, "--live"), (2, "--config")];

/// Whether a call changes nothing.
#[must_use]
pub fn only_looks(api: Api) -> bool {
    matches!(
        api,
        Api::DomainGetState
            | Api::DomainGetXmlDesc
            | Api::DomainBackupGetXmlDesc
            | Api::DomainGetJobStats
            | Api::DomainGetJobInfo
            | Api::DomainGetBlockJobInfo
            | Api::CheckpointGetXmlDesc
            | Api::CheckpointLookupByName
            | Api::CheckpointGetParent
            | Api::DomainListAllCheckpoints
            | Api::CheckpointListAllChildren
    )
}
