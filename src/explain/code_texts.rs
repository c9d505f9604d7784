//! Error codes in words: what the backup and checkpoint calls of libvirt's QEMU driver mean by
//! them.

use crate::model::ErrorCode;

/// What the code means in a backup or checkpoint call; `None` for one that these are not known to
/// raise.
pub(super) fn meaning(code: ErrorCode) -> Option<&'static str> {
    let row = MEANINGS.iter().find(|row| row.0 == code.0)?;
    Some(row.1)
}

const MEANINGS: &[(i32, &str)] = &[
    (
        1,
        "Whatever has no code of its own, mostly a refusal of QEMU that libvirt passes on. The \
         cases have nothing in common: a block job on the disk, a bitmap of the same name, an \
         image too old for bitmaps, a socket that cannot be bound, metadata that cannot be \
         written. Side effects are possible, and the code alone decides nothing.",
    ),
    (
        3,
        "The connection's driver has no such function. Another driver than QEMU's answers, or a \
         daemon that is too old for the call.",
    ),
    (7, "The handle that was passed is not a domain."),
    (
        8,
        "An argument is wrong: an unknown or impossible combination of flags, a name of a parent \
         that is not defined, or a target file that exists already. The second number of the \
         error is 0 for flags; the domain of the error tells the rest apart.",
    ),
    (
        9,
        "The operation was tried and did not work: a checkpoint of that name exists, or an image \
         could not be formatted. The domain of the error tells the two apart.",
    ),
    (27, "The document is XML, but not one that the call takes."),
    (
        29,
        "The connection or the call may not do this: it is read-only, or asks for what only a \
         connection with more rights gets.",
    ),
    (35, "The document is not well-formed XML."),
    (
        38,
        "A call of the operating system failed: the target's directory is missing, space has run \
         out, permission is denied. The first number of the error is its errno.",
    ),
    (42, "No domain of that name or UUID is known."),
    (
        55,
        "The call does not fit the state of the domain: it is switched off, no job runs that \
         could be aborted, another backup is registered, or checkpoints keep the domain from \
         being undefined. Which of them depends on the call.",
    ),
    (
        66,
        "The document names a secret that libvirt does not know.",
    ),
    (
        67,
        "The document is sound, but asks for what this domain or its disks cannot do: a checkpoint \
         on a raw disk, a disk that there is not, a backup of no disk at all.",
    ),
    (
        68,
        "Another job holds the domain, and waiting for it, 30 seconds, was in vain. A second \
         backup at the same time is answered with this one.",
    ),
    (83, "A block copy of the disk is still active."),
    (
        84,
        "The operation is not supported here and now. Mostly the domain is switched off; else a \
         kind of disk, or this version of QEMU, cannot do it.",
    ),
    (
        88,
        "The access rules of this host deny the call to this caller.",
    ),
    (
        92,
        "The document is well-formed, but breaks the schema of its kind: an unknown element, a \
         missing attribute, a value that is not allowed.",
    ),
    (102, "The handle that was passed is not a checkpoint."),
    (
        103,
        "No checkpoint of that name is defined: the one that is asked for, or the one that an \
         incremental backup is to be based on. Its bitmap may still be in the image.",
    ),
    (104, "No backup runs, so there is none to be dumped."),
    (
        109,
        "A checkpoint cannot be used: on some disk its bitmap is missing, inconsistent after a \
         crash, switched off, or not in the layers where it must be. Only the message names a \
         disk, the first bad one. Since libvirt 6.10; compare the number, since some builds of \
         6.6 raise it too.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_belongs_to_a_code() {
        for (number, _) in MEANINGS {
            assert!(ErrorCode(*number).name().is_some(), "{number}");
        }
        assert!(MEANINGS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn every_code_with_a_rule_has_its_text() {
        for rule in crate::judge::rules() {
            for code in rule.codes {
                assert!(meaning(*code).is_some(), "{code}");
            }
        }
    }
}
