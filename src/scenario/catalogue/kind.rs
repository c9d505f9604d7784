//! One kind of problem.

/// A kind of problem that a scenario file can have.
#[derive(Clone, Copy, Debug)]
pub struct ProblemKind {
    /// Stable identifier, such as `scenario::unknown_disk`.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why that is a problem, and the way out.
    pub explanation: &'static str,
    /// A file with the problem and one without; `None` where text cannot show it.
    pub example: Option<Example>,
}

/// A piece of a scenario, wrong and mended.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Has this problem, and no other.
    pub wrong: &'static str,
    /// The same, sound.
    pub right: &'static str,
}

/// A row with an example.
pub(super) const fn kind(
    code: &'static str,
    title: &'static str,
    explanation: &'static str,
    wrong: &'static str,
    right: &'static str,
) -> ProblemKind {
    ProblemKind {
        code,
        title,
        explanation,
        example: Some(Example { wrong, right }),
    }
}
