//! The catalogue: every error that a function of the API can answer, and the scenario that shows it.

use crate::model::Raised;

/// The first line of the catalogue's file.
const HEAD: &str = "api\tcode\tdomain\tsite\ttext\tshown-by\twhy-not";

/// The rows, in the order of the file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Catalogue {
    /// One for each error of each function.
    pub rows: Vec<Row>,
}

/// One error of one function.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// The function of the API.
    pub api: String,
    /// The number of the `virErrorNumber`.
    pub code: i32,
    /// The number of the `virErrorDomain`.
    pub domain: i32,
    /// Where it is raised: `src/FILE.c:FUNCTION`.
    pub site: String,
    /// A part of the message that is always the same.
    pub text: String,
    /// The scenario that shows it.
    pub shown_by: Option<String>,
    /// Why none does.
    pub why_not: Option<String>,
}

impl Catalogue {
    /// Reads the file.
    ///
    /// # Errors
    /// It is none of this format; the text names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            let columns = HEAD.replace('\t', ", ");
            return Err(format!(
                "line 1: not the columns of this format, which are: {columns}"
            ));
        }
        let rows = lines.zip(2..).map(|(line, number)| {
            Row::parse(line).map_err(|reason| format!("line {number}: {reason}"))
        });
        Ok(Self {
            rows: rows.collect::<Result<_, _>>()?,
        })
    }
}

impl Row {
    fn parse(line: &str) -> Result<Self, String> {
        let cells: Vec<&str> = line.split('\t').collect();
        let [api, code, domain, site, text, shown_by, why_not] = cells[..] else {
            return Err(format!("{} columns instead of 7", cells.len()));
        };
        let number = |what, cell: &str| {
            let parsed = cell.parse::<i32>();
            parsed.map_err(|_| format!("the {what} `{cell}` is no number"))
        };
        let given = |cell: &str| (!cell.is_empty() && cell != "-").then(|| cell.to_owned());
        let (shown_by, why_not) = (given(shown_by), given(why_not));
        if shown_by.is_some() == why_not.is_some() {
            let text = "either a scenario shows it, or there is a reason why none does";
            return Err(text.to_owned());
        }
        Ok(Self {
            api: api.to_owned(),
            code: number("code", code)?,
            domain: number("domain", domain)?,
            site: site.to_owned(),
            text: text.to_owned(),
            shown_by,
            why_not,
        })
    }

    /// The C function that raises it.
    #[must_use]
    pub fn function(&self) -> &str {
        self.site
            .rsplit_once(':')
            .map_or(&*self.site, |(_, function)| function)
    }

    /// Why a run has not raised it.
    #[must_use]
    pub fn why_never(&self) -> String {
        match (&self.shown_by, &self.why_not) {
            (Some(scenario), _) => format!("not raised by {scenario}"),
            (None, Some(reason)) => reason.clone(),
            (None, None) => "no reason is known".to_owned(),
        }
    }

    /// Whether this is what was raised.
    #[must_use]
    pub fn is(&self, raised: &Raised) -> bool {
        raised.function == self.function() && raised.message.contains(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ROW: &str =
        "virDomainBackupBegin\t84\t10\tsrc/qemu/qemu_backup.c:qemuBackupBegin\tback\ta/b\t";

    #[test]
    fn a_row_tells_its_function() {
        let catalogue = Catalogue::parse(&format!("{HEAD}\n{ROW}\n")).unwrap();
        assert_eq!(catalogue.rows[0].function(), "qemuBackupBegin");
        assert_eq!(catalogue.rows[0].shown_by.as_deref(), Some("a/b"));
    }

    #[rstest]
    #[case("api\tcode\n", "line 1: not the columns")]
    #[case(&format!("{HEAD}\n{ROW}\textra\n"), "line 2: 8 columns")]
    #[case(&format!("{HEAD}\n{ROW}a reason too\n"), "line 2: either a scenario")]
    #[case(&format!("{HEAD}\n{}\n", ROW.replace("84", "x")), "line 2: the code `x`")]
    fn what_is_none_is_told_with_its_line(#[case] text: &str, #[case] expected: &str) {
        let told = Catalogue::parse(text).unwrap_err();
        assert!(told.contains(expected), "{told}");
    }
}
