//! The situations that no failing scenario shows: why, or which scenario shows that nothing fails.

/// A row of `scenarios/SITUATIONS.tsv`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Situation {
    /// A rule of the judge, or the name of a situation that raises no error.
    pub(super) id: &'static str,
    /// The situation in words; of a rule its own.
    pub(super) text: &'static str,
    /// Scenarios whose data shows it.
    pub(super) shown_by: &'static str,
    /// Why no scenario shows it, and what does instead.
    pub(super) why_not: &'static str,
}

const TABLE: &str = include_str!("../../../scenarios/SITUATIONS.tsv");

/// Every row, in the order of the file; its first line names the columns.
pub(super) fn situations() -> impl Iterator<Item = Situation> {
    TABLE.lines().skip(1).filter_map(|line| {
        let mut cells = line.split('\t');
        Some(Situation {
            id: cells.next()?,
            text: cells.next()?,
            shown_by: cells.next()?,
            why_not: cells.next()?,
        })
    })
}

/// The row of a rule.
pub(super) fn about(rule: &str) -> Option<Situation> {
    situations().find(|row| row.id == rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::rules;

    #[test]
    fn a_row_has_four_columns_and_either_a_scenario_or_a_reason() {
        assert_eq!(
            TABLE.lines().next(),
            Some("id\tsituation\tshown-by\twhy-not")
        );
        for line in TABLE.lines() {
            assert_eq!(line.split('\t').count(), 4, "{line}");
        }
        for row in situations() {
            assert_ne!(
                row.shown_by.is_empty(),
                row.why_not.is_empty(),
                "{}",
                row.id
            );
            let is_rule = rules().any(|rule| rule.id == row.id);
            assert_eq!(
                is_rule,
                row.text.is_empty(),
                "{}: a rule has its own text",
                row.id
            );
        }
    }
}
