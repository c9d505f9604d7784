//! The table, and what is not in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalogue, Row};
use crate::model::{Raised, Version};
use crate::run::{Finished, Outcome};

/// What the first line of a table begins with.
const HEAD: &str = "# backup-tck coverage, format ";

/// The format of the tables that this build writes.
const FORMAT: u32 = 1;

/// What a run has reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Coverage {
    /// Whose source it is.
    pub libvirt: Version,
    /// Each place, by function and line, with the scenarios in which it raised an error.
    pub raised: BTreeMap<(String, u32), BTreeSet<String>>,
    /// How many rows of the catalogue were raised.
    pub reached: usize,
    /// Those that were not, though their scenario was run, and those that no scenario can show.
    pub never: Vec<Row>,
}

/// The run cannot tell what its scenarios have raised.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "of {scenario}, run on {driver}, it is not known where libvirt raised its errors; embed and \
     libvirtd tell: backup-tck run --driver embed --record FILE"
)]
pub struct Untold {
    /// The first scenario of which that is so.
    pub scenario: String,
    /// What answered.
    pub driver: String,
}

/// The table says nothing about this run.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotComparable {
    /// It does not begin as a table does.
    #[error("it is no table of coverage: its first line does not begin with `{HEAD}`")]
    NoTable,
    /// Another build wrote it.
    #[error("it is a table of another format, and this build knows format {FORMAT}: make it anew")]
    OtherFormat,
    /// The lines of another source.
    #[error("it is about {table}, and this run is of libvirt {run}: their lines differ")]
    OtherVersion {
        /// Whose lines the table has.
        table: String,
        /// Whose the run has.
        run: Version,
    },
}

impl Coverage {
    /// What these scenarios have reached.
    ///
    /// # Errors
    /// The driver does not tell.
    pub fn of<'a>(
        libvirt: Version,
        driver: &str,
        finished: impl Iterator<Item = &'a Finished>,
        catalogue: &Catalogue,
    ) -> Result<Self, Untold> {
        let mut sites: BTreeMap<(String, u32), BTreeSet<String>> = BTreeMap::new();
        let mut all: BTreeMap<&str, &[Raised]> = BTreeMap::new();
        for finished in finished {
            let Some(raised) = &finished.raised else {
                if matches!(finished.outcome, Outcome::Passed | Outcome::Failed(_)) {
                    let (scenario, driver) = (finished.name.clone(), driver.to_owned());
                    return Err(Untold { scenario, driver });
                }
                continue;
            };
            all.insert(&finished.name, raised);
            for raised in raised {
                let site = (raised.function.clone(), raised.line);
                sites.entry(site).or_default().insert(finished.name.clone());
            }
        }
        // What only other functions of the API raise there is no proof for this one.
        let (mut reached, mut never) = (0, Vec::new());
        for row in &catalogue.rows {
            match &row.shown_by {
                None => never.push(row.clone()),
                Some(scenario) => match all.get(scenario.as_str()) {
                    Some(raised) if raised.iter().any(|raised| row.is(raised)) => reached += 1,
                    Some(_) => never.push(row.clone()),
                    // It was not run.
                    None => {}
                },
            }
        }
        Ok(Self {
            libvirt,
            raised: sites,
            reached,
            never,
        })
    }

    /// The rows that their scenario has not raised.
    pub fn missed(&self) -> impl Iterator<Item = &Row> {
        self.never.iter().filter(|row| row.shown_by.is_some())
    }

    /// Whether every row of the catalogue was raised that a scenario shows.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missed().next().is_none()
    }

    /// The table as text, one line for each place and each row that was not reached.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut lines = vec![
            format!("{HEAD}{FORMAT}: libvirt {}", self.libvirt),
            "# raised, function, line, scenarios; never, function of the API, code, site, text, why"
                .to_owned(),
        ];
        for ((function, line), scenarios) in &self.raised {
            let scenarios: Vec<&str> = scenarios.iter().map(String::as_str).collect();
            lines.push(format!(
                "raised\t{function}\t{line}\t{}",
                scenarios.join(" ")
            ));
        }
        for row in &self.never {
            let Row {
                api,
                code,
                site,
                text,
                ..
            } = row;
            let why = row.why_never();
            lines.push(format!("never\t{api}\t{code}\t{site}\t{text}\t{why}"));
        }
        lines.join("\n") + "\n"
    }

    /// The lines that only the table has (`-`) and that it lacks (`+`).
    ///
    /// # Errors
    /// The table cannot be compared with this run.
    pub fn differences(&self, table: &str) -> Result<Vec<String>, NotComparable> {
        let (head, about) = table
            .lines()
            .next()
            .and_then(|line| line.strip_prefix(HEAD)?.split_once(": "))
            .ok_or(NotComparable::NoTable)?;
        if head != FORMAT.to_string() {
            return Err(NotComparable::OtherFormat);
        }
        if about != format!("libvirt {}", self.libvirt) {
            return Err(NotComparable::OtherVersion {
                table: about.to_owned(),
                run: self.libvirt,
            });
        }
        let now = self.to_table();
        let lines = |text| str::lines(text).collect::<BTreeSet<&str>>();
        let (before, now) = (lines(table), lines(&now));
        let gone = before.difference(&now).map(|line| format!("- {line}"));
        let new = now.difference(&before).map(|line| format!("+ {line}"));
        Ok(gone.chain(new).collect())
    }
}
