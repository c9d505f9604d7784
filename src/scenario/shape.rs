//! The structure of a file against the JSON Schema of the language, with every problem at once.
//!
//! The schema is made from the types, so this knows each key, each word and each range without
//! naming one. It understands what [`super::schema`] produces, not every schema.

use serde_json::Value;

use super::diagnostic::{Problem, meant};
use super::schema::schema;
use super::syntax::refusal;
use super::tree::{Kind, Node};

/// What a definition of closed words is called, and the code of a word that is not in it.
const CATALOGUES: &[(&str, &str, &str)] = &[
    ("Anchor", "anchor", "scenario::unknown_word"),
    ("Api", "libvirt function", "scenario::unknown_api"),
    ("BackupDiskMode", "backup mode", "scenario::unknown_mode"),
    ("BackupMode", "backup mode", "scenario::unknown_mode"),
    (
        "BitmapDamageKind",
        "kind of damage",
        "scenario::unknown_damage",
    ),
    ("CallResult", "result", "scenario::result"),
    ("Category", "category", "scenario::unknown_category"),
    ("Compat", "version of qcow2", "scenario::unknown_format"),
    ("Decision", "decision", "scenario::unknown_decision"),
    ("Device", "kind of drive", "scenario::unknown_word"),
    ("DiskFormat", "disk format", "scenario::unknown_format"),
    ("ErrorCode", "libvirt error code", "scenario::unknown_code"),
    (
        "ErrorDomain",
        "libvirt error domain",
        "scenario::unknown_domain",
    ),
    (
        "ImageDamageKind",
        "kind of damage",
        "scenario::unknown_damage",
    ),
    ("Need", "need", "scenario::unknown_need"),
    ("SnapshotKind", "kind of snapshot", "scenario::unknown_word"),
];

/// A call that may have changed anything but disks.
const STEP_STAND_IN: &str = "call: { api: virDomainGetState }";

/// A call that may have changed disks too.
const DISK_STAND_IN: &str = "call: { api: virDomainAttachDeviceFlags }";

/// Steps that bring disks, take them away, or change their sizes.
const DISK_STEPS: [&str; 7] = [
    "attach-disk",
    "background",
    "block-resize",
    "call",
    "detach-disk",
    "resize-image",
    "snapshot-revert",
];

/// An expectation that claims nothing.
const THEN_STAND_IN: &str = "result: ok";

/// What the structure of a file is worth.
pub(super) struct Found {
    /// Every way in which the tree is not a scenario file.
    pub(super) problems: Vec<Problem>,
    /// The tree without what is wrong, so that the meaning of the rest can be checked too; `None`
    /// where too little is left.
    pub(super) sound: Option<Node>,
}

/// Compares a tree with the schema.
pub(super) fn check(root: &Node) -> Found {
    let mut shape = Shape {
        problems: Vec::new(),
    };
    let sound = shape.node(root, schema(), "a scenario");
    Found {
        problems: shape.problems,
        sound,
    }
}

struct Shape {
    problems: Vec<Problem>,
}

/// A schema behind its references, and the name of the last one.
fn resolved(mut schema: &Value) -> (&Value, &str) {
    let mut name = "";
    while let Some(reference) = schema["$ref"].as_str() {
        name = reference.trim_start_matches("#/$defs/");
        schema = &self::schema()["$defs"][name];
    }
    (schema, name)
}

