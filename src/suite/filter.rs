//! What selects scenarios by what they say.

use std::sync::Arc;

use super::{Case, Pattern};
use crate::model::{Decision, ErrorCode};
use crate::scenario::{Diagnostics, Expectation, Need, Refusal, Scenario};

/// A condition that a scenario meets or not. Of the values of one filter, any one will do.
#[derive(Clone, Debug)]
pub enum Filter {
    /// The name matches a pattern.
    Name(Vec<Pattern>),
    /// The scenario lies in an area.
    Area(Vec<String>),
    /// The expected error has a code.
    Code(Vec<ErrorCode>),
    /// The expected decision is one of these.
    Decision(Vec<Decision>),
    /// A source has a text in it.
    Reference(Vec<String>),
    /// The host must offer one of these.
    Needs(Vec<Need>),
}

/// What a filter has made of some scenarios.
#[derive(Debug, Default)]
pub struct Filtered {
    /// Those that meet it.
    pub kept: Vec<Case>,
    /// The problems of those that cannot be read, so that it is not known.
    pub unknown: Vec<(Case, Arc<Diagnostics>)>,
}

impl Filter {
    /// The scenarios that meet the filter. A filter without values lets all of them through.
    #[must_use]
    pub fn apply(&self, cases: Vec<Case>) -> Filtered {
        let mut filtered = Filtered::default();
        if self.is_empty() {
            filtered.kept = cases;
            return filtered;
        }
        for case in cases {
            match self.selects(&case) {
                Ok(true) => filtered.kept.push(case),
                Ok(false) => {}
                Err(diagnostics) => filtered.unknown.push((case, diagnostics)),
            }
        }
        filtered
    }

    /// True where it has no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Name(patterns) => patterns.is_empty(),
            Self::Area(texts) | Self::Reference(texts) => texts.is_empty(),
            Self::Code(codes) => codes.is_empty(),
            Self::Decision(decisions) => decisions.is_empty(),
            Self::Needs(needs) => needs.is_empty(),
        }
    }

    fn selects(&self, case: &Case) -> Result<bool, Arc<Diagnostics>> {
        let scenario = || case.scenario.as_deref().map_err(Arc::clone);
        Ok(match self {
            Self::Name(patterns) => patterns.iter().any(|pattern| match &case.scenario {
                Ok(_) => pattern.selects(&case.name),
                // The cases of a file with problems are not known.
                Err(_) => pattern.selects_file(&case.name),
            }),
            Self::Area(areas) => areas.iter().any(|area| area == case.area()),
            Self::Code(codes) => {
                refusal(scenario()?).is_some_and(|refusal| codes.contains(&refusal.error))
            }
            Self::Decision(decisions) => {
                refusal(scenario()?).is_some_and(|refusal| decisions.contains(&refusal.decision))
            }
            Self::Reference(texts) => {
                let mut refs = scenario()?.refs.iter();
                refs.any(|source| texts.iter().any(|text| source.contains(text.as_str())))
            }
            Self::Needs(needs) => scenario()?.needs.iter().any(|need| needs.contains(need)),
        })
    }
}

fn refusal(scenario: &Scenario) -> Option<&Refusal> {
    match &scenario.then {
        Expectation::Success => None,
        Expectation::Refusal(refusal) => Some(refusal),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rstest::rstest;

    use super::*;
    use crate::suite::File;

    fn case(name: &str, then: &str) -> Case {
        let stem = name.rsplit('/').next().unwrap();
        let text = format!(
            "format: 1\nscenario: {stem}\nsummary: It is.\nrefs: [\"bug 1874846\"]\nneeds: [root]\n\
             disks:\n  vda: {{ format: qcow2, size: 16M }}\n\
             history: [start]\nwhen:\n  checkpoint-create: {{ name: c1 }}\nthen: {then}\n"
        );
        let file = File {
            name: name.to_owned(),
            path: PathBuf::from(format!("scenarios/{name}.yaml")),
            text: Ok(text),
        };
        Case::of(&file).remove(0)
    }

    fn cases() -> Vec<Case> {
        let refused = "{ error: VIR_ERR_CHECKPOINT_INCONSISTENT, decision: full-backup-new-chain }";
        vec![
            case("one/refused", refused),
            case("two/fine", "{ result: ok }"),
            case("two/broken", "{ nonsense: 1 }"),
        ]
    }

    #[rstest]
    #[case(Filter::Area(vec!["two".to_owned()]), &["two/fine", "two/broken"], 0)]
    #[case(Filter::Area(vec!["tw".to_owned()]), &[], 0)]
    #[case(Filter::Area(vec!["tw".to_owned(), "one".to_owned()]), &["one/refused"], 0)]
    #[case(Filter::Code(vec![ErrorCode(109)]), &["one/refused"], 1)]
    #[case(Filter::Code(vec![ErrorCode(67)]), &[], 1)]
    #[case(Filter::Decision(vec![Decision::FullBackupNewChain]), &["one/refused"], 1)]
    #[case(Filter::Decision(vec![Decision::FixRequest]), &[], 1)]
    #[case(Filter::Reference(vec!["1874846".to_owned()]), &["one/refused", "two/fine"], 1)]
    #[case(Filter::Reference(vec!["1874847".to_owned()]), &[], 1)]
    #[case(Filter::Needs(vec![Need::Root]), &["one/refused", "two/fine"], 1)]
    #[case(Filter::Needs(vec![Need::Tls]), &[], 1)]
    #[case(Filter::Code(Vec::new()), &["one/refused", "two/fine", "two/broken"], 0)]
    fn a_filter_keeps_what_meets_it(
        #[case] filter: Filter,
        #[case] names: &[&str],
        #[case] unknown: usize,
    ) {
        let filtered = filter.apply(cases());
        let kept: Vec<&str> = filtered
            .kept
            .iter()
            .map(|case| case.name.as_str())
            .collect();
        assert_eq!(kept, names);
        assert_eq!(filtered.unknown.len(), unknown);
    }
}
