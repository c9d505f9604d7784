//! From a document to scenarios: a matrix becomes one scenario for each combination.

use super::diagnostic::Problem;
use super::syntax::{
    Case, Document, Expectation, Named, Refusal, Scenario, Spanned, Then, version_of,
};

/// More combinations than anybody reviews.
const MOST_CASES: usize = 64;

/// The scenarios of a document, as far as they are whole; what is not is reported.
pub(super) fn expand(document: &Document, problems: &mut Vec<Problem>) -> Vec<Scenario> {
    let Some(axes) = &document.matrix else {
        let draft = Draft::of(document);
        let place = document.scenario.span.clone();
        let scenario = draft.finish(document.scenario.value.clone(), &place, problems);
        return scenario.into_iter().collect();
    };
    check_axes(axes, problems);
    let mut sizes = axes.0.iter().map(|(_, values)| values.0.len());
    // A few axes are enough for more combinations than a number holds.
    let count = sizes.try_fold(1_usize, usize::checked_mul);
    if count.is_none_or(|count| count > MOST_CASES) {
        let (first, _) = &axes.0[0];
        problems.push(
            Problem::new(
                "scenario::matrix",
                first.span.clone(),
                format!("the matrix makes more than {MOST_CASES} scenarios"),
            )
            .label("the first axis")
            .help(format!(
                "at most {MOST_CASES} can be reviewed; split the file"
            )),
        );
        return Vec::new();
    }
    let mut scenarios = Vec::new();
    for cases in combinations(axes) {
        let names: Vec<&str> = cases.iter().map(|(name, _)| name.value.as_str()).collect();
        let name = format!("{}@{}", document.scenario.value, names.join("+"));
        let mut draft = Draft::of(document);
        for (_, case) in &cases {
            draft.replace(&case.value);
        }
        let place = cases.last().map_or(0..0, |(name, _)| name.span.clone());
        scenarios.extend(draft.finish(name, &place, problems));
    }
    scenarios
}

type NamedCase<'a> = (&'a Spanned<String>, &'a Spanned<Case>);

/// One value of each axis, in every way; the last axis changes fastest.
fn combinations(axes: &Named<Named<Spanned<Case>>>) -> Vec<Vec<NamedCase<'_>>> {
    let mut all = vec![Vec::new()];
    for (_, values) in &axes.0 {
        let mut longer = Vec::new();
        for chosen in &all {
            longer.extend(values.0.iter().map(|(name, case)| {
                let mut chosen: Vec<NamedCase<'_>> = chosen.clone();
                chosen.push((name, case));
                chosen
            }));
        }
        all = longer;
    }
    all
}

/// Names of values become parts of file names; two axes must not replace one key.
fn check_axes(axes: &Named<Named<Spanned<Case>>>, problems: &mut Vec<Problem>) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    for (name, _) in axes.0.iter().flat_map(|(_, values)| &values.0) {
        if name.value.is_empty() || !name.value.chars().all(plain) {
            problems.push(
                Problem::new(
                    "scenario::matrix",
                    name.span.clone(),
                    format!("`{}` cannot be a part of a scenario's name", name.value),
                )
                .help("write small letters, digits, `-` and `.`"),
            );
        }
    }
    for (at, (axis, values)) in axes.0.iter().enumerate() {
        for (_, case) in &values.0 {
            let clash = axes.0[..at].iter().find_map(|(earlier, others)| {
                let mut keys = others
                    .0
                    .iter()
                    .flat_map(|(_, other)| replaced(&other.value));
                let mine = replaced(&case.value);
                keys.find(|key| mine.contains(key))
                    .map(|key| (earlier, key))
            });
            if let Some((earlier, key)) = clash {
                problems.push(
                    Problem::new(
                        "scenario::matrix",
                        case.span.clone(),
                        format!(
                            "the axes `{}` and `{}` both replace `{key}`",
                            earlier.value, axis.value
                        ),
                    )
                    .label("the second one")
                    .help("one axis owns a key: join the two axes into one"),
                );
            }
        }
    }
}

/// The keys that a case replaces.
fn replaced(case: &Case) -> Vec<&'static str> {
    let given = [
        ("summary", case.summary.is_some()),
        ("refs", case.refs.is_some()),
        ("needs", case.needs.is_some()),
        ("since", case.since.is_some()),
        ("until", case.until.is_some()),
        ("client", case.client.is_some()),
        ("disks", case.disks.is_some()),
        ("history", case.history.is_some()),
        ("when", case.when.is_some()),
        ("then", case.then.is_some()),
    ];
    let given = given.into_iter().filter(|(_, given)| *given);
    given.map(|(key, _)| key).collect()
}

/// A scenario that may still lack something.
struct Draft {
    case: Case,
    waits: Option<u32>,
}