impl Shape {
    /// Checks a node, and returns it without what is wrong in it; `None` where nothing is left.
    fn node(&mut self, node: &Node, schema: &Value, what: &str) -> Option<Node> {
        let before = self.problems.len();
        let (schema, definition) = resolved(schema);
        let sound = if schema["properties"].is_object() {
            self.map(node, schema, what)
        } else if is_step(schema) {
            self.step(node, schema)
        } else if !words(schema).is_empty() {
            self.choice(node, definition, &words(schema))
        } else if schema["type"] == "object" {
            self.named(node, schema, what)
        } else if schema["type"] == "array" {
            self.list(node, schema, what)
        } else {
            self.scalar(node, schema, definition, what)
        };
        match definition {
            _ if self.problems.len() == before => sound,
            "Step" => sound.or_else(|| stand_in(stand_in_of_step(node), node)),
            "Then" => stand_in(THEN_STAND_IN, node),
            _ => sound,
        }
    }

    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn wrong_kind(&mut self, node: &Node, what: &str, wanted: &str) -> Option<Node> {
        let message = format!("{what} is {wanted}, not {}", node.noun());
        let problem = Problem::new("scenario::wrong_kind", node.span.clone(), message)
            .label(format!("{wanted} is wanted here"));
        let is_unquoted = matches!(node.kind, Kind::Int(_) | Kind::Bool(_) | Kind::Float(_));
        self.report(if wanted == "a text" && is_unquoted {
            problem.help("put it between quotes")
        } else {
            problem
        });
        None
    }

