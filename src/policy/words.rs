//! Profiles in the words they are written in.

use std::fmt;

use super::rule::{Act, OnDisks, Redefine, Subject, When, Which};
use crate::model::DomainState;

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes: Vec<String> = self.code.iter().map(|code| code.0.to_string()).collect();
        let state = |state: DomainState| format!("domain {state}");
        let subject = |subject| match subject {
            Subject::Defined => "checkpoint defined",
            Subject::Missing => "checkpoint missing",
        };
        let kind = |incremental| if incremental { "incremental" } else { "full" };
        let words = [
            self.call.map(|call| call.as_str().to_owned()),
            (!codes.is_empty()).then(|| codes.join(" or ")),
            self.message.as_ref().map(|text| format!("with `{text}`")),
            self.domain.map(state),
            self.checkpoint.map(|found| subject(found).to_owned()),
            self.incremental.map(|wanted| kind(wanted).to_owned()),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        if words.is_empty() {
            return f.write_str("anything else");
        }
        f.write_str(&words.join(", "))
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retry(times) => return write!(f, "retry: {times}"),
            Self::Redefine(how) => return how.fmt(f),
            Self::Try(act) => return write!(f, "try: {act}"),
            Self::RetryForEver => "retry-for-ever",
            Self::FullBackup => "full-backup",
            Self::FullBackupSameName => "full-backup-same-name",
            Self::IncrementalFromNewest => "incremental-from-newest",
            Self::IncrementalFromOtherBackup => "incremental-from-other-backup",
            Self::MixedBackup => "mixed-backup",
            Self::RequireBitmap => "require-bitmap",
            Self::DeleteCheckpoint => "delete-checkpoint",
            Self::DeleteCheckpointMetadataOnly => "delete-checkpoint-metadata-only",
            Self::DeleteAllCheckpoints => "delete-all-checkpoints",
            Self::DeleteAllCheckpointsMetadataOnly => "delete-all-checkpoints-metadata-only",
            Self::DeleteNewCheckpoint => "delete-new-checkpoint",
            Self::RedefineWithoutValidateThenDelete => "redefine-without-validate-then-delete",
            Self::AbortJob => "abort-job",
            Self::StartPaused => "start-paused",
            Self::Resume => "resume",
            Self::WaitForCompleted => "wait-for-completed",
            Self::GiveUp => "give-up",
            Self::Ignore => "ignore",
            Self::NotCalled => "not-called",
        })
    }
}

impl fmt::Display for Redefine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = match self.which {
            Which::Base => "the base",
            Which::Recorded => "all that are recorded",
        };
        let disks = match self.disks {
            OnDisks::Recorded => "",
            OnDisks::WithBitmap => " on the disks with its bitmap",
            OnDisks::All => " on every disk",
        };
        let validate = if self.validate { "with" } else { "without" };
        write!(f, "redefine {which}{disks}, {validate} validation")?;
        let more = [
            (self.parent, ", with the parent"),
            (self.only_missing, ", where libvirt does not list it"),
            (self.only_after_restart, ", after a restart"),
        ];
        let words = more.iter().filter(|(given, _)| *given);
        words.clone().try_for_each(|(_, word)| f.write_str(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_is_told_in_the_word_that_profiles_use() {
        let words = [
            "retry-for-ever",
            "full-backup",
            "full-backup-same-name",
            "incremental-from-newest",
            "incremental-from-other-backup",
            "mixed-backup",
            "require-bitmap",
            "delete-checkpoint",
            "delete-checkpoint-metadata-only",
            "delete-all-checkpoints",
            "delete-all-checkpoints-metadata-only",
            "delete-new-checkpoint",
            "redefine-without-validate-then-delete",
            "abort-job",
            "start-paused",
            "resume",
            "wait-for-completed",
            "give-up",
            "ignore",
            "not-called",
        ];
        for word in words {
            let act: Act = serde_saphyr::from_str(word).unwrap();
            assert_eq!(act.to_string(), word);
        }
        let act: Act = serde_saphyr::from_str("try: { retry: 2 }").unwrap();
        assert_eq!(act.to_string(), "try: retry: 2");
    }
}
