//! Markdown: cells, lists and links.

/// A cell of a table.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// A row of a table.
pub(super) fn row<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(text.as_ref())).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The head of a table.
pub(super) fn head(names: &[&str]) -> String {
    let rule: Vec<&str> = names.iter().map(|_| "---").collect();
    format!("{}{}", row(names), row(rule))
}

/// A word in the type of code.
pub(super) fn code(word: &str) -> String {
    format!("`{word}`")
}

/// A scenario, with the way to its file.
pub(super) fn scenario(name: &str) -> String {
    let file = name.split('@').next().unwrap_or(name);
    format!("[{name}](scenarios/{file}.yaml)")
}

/// The way to a heading of the same page.
pub(super) fn rule(id: &str) -> String {
    format!("[{id}](#{})", id.to_lowercase())
}

/// A list with its marks.
pub(super) fn bullets<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let items = items.into_iter();
    let lines: Vec<String> = items.map(|item| format!("- {}\n", item.as_ref())).collect();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_one() {
        assert_eq!(row(["a|b", "c\nd"]), "| a\\|b | c d |\n");
        assert_eq!(
            scenario("area/name@case"),
            "[area/name@case](scenarios/area/name.yaml)"
        );
    }
}