    /// The entries of a map whose keys are texts, each key once.
    fn entries<'a>(&mut self, node: &'a Node, what: &str) -> Option<Vec<Entry<'a>>> {
        let Kind::Map(entries) = &node.kind else {
            self.wrong_kind(node, what, "a map");
            return None;
        };
        let mut seen: Vec<Entry<'_>> = Vec::new();
        for (key, value) in entries {
            let Kind::Text(name) = &key.kind else {
                self.wrong_kind(key, "a key", "a text");
                continue;
            };
            if seen.iter().any(|known| known.name == name) {
                self.report(
                    Problem::new(
                        "scenario::duplicate_key",
                        key.span.clone(),
                        format!("`{name}` stands here twice"),
                    )
                    .label("the second one")
                    .help("remove one of them"),
                );
                continue;
            }
            seen.push(Entry { name, key, value });
        }
        Some(seen)
    }

    fn map(&mut self, node: &Node, schema: &Value, what: &str) -> Option<Node> {
        let entries = self.entries(node, what)?;
        let properties = schema["properties"].as_object()?;
        let mut sound = Vec::new();
        let mut misspelt = Vec::new();
        for Entry { name, key, value } in &entries {
            let Some(property) = properties.get(*name) else {
                misspelt.extend(meant(name, properties.keys().map(String::as_str)));
                self.report(
                    Problem::new(
                        "scenario::unknown_key",
                        key.span.clone(),
                        format!("unknown key `{name}` in {what}"),
                    )
                    .label("not a key here")
                    .suggest(name, properties.keys().map(String::as_str)),
                );
                continue;
            };
            let value = self.node(value, property, &format!("`{name}`"));
            sound.extend(value.map(|value| ((*key).clone(), value)));
        }
        let required = schema["required"].as_array().into_iter().flatten();
        let mut whole = true;
        for wanted in required.filter_map(Value::as_str) {
            whole &= sound
                .iter()
                .any(|(key, _)| key.word().as_deref() == Some(wanted));
            let is_there = entries.iter().any(|entry| entry.name == wanted);
            if !is_there && !misspelt.contains(&wanted) {
                self.report(
                    Problem::new(
                        "scenario::missing_key",
                        node.span.clone(),
                        format!("{what} has no `{wanted}`"),
                    )
                    .label(format!("`{wanted}` is missing in this map"))
                    .help(format!("add `{wanted}: …`")),
                );
            }
        }
        whole.then(|| node.with(Kind::Map(sound)))
    }

    /// A map whose keys are names.
    fn named(&mut self, node: &Node, schema: &Value, what: &str) -> Option<Node> {
        let entries = self.entries(node, what)?;
        if entries.is_empty() {
            self.report(
                Problem::new(
                    "scenario::empty",
                    node.span.clone(),
                    format!("{what} has no entry"),
                )
                .label("at least one is wanted"),
            );
        }
        let sound = entries.iter().map(|Entry { name, key, value }| {
            let sound = self.node(value, &schema["additionalProperties"], &format!("`{name}`"));
            // The name stays, or it would be unknown wherever it is used.
            let sound = sound.unwrap_or_else(|| value.with(Kind::Map(Vec::new())));
            ((*key).clone(), sound)
        });
        let sound = sound.collect();
        Some(node.with(Kind::Map(sound)))
    }

    fn list(&mut self, node: &Node, schema: &Value, what: &str) -> Option<Node> {
        let Kind::List(items) = &node.kind else {
            return self.wrong_kind(node, what, "a list");
        };
        let what = format!("an item of {what}");
        let sound = items.iter();
        let sound = sound.filter_map(|item| self.node(item, &schema["items"], &what));
        let sound = sound.collect();
        Some(node.with(Kind::List(sound)))
    }

    fn scalar(
        &mut self,
        node: &Node,
        schema: &Value,
        definition: &str,
        what: &str,
    ) -> Option<Node> {
        let kind = &schema["type"];
        match (&node.kind, kind.as_str()) {
            (Kind::Text(_), Some("string")) | (Kind::Bool(_), Some("boolean")) => {}
            (Kind::Int(value), Some("integer")) => return self.range(node, *value, schema, what),
            (Kind::Text(_) | Kind::Int(_) | Kind::Float(_), None) if kind.is_array() => {}
            (_, Some("boolean")) => return self.wrong_kind(node, what, "true or false"),
            (_, Some("integer")) => return self.wrong_kind(node, what, "a number"),
            (_, Some(_)) => return self.wrong_kind(node, what, "a text"),
            (_, None) => return self.wrong_kind(node, what, "a word"),
        }
        let Some((word, reason)) = node
            .word()
            .and_then(|word| refusal(definition, &word).map(|reason| (word, reason)))
        else {
            return Some(node.clone());
        };
        let (reason, help) = reason.split_once(": ").unwrap_or((&reason, ""));
        let message = format!("{what} `{word}`: {reason}");
        let problem = Problem::new("scenario::bad_value", node.span.clone(), message);
        self.report(if help.is_empty() {
            problem
        } else {
            problem.help(help)
        });
        None
    }

    fn range(&mut self, node: &Node, value: i128, schema: &Value, what: &str) -> Option<Node> {
        let bound = |name| schema[name].as_i64().map(i128::from);
        let (least, most) = (bound("minimum")?, bound("maximum")?);
        if (least..=most).contains(&value) {
            return Some(node.clone());
        }
        let wanted = if least == most {
            format!("{least}")
        } else {
            format!("a number from {least} to {most}")
        };
        self.report(Problem::new(
            "scenario::out_of_range",
            node.span.clone(),
            format!("{what} is {wanted}, not {value}"),
        ));
        None
    }

    /// A word out of a closed set.
    fn choice(&mut self, node: &Node, definition: &str, known: &[&str]) -> Option<Node> {
        let row = CATALOGUES.iter().find(|row| row.0 == definition);
        let (_, noun, code) = row.unwrap_or(&("", "word", "scenario::unknown_word"));
        let (Kind::Text(word) | Kind::Float(word)) = &node.kind else {
            return self.wrong_kind(node, &format!("a {noun}"), "a text");
        };
        if known.contains(&word.as_str()) {
            return Some(node.clone());
        }
        self.report(
            Problem::new(code, node.span.clone(), format!("unknown {noun} `{word}`"))
                .label("not in the catalogue")
                .suggest(word, known.iter().copied()),
        );
        None
    }

    /// Something that is no step; mostly its arguments are not indented enough.
    fn no_step(node: &Node, tagged: &[(&str, &Value)]) -> Problem {
        if let Kind::Map(entries) = &node.kind
            && let [
                (
                    first,
                    Node {
                        kind: Kind::Null, ..
                    },
                ),
                (second, _),
                ..,
            ] = &entries[..]
            && let Kind::Text(word) = &first.kind
            && tagged.iter().any(|(tag, _)| tag == word)
        {
            let message = format!("the arguments of `{word}` stand beside it, not below it");
            return Problem::new("scenario::step", second.span.clone(), message)
                .label("one of them")
                .help(format!(
                    "indent what belongs to `{word}` by two blanks more"
                ));
        }
        Problem::new(
            "scenario::step",
            node.span.clone(),
            "a step is one word, or a map with one key",
        )
        .label("not a step")
        .help("write `- start` or `- guest-write: { disk: vda, … }`")
    }

    /// A bare word, or a map with one key.
    fn step(&mut self, node: &Node, schema: &Value) -> Option<Node> {
        let bare = words(schema);
        let tagged = tagged(schema);
        let (place, body) = match &node.kind {
            Kind::Text(_) => (node, None),
            Kind::Map(entries) if entries.len() == 1 => (&entries[0].0, Some(&entries[0].1)),
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Float(_)
            | Kind::List(_)
            | Kind::Map(_) => {
                let problem = Self::no_step(node, &tagged);
                self.report(problem);
                return None;
            }
        };
        let Kind::Text(word) = &place.kind else {
            return self.wrong_kind(place, "the name of a step", "a text");
        };
        let is_bare = bare.contains(&word.as_str());
        let schema = tagged.iter().find(|(tag, _)| tag == word);
        let arguments = |message: String, help: String| {
            Problem::new("scenario::step_arguments", place.span.clone(), message).help(help)
        };
        match (body, schema) {
            (None, _) if is_bare => return Some(node.clone()),
            (Some(body), Some((_, schema))) => {
                let body = self.node(body, schema, &format!("`{word}`"))?;
                return Some(node.with(Kind::Map(vec![(place.clone(), body)])));
            }
            (None, Some(_)) => self.report(arguments(
                format!("step `{word}` needs arguments"),
                format!("write `{word}: {{ … }}`"),
            )),
            (Some(_), None) if is_bare => self.report(arguments(
                format!("step `{word}` takes no arguments"),
                format!("write `- {word}`"),
            )),
            (_, None) => {
                let known = bare
                    .iter()
                    .copied()
                    .chain(tagged.iter().map(|(tag, _)| *tag));
                self.report(
                    Problem::new(
                        "scenario::unknown_step",
                        place.span.clone(),
                        format!("unknown step `{word}`"),
                    )
                    .label("not a step")
                    .suggest(word, known),
                );
            }
        }
        None
    }
}