impl Draft {
    fn of(document: &Document) -> Self {
        Self {
            case: Case {
                summary: Some(document.summary.clone()),
                refs: Some(document.refs.clone()),
                needs: Some(document.needs.clone()),
                since: document.since.clone(),
                until: document.until.clone(),
                client: document.client,
                disks: Some(document.disks.clone()),
                history: Some(document.history.clone()),
                when: document.when.clone(),
                then: document.then.clone(),
            },
            waits: document.waits,
        }
    }

    fn replace(&mut self, by: &Case) {
        fn take<T: Clone>(mine: &mut Option<T>, theirs: Option<&T>) {
            if theirs.is_some() {
                *mine = theirs.cloned();
            }
        }
        let mine = &mut self.case;
        take(&mut mine.summary, by.summary.as_ref());
        take(&mut mine.refs, by.refs.as_ref());
        take(&mut mine.needs, by.needs.as_ref());
        take(&mut mine.since, by.since.as_ref());
        take(&mut mine.until, by.until.as_ref());
        take(&mut mine.client, by.client.as_ref());
        take(&mut mine.disks, by.disks.as_ref());
        take(&mut mine.history, by.history.as_ref());
        take(&mut mine.when, by.when.as_ref());
        take(&mut mine.then, by.then.as_ref());
    }

    /// The scenario; `place` is blamed for what is missing.
    fn finish(
        self,
        name: String,
        place: &std::ops::Range<usize>,
        problems: &mut Vec<Problem>,
    ) -> Option<Scenario> {
        let Case {
            summary,
            refs,
            needs,
            since,
            until,
            client,
            disks,
            history,
            when,
            then,
        } = self.case;
        let waits = self.waits;
        for (key, given) in [("when", when.is_some()), ("then", then.is_some())] {
            let message = format!("a scenario of this file has no `{key}`");
            // One fact for all the cases that lack it.
            if !given && !problems.iter().any(|problem| problem.message == message) {
                problems.push(
                    Problem::new("scenario::missing_key", place.clone(), message)
                        .label(format!("`{name}` has none"))
                        .help(format!("add `{key}: …` to the scenario, or to each case")),
                );
            }
        }
        let then = then.and_then(|then| expectation(&then, problems));
        let needs = needs.unwrap_or_default();
        if let (Some(first), Some(last)) = (&since, &until)
            && last.value.0 < first.value.0
        {
            problems.push(
                Problem::new(
                    "scenario::versions",
                    last.span.clone(),
                    "`until` lies before `since`",
                )
                .label("no version is between the two")
                .help("both ends belong to the range"),
            );
        }
        Some(Scenario {
            name,
            summary: summary.unwrap_or_default().trim().to_owned(),
            refs: refs.unwrap_or_default(),
            needs: needs.into_iter().map(|need| need.value).collect(),
            since: version_of(since.as_ref()),
            until: version_of(until.as_ref()),
            waits,
            client: client.unwrap_or_default(),
            disks: disks.unwrap_or_default(),
            history: history.unwrap_or_default(),
            when: when?,
            then: then?,
        })
    }
}

/// Either a success or a refusal, never both and never neither.
fn expectation(then: &Spanned<Then>, problems: &mut Vec<Problem>) -> Option<Expectation> {
    let Then {
        result,
        error,
        error_domain,
        message,
        category,
        decision,
        remedy,
    } = &then.value;
    if result.is_some() {
        let places = [
            ("error", error.as_ref().map(|key| &key.span)),
            ("error-domain", error_domain.as_ref().map(|key| &key.span)),
            ("message", message.as_ref().map(|key| &key.span)),
            ("category", category.as_ref().map(|key| &key.span)),
            ("decision", decision.as_ref().map(|key| &key.span)),
            (
                "remedy",
                remedy.iter().flatten().next().map(|step| &step.span),
            ),
        ];
        let given = places
            .into_iter()
            .filter_map(|(key, span)| Some((key, span?)));
        for (key, span) in given {
            problems.push(
                Problem::new(
                    "scenario::then",
                    span.clone(),
                    format!("`{key}` cannot stand beside `result: ok`"),
                )
                .label("only a refusal has it")
                .help(format!("remove either `{key}` or `result`")),
            );
        }
        return Some(Expectation::Success);
    }
    let mut missing = |key: &str, help: &str| {
        problems.push(
            Problem::new(
                "scenario::missing_key",
                then.span.clone(),
                format!("`then` has no `{key}`"),
            )
            .label(format!("`{key}` is missing in this map"))
            .help(help.to_owned()),
        );
    };
    if error.is_none() {
        missing("error", "write `result: ok`, or `error` and `decision`");
    } else if decision.is_none() {
        missing(
            "decision",
            "what must a client do then? `backup-tck explain` tells the decisions of a code",
        );
    }
    Some(Expectation::Refusal(Refusal {
        error: error.as_ref()?.value.0,
        error_domain: error_domain.as_ref().map(|word| word.value.0),
        message: message.clone(),
        decision: decision.as_ref()?.value,
        remedy: remedy.clone(),
    }))
}
