//! The reference of the language as Markdown, made from the JSON Schema.

use std::fmt::Write;

use serde_json::Value;

use super::schema;

/// Definitions whose words are listed with the key that takes them, not on their own.
const LONG: usize = 30;

/// The reference: the keys of a file, every step with its arguments, every closed set of words.
#[must_use]
pub fn reference() -> String {
    let mut page = Page(String::new());
    page.line("# The scenario language");
    page.line("");
    page.line("Generated from the types by `backup-tck schema --reference`; do not edit.");
    page.line("");
    page.line("A scenario is a YAML file without anchors, aliases and merge keys, indented by an even number of");
    page.line("blanks. A step is one word (`- start`) or a map with one key (`- guest-write: { … }`). Keys that");
    page.line("are marked with * must stand.");
    page.line("");
    page.line("## The file");
    page.line("");
    page.properties(schema());
    page.line("## Steps");
    page.line("");
    page.steps(&schema()["$defs"]["Step"]);
    let definitions = schema()["$defs"].as_object().into_iter().flatten();
    let (shapes, words): (Vec<_>, Vec<_>) =
        definitions.partition(|(_, definition)| definition["properties"].is_object());
    page.line("## Maps");
    page.line("");
    for (name, definition) in shapes {
        if !is_step_body(name) {
            page.definition(name, definition);
            page.properties(definition);
        }
    }
    page.line("## Words");
    page.line("");
    for (name, definition) in words {
        if name != "Step" {
            page.definition(name, definition);
            page.words(definition);
        }
    }
    page.0.trim_end().to_owned() + "\n"
}

/// True for a map that only steps take: it stands with its steps.
fn is_step_body(name: &str) -> bool {
    let reference = format!("#/$defs/{name}");
    let choices = schema()["$defs"]["Step"]["oneOf"].as_array();
    let mut bodies = choices
        .into_iter()
        .flatten()
        .filter_map(|choice| choice["properties"].as_object())
        .flat_map(|properties| properties.values());
    bodies.any(|body| body["$ref"] == reference)
}

struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn definition(&mut self, name: &str, definition: &Value) {
        self.line(&format!("### {name}"));
        self.line("");
        self.line(&description(definition));
        self.line("");
    }

    fn properties(&mut self, map: &Value) {
        let required = map["required"].as_array();
        let is_required = |key: &str| {
            let mut keys = required.into_iter().flatten();
            keys.any(|required| required == key)
        };
        self.line("| key | value | meaning |");
        self.line("|---|---|---|");
        for (key, value) in map["properties"].as_object().into_iter().flatten() {
            let mark = if is_required(key) { " *" } else { "" };
            let row = format!(
                "| `{key}`{mark} | {} | {} |",
                kind(value),
                description(value)
            );
            self.line(&row);
        }
        self.line("");
    }

    fn steps(&mut self, step: &Value) {
        for choice in step["oneOf"].as_array().into_iter().flatten() {
            if let Some(word) = choice["const"].as_str() {
                self.line(&format!("### `{word}`"));
                self.line("");
                self.line(&description(choice));
                self.line("");
            }
            for (tag, body) in choice["properties"].as_object().into_iter().flatten() {
                self.line(&format!("### `{tag}`"));
                self.line("");
                self.line(&description(choice));
                self.line("");
                let name = name_of(body).unwrap_or_default();
                self.properties(&schema()["$defs"][name]);
            }
        }
    }

    fn words(&mut self, definition: &Value) {
        if let Some(pattern) = definition["pattern"].as_str() {
            self.line(&format!("Pattern: `{}`", pattern.replace('|', "\\|")));
            self.line("");
        }
        let listed = definition["enum"].as_array().into_iter().flatten();
        let listed: Vec<String> = listed
            .filter_map(Value::as_str)
            .map(|word| format!("`{word}`"))
            .collect();
        if listed.len() > LONG {
            self.line(&format!(
                "{} words, from {} to {}.",
                listed.len(),
                listed[0],
                listed[listed.len() - 1]
            ));
            self.line("");
        } else if !listed.is_empty() {
            self.line(&listed.join(", "));
            self.line("");
        }
        let choices = definition["oneOf"].as_array();
        if choices.is_none() {
            return;
        }
        self.line("| word | meaning |");
        self.line("|---|---|");
        for choice in choices.into_iter().flatten() {
            if let Some(word) = choice["const"].as_str() {
                self.line(&format!("| `{word}` | {} |", description(choice)));
            }
        }
        self.line("");
    }
}

/// The comment of a type or field, as one line.
fn description(node: &Value) -> String {
    let text = node["description"].as_str().unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}

fn name_of(node: &Value) -> Option<&str> {
    node["$ref"]
        .as_str()
        .map(|path| path.trim_start_matches("#/$defs/"))
}

/// What kind of value a key takes.
fn kind(node: &Value) -> String {
    if let Some(name) = name_of(node) {
        return match name {
            "Step" => "[step](#steps)".to_owned(),
            _ => format!("[{name}](#{})", name.to_lowercase()),
        };
    }
    match node["type"].as_str() {
        Some("array") => format!("list of {}", kind(&node["items"])),
        Some("object") => format!("map by name of {}", kind(&node["additionalProperties"])),
        Some("integer") if node["minimum"] == node["maximum"] => node["minimum"].to_string(),
        Some("integer") => format!("{} to {}", node["minimum"], node["maximum"]),
        Some("boolean") => "`true`".to_owned(),
        Some("string") => "text".to_owned(),
        Some(_) | None => String::new(),
    }
}
