//! The codes by which libvirt says that the request itself is wrong.

use crate::judge::Rule;
use crate::judge::facts::Facts;
use crate::judge::rule::{Step, plain};
use crate::model::{Api, Decision, ErrorCode, ErrorDomain};

const FIX: Decision = Decision::FixRequest;
const VIRTERROR: &str = "include/libvirt/virterror.h";
const REDEFINING: &[Api] = &[Api::CheckpointCreate];

pub(super) const RULES: &[Rule] = &[
    Rule::on("B27", &[ErrorCode::CONFIG_UNSUPPORTED], FIX).because(
        "the parameters of the call ask for what this domain cannot do",
        &["Red Hat bug 1874846, comment 9: a hard error caused by wrong parameters"],
    ),
    Rule::on("B29", &[ErrorCode::XML_INVALID_SCHEMA], FIX).because(
        "the document does not fit libvirt's schema",
        &[
            "docs/formatbackup.rst, docs/formatcheckpoint.rst",
            "src/util/virxml.c:virXMLValidatorValidate",
        ],
    ),
    Rule::on("B29-syntax", &[ErrorCode::XML_DETAIL], FIX).because(
        "the document is not well-formed XML",
        &["src/util/virxml.c:catchXMLError"],
    ),
    Rule::on("B29-root", &[ErrorCode::XML_ERROR], FIX).because(
        "the document has another root element, or lacks something it must have",
        &[
            "src/util/virxml.c:virXMLParseHelper: expecting root element of",
            "src/conf/checkpoint_conf.c:virDomainCheckpointDefParse",
        ],
    ),
    Rule::on("B33", &[ErrorCode::OPERATION_DENIED], FIX).because(
        "the connection is read-only",
        &["src/libvirt-domain.c:virDomainBackupBegin: virCheckReadOnlyGoto"],
    ),
    Rule::on("B33-access", &[ErrorCode::ACCESS_DENIED], FIX).because(
        "the caller may not do this: grant it, or use another identity",
        &["docs/aclpolkit.rst; include/libvirt/virterror.h: VIR_ERR_ACCESS_DENIED"],
    ),
    Rule::on("B22-support", &[ErrorCode::NO_SUPPORT], FIX).because(
        "this libvirt, or this kind of domain, does not have the function",
        &[
            "include/libvirt/virterror.h: VIR_ERR_NO_SUPPORT",
            "measured on libvirt 7.0: a newer function over a connection to an older \
              daemon",
        ],
    ),
    Rule::on("D6", &[ErrorCode::INVALID_DOMAIN_CHECKPOINT], FIX).because(
        "the handle is not one of a checkpoint: a mistake of the program",
        &[
            "src/libvirt-domain-checkpoint.c: virCheckDomainCheckpointReturn",
            VIRTERROR,
        ],
    ),
    Rule::on("D6-domain", &[ErrorCode::INVALID_DOMAIN], FIX).because(
        "the handle is not one of a domain: a mistake of the program",
        &["src/libvirt-domain.c: virCheckDomainReturn", VIRTERROR],
    ),
    Rule::on("B22", &[ErrorCode::INVALID_ARG], FIX)
        .when_known(flags_are_refused)
        .because(
            "the function does not take these flags, or wants a document that is NULL",
            &[
                "measured on libvirt 7.0 to 12.8: int1 is 0 for these, and -1 for other \
              errors of the code",
            ],
        ),
    Rule::on(
        "C4",
        &[ErrorCode::INVALID_ARG],
        Decision::RedefineMissingCheckpointsThenRetry,
    )
    .of(REDEFINING)
    .when(parent_is_lost)
    .because(
        "the parent is not defined, and its document is kept: parents are defined \
              first",
        &[
            "src/conf/virdomainmomentobjlist.c:virDomainMomentCheckCycles",
            "docs/formatcheckpoint.rst: redefining a checkpoint",
        ],
    ),
    Rule::on("C4-parent", &[ErrorCode::INVALID_ARG], FIX)
        .of(REDEFINING)
        .when_known(is_about_the_tree)
        .because(
            "the parent is not defined and nobody has its document, or it would be its \
              own ancestor: leave <parent> out",
            &["src/conf/virdomainmomentobjlist.c:virDomainMomentCheckCycles"],
        ),
    Rule::on("C5", &[ErrorCode::INVALID_ARG], FIX)
        .of(REDEFINING)
        .when_known(is_of_the_checkpoint_api)
        .because(
            "the <domain> in the document has another UUID: leave it out, if the images \
              have the same history",
            &[
                "src/conf/checkpoint_conf.c:virDomainCheckpointRedefinePrep",
                "docs/formatcheckpoint.rst",
            ],
        ),
    Rule::on("B21", &[ErrorCode::INVALID_ARG], FIX)
        .of(&[Api::DomainBackupBegin])
        .when_known(is_of_the_driver)
        .because(
            "a target or scratch file is there already, or a group of file descriptors \
              is not: take another name; what stands there stays",
            &["src/qemu/qemu_backup.c:qemuBackupDiskPrepareOneStorage"],
        ),
    Rule::on("B21-argument", &[ErrorCode::INVALID_ARG], FIX).because(
        "an argument of the call is wrong for this domain",
        &["include/libvirt/virterror.h: VIR_ERR_INVALID_ARG"],
    ),
];

/// Flag errors have a first number of 0.
fn flags_are_refused(facts: &Facts) -> bool {
    facts.int1() == Some(0)
}

fn parent_is_lost(facts: &Facts) -> Step {
    let Some(parent) = &facts.request.parent else {
        return Ok(None);
    };
    let is_itself = facts.request.checkpoint.as_ref() == Some(parent);
    let is_kept = facts.records.saved_checkpoints.contains(parent) && !is_itself;
    if !facts.is_of(ErrorDomain::DOMAIN) || !is_kept {
        return Ok(None);
    }
    Ok(plain(!facts.checkpoints()?.contains_key(parent)))
}

fn is_about_the_tree(facts: &Facts) -> bool {
    facts.is_of(ErrorDomain::DOMAIN)
}

fn is_of_the_checkpoint_api(facts: &Facts) -> bool {
    facts.is_of(ErrorDomain::DOMAIN_CHECKPOINT)
}

fn is_of_the_driver(facts: &Facts) -> bool {
    facts.is_of(ErrorDomain::QEMU)
}
