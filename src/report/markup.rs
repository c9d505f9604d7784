//! A page of Markdown: tables, and details to unfold. No text that comes in becomes markup.

use std::fmt::{Display, Write};

use super::details::one_line;

/// GitHub shows no summary of more than 1 MiB; the head and the tables need some of it.
const DETAILS_LIMIT: usize = 900 << 10;

#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) text: String,
}

/// What is folded away: a name, a word about it, sentences, and a longer text.
pub(super) type Details<'a> = (&'a str, String, Vec<String>, String);

impl Page {
    pub(super) fn line(&mut self, line: impl Display) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    /// A table; the first cell of each row is a name. Nothing where there are no rows.
    pub(super) fn table(&mut self, head: [&str; 3], rows: &[[String; 3]]) {
        if rows.is_empty() {
            return;
        }
        let [first, second, third] = head;
        self.line(format_args!(
            "\n| {first} | {second} | {third} |\n|---|---|---|"
        ));
        for [name, second, third] in rows {
            let name = name.replace('|', "\\|");
            self.line(format_args!(
                "| `{name}` | {} | {} |",
                cell(second),
                cell(third)
            ));
        }
    }

    /// All of these, as long as the page is not too long to be shown.
    pub(super) fn all_details(&mut self, all: &[Details<'_>]) {
        for (number, details) in all.iter().enumerate() {
            if self.text.len() + details.3.len() > DETAILS_LIMIT {
                let left = all.len() - number;
                self.line(format_args!(
                    "\nThe details of {left} more are left out: the page would be too long."
                ));
                break;
            }
            self.details(details);
        }
    }

    fn details(&mut self, (name, word, about, text): &Details<'_>) {
        let name = html(name);
        self.line(format_args!(
            "\n<details><summary><code>{name}</code> {word}</summary>\n"
        ));
        for line in about {
            self.line(format_args!("{}\n", linked(&one_line(line))));
        }
        let fence = fence(text);
        self.line(format_args!("{fence}text\n{text}\n{fence}\n\n</details>"));
    }
}

/// A text that is no markup: what libvirt says is full of angle brackets and underscores.
pub(super) fn html(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' => plain.extend(['\\', c]),
            _ => plain.push(c),
        }
    }
    plain
}

/// A text inside a table.
fn cell(text: &str) -> String {
    html(&one_line(text)).replace('|', "\\|")
}

/// A text, or a link to follow.
fn linked(text: &str) -> String {
    let is_link = text.starts_with("https://") && !text.contains([' ', '<', '>']);
    if is_link {
        format!("<{text}>")
    } else {
        html(text)
    }
}

/// A fence that is longer than any inside the text.
fn fence(text: &str) -> String {
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(cell("a|b\n<c> `d_e`"), r"a\|b &lt;c&gt; \`d\_e\`");
        assert_eq!(fence("x"), "```");
        assert_eq!(fence("x\n```text\n"), "````");
        assert_eq!(linked("https://x/a_b"), "<https://x/a_b>");
    }

    #[test]
    fn a_page_stays_short_enough_to_be_shown() {
        let long = "x".repeat(DETAILS_LIMIT / 2);
        let details = || ("a/b", "failed".to_owned(), Vec::new(), long.clone());
        let mut page = Page::default();
        page.all_details(&[details(), details(), details()]);
        assert!(page.text.contains("The details of 2 more are left out"));
    }
}
