//! Texts of the mock as words for `sh`, in which variables stand for the scenario's place.

use crate::model::Place;

/// The names by which a script calls what a place gives, and the texts they stand for.
#[derive(Clone, Debug)]
pub(super) struct Names(Vec<(String, String)>);

impl Names {
    /// Those of a place. Longer texts go first: the domain's name may be part of others.
    pub(super) fn of(place: &Place) -> Self {
        let mut names = vec![
            (place.directory.clone(), "$dir".to_owned()),
            (place.uuid.clone(), "$uuid".to_owned()),
            (place.domain.clone(), "$domain".to_owned()),
            (place.emulator.clone(), "$emulator".to_owned()),
        ];
        for (number, port) in (1..).zip(&place.ports) {
            names.push((port.to_string(), format!("$port{number}")));
        }
        Self(names)
    }

    /// A word. It stands in single quotes, or in double ones where a variable is in it.
    pub(super) fn word(&self, text: &str) -> String {
        let expanded = self.expanded(text, &['\\', '$', '`', '"']);
        if expanded.has_variable {
            return format!("\"{}\"", expanded.text);
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._=:,+@%".contains(c);
        if !text.is_empty() && text.chars().all(is_plain) {
            return text.to_owned();
        }
        format!("'{}'", text.replace('\'', r"'\''"))
    }

    /// Words with blanks between.
    pub(super) fn words(&self, words: &[String]) -> String {
        let words: Vec<String> = words.iter().map(|word| self.word(word)).collect();
        words.join(" ")
    }

    /// A text in double quotes, whatever it holds.
    pub(super) fn quoted(&self, text: &str) -> String {
        format!("\"{}\"", self.expanded(text, &['\\', '$', '`', '"']).text)
    }

    /// Lines that write a document into a file: a here-document, where the text ends as one.
    pub(super) fn document(&self, text: &str, file: &str) -> String {
        let body = text.strip_suffix('\n');
        match body {
            Some(body) if body.lines().all(|line| line != "XML") => {
                let body = self.expanded(body, &['\\', '$', '`']).text;
                format!("cat >\"{file}\" <<XML\n{body}\nXML\n")
            }
            Some(_) | None => format!("printf %s {} >\"{file}\"\n", self.quoted(text)),
        }
    }

    /// Variables in the place of what they stand for, and a backslash before each of `special`.
    fn expanded(&self, text: &str, special: &[char]) -> Expanded {
        let mut rest = text;
        let mut expanded = Expanded::default();
        while let Some(character) = rest.chars().next() {
            let found = self.0.iter().find(|(known, _)| rest.starts_with(known));
            if let Some((known, variable)) = found {
                rest = &rest[known.len()..];
                expanded.has_variable = true;
                let goes_on = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                if goes_on {
                    expanded.text += &variable.replace('$', "${");
                    expanded.text.push('}');
                } else {
                    expanded.text += variable;
                }
                continue;
            }
            if special.contains(&character) {
                expanded.text.push('\\');
            }
            expanded.text.push(character);
            rest = &rest[character.len_utf8()..];
        }
        expanded
    }
}

#[derive(Default)]
struct Expanded {
    text: String,
    has_variable: bool,
}
