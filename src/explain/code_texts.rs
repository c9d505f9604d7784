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
         cases have nothing in common: a block job on the disk, a bitmap of the same name, a \
         bitmap that is to be deleted and is not there, an image too old for bitmaps, a socket \
         that cannot be bound, metadata that cannot be written; from the error domain RPC, a \
         connection that was lost before. Side effects are possible, even a job that runs on, \
         and the code alone decides nothing.",
    ),
    (
        3,
        "The connection's driver has no such function. Another driver than QEMU's answers, or a \
         daemon that is older than the client and does not know the call.",
    ),
    (
        7,
        "The handle that was passed is not a domain: NULL, or an object that was freed. libvirt \
         says so before the call reaches any driver.",
    ),
    (
        8,
        "An argument is wrong. The error domain tells what it is about: QEMU, a target or scratch \
         file that exists already; DOMAIN, a parent that is not defined; DOMAIN_CHECKPOINT, a \
         <domain> with another UUID. The first number of the error is 0 for flags that are \
         unknown or exclude each other, and -1 for all else.",
    ),
    (
        9,
        "The operation was tried and did not work. The error domain tells why: DOMAIN, a \
         checkpoint of that name exists; QEMU, an image could not be formatted, or the domain \
         ended meanwhile; none, too many calls wait for the domain. No document promises this.",
    ),
    (
        27,
        "The document is XML, but not one that the call takes: another root element, a name or a \
         path that is missing, a type or a format that libvirt does not know.",
    ),
    (
        29,
        "The connection or the call may not do this: it is read-only, or asks for what only a \
         connection with more rights gets.",
    ),
    (
        35,
        "The document is not well-formed XML, or is empty. The message holds the line and the \
         place in it.",
    ),
    (
        38,
        "A call of the operating system failed: the target's directory is missing, space has run \
         out, permission is denied. The first number of the error is its errno. From the error \
         domain RPC it is something else: the daemon went away during the call, and nobody has \
         said what came of it.",
    ),
    (
        42,
        "No domain of that name or UUID is known any more: it was undefined, or was transient and \
         has ended, perhaps while the call waited.",
    ),
    (
        55,
        "The call does not fit the state of the domain. Which state depends on the call: it is \
         switched off, no job runs that could be aborted, or checkpoints keep it from being \
         undefined. From virDomainBackupBegin it is a bad sign: an ordinary job in the way is \
         answered with 68, and this one where a backup is registered that no job is seen of, or \
         where the host has no directory for TLS.",
    ),
    (
        66,
        "A target or scratch file is to be encrypted, and its secret is not defined on this host, \
         or has no value. Only the message tells which of the two.",
    ),
    (
        67,
        "The document is sound, but asks for what this domain or its disks cannot do: a checkpoint \
         on a raw disk, a disk that there is not, the same disk twice, a backup of no disk at \
         all. Nothing was changed.",
    ),
    (
        68,
        "Another job holds the domain, and waiting for it, 30 seconds, was in vain. A second \
         backup at the same time is answered with this one. Only the message names the call that \
         holds it.",
    ),
    (
        83,
        "The disk is being copied already, or its copy is not ready to be switched to. Only the \
         calls about such copies say so: a backup of a disk with a block job is answered with 1, \
         and a block job of a disk that is being backed up with 84.",
    ),
    (
        84,
        "The operation is not supported here and now. Mostly the domain is switched off. Where it \
         runs, the disk has a block job already, or is of a kind without any, the QEMU is too \
         old, or a server on TCP has no port, which libvirt 11.3 wants.",
    ),
    (
        88,
        "The access rules of this host deny the call to this caller. Making a backup needs other \
         rights than asking about it.",
    ),
    (
        92,
        "The document is well-formed, but breaks the schema of its kind: an unknown element, a \
         missing attribute, a value that is not allowed.",
    ),
    (
        102,
        "The handle that was passed is not a checkpoint: NULL, or an object that was freed. It is \
         a mistake of the program, and says nothing about any checkpoint.",
    ),
    (
        103,
        "No checkpoint of that name is defined: the one that is asked for, or the one that an \
         incremental backup is to be based on. libvirt may have lost it, as after the domain was \
         undefined or has moved to another host: its bitmap is then still in the image.",
    ),
    (
        104,
        "No backup is registered, whether the domain runs or not. It is how a client finds out \
         that one has ended; how it ended, the statistics of the completed job tell.",
    ),
    (
        109,
        "A checkpoint cannot be used: on some disk its bitmap is missing, inconsistent after a \
         crash, switched off, or not in the layers where it must be; a raw disk has none; and of \
         a domain that was restored and is still paused, libvirt 11.3 sees none yet. Only the \
         message names a disk, the first bad one. Since libvirt 6.10; compare the number, since \
         some builds of 6.6 raise it too.",
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