/// An entry of a map.
struct Entry<'a> {
    name: &'a str,
    key: &'a Node,
    value: &'a Node,
}

/// What stands in for a part with problems while the meaning of the rest is checked.
fn stand_in(text: &str, wrong: &Node) -> Option<Node> {
    let node = Node::parse(text).ok()?;
    Some(Node {
        span: wrong.span.clone(),
        kind: node.kind,
    })
}

/// What a step with problems may have changed, as far as its name tells.
fn stand_in_of_step(step: &Node) -> &'static str {
    let name = match &step.kind {
        Kind::Map(entries) => entries.first().and_then(|(key, _)| key.word()),
        Kind::Null
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::Float(_)
        | Kind::Text(_)
        | Kind::List(_) => step.word(),
    };
    let about_disks = name.is_some_and(|name| meant(&name, DISK_STEPS.into_iter()).is_some());
    if about_disks {
        DISK_STAND_IN
    } else {
        STEP_STAND_IN
    }
}

/// True for the schema of steps: words, and maps with one key.
fn is_step(schema: &Value) -> bool {
    !tagged(schema).is_empty()
}

/// The steps with arguments, and the schema of these.
fn tagged(schema: &Value) -> Vec<(&str, &Value)> {
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let maps = choices.filter_map(|choice| choice["properties"].as_object());
    maps.flatten()
        .map(|(tag, body)| (tag.as_str(), body))
        .collect()
}

/// The words that a schema of closed words allows.
fn words(schema: &Value) -> Vec<&str> {
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let listed = choices.chain([schema]).flat_map(|choice| {
        let many = choice["enum"].as_array().into_iter().flatten();
        many.chain([&choice["const"]])
    });
    listed.filter_map(Value::as_str).collect()
}
