//! What a rule is.

use super::decided::Detail;
use super::facts::Facts;
use super::probe::Probe;
use crate::model::{Api, Decision, ErrorCode};

/// One situation and what it calls for.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Stable identifier.
    pub id: &'static str,
    /// The error codes it is about; none for a call that succeeded and whose job has ended.
    pub codes: &'static [ErrorCode],
    /// The functions it is about; empty where it does not matter.
    pub apis: &'static [Api],
    /// Whether the facts are this situation.
    pub(super) applies: Applies,
    /// What a client does then.
    pub decision: Decision,
    /// The situation in words.
    pub because: &'static str,
    /// Who says so: libvirt's documents, source or history, or a measurement.
    pub sources: &'static [&'static str],
    /// It reads the message, since no query tells the same.
    pub reads_message: bool,
}

/// What the facts are to a rule: the situation, with what goes along with its decision; another
/// situation; or a question that must be answered first.
pub(super) type Step = Result<Option<Detail>, Probe>;

/// How it is found out whether the facts are a rule's situation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Applies {
    /// The code and the function tell.
    Always,
    /// What is known from the start tells.
    Known(fn(&Facts) -> bool),
    /// Something may have to be asked.
    Asked(fn(&Facts) -> Step),
}

impl Rule {
    /// A rule about these error codes, from any function, in any situation.
    pub(super) const fn on(
        id: &'static str,
        codes: &'static [ErrorCode],
        decision: Decision,
    ) -> Self {
        Self {
            id,
            codes,
            apis: &[],
            applies: Applies::Always,
            decision,
            because: "",
            sources: &[],
            reads_message: false,
        }
    }

    /// A rule about a job that has ended.
    pub(super) const fn on_ended_job(id: &'static str, decision: Decision) -> Self {
        Self::on(id, &[], decision)
    }

    /// What the facts are to it.
    pub(super) fn look_at(&self, facts: &Facts) -> Step {
        match self.applies {
            Applies::Always => Ok(plain(true)),
            Applies::Known(known) => Ok(plain(known(facts))),
            Applies::Asked(asked) => asked(facts),
        }
    }

    /// The codes it is about in words.
    #[must_use]
    pub fn trigger(&self) -> String {
        let codes: Vec<String> = self.codes.iter().map(ToString::to_string).collect();
        if codes.is_empty() {
            "a job that has ended".to_owned()
        } else {
            codes.join(", ")
        }
    }

    /// The same from these functions only.
    pub(super) const fn of(self, apis: &'static [Api]) -> Self {
        Self { apis, ..self }
    }

    /// The same in this situation only.
    pub(super) const fn when(self, asked: fn(&Facts) -> Step) -> Self {
        Self {
            applies: Applies::Asked(asked),
            ..self
        }
    }

    /// The same in this situation only, which nothing has to be asked for.
    pub(super) const fn when_known(self, known: fn(&Facts) -> bool) -> Self {
        Self {
            applies: Applies::Known(known),
            ..self
        }
    }

    /// The situation in words, and who says so.
    pub(super) const fn because(
        self,
        because: &'static str,
        sources: &'static [&'static str],
    ) -> Self {
        Self {
            because,
            sources,
            ..self
        }
    }

    /// It reads the message.
    pub(super) const fn reading_the_message(self) -> Self {
        Self {
            reads_message: true,
            ..self
        }
    }
}

/// The situation, with nothing that goes along.
pub(super) fn plain(holds: bool) -> Option<Detail> {
    holds.then(Detail::default)
}
