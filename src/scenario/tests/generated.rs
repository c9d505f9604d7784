//! Documents made from the schema, so that every key and every step occurs.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use crate::scenario::schema;

/// Any document that the schema allows, whatever it means.
pub(super) fn documents() -> BoxedStrategy<Value> {
    let root = of(schema(), 5);
    root.prop_map(|mut document| {
        // The schema allows to leave out what only a matrix may supply.
        document["when"] = document
            .get("when")
            .cloned()
            .unwrap_or_else(|| json!("start"));
        document
    })
    .boxed()
}

/// Any value of a schema; beyond `depth` steps no other steps are nested.
fn of(node: &Value, depth: usize) -> BoxedStrategy<Value> {
    if let Some(reference) = node["$ref"].as_str() {
        let name = reference.trim_start_matches("#/$defs/");
        if let Some(word) = word(name) {
            return word;
        }
        let definition = &schema()["$defs"][name];
        return of(definition, depth.saturating_sub(1));
    }
    if node["properties"].is_object() {
        return map(node, depth);
    }
    if let Some(choices) = node["oneOf"].as_array() {
        let is_flat = |choice: &&Value| choice["properties"].is_null();
        let choices = choices.iter().filter(|choice| depth > 0 || is_flat(choice));
        let choices: Vec<_> = choices.map(|choice| of(choice, depth)).collect();
        return any::<Index>()
            .prop_flat_map(move |at| at.get(&choices).clone())
            .boxed();
    }
    if let Some(words) = node["enum"].as_array() {
        return select(words.clone()).boxed();
    }
    if !node["const"].is_null() {
        return Just(node["const"].clone()).boxed();
    }
    match node["type"].as_str() {
        Some("object") => {
            let value = of(&node["additionalProperties"], depth);
            vec((name(), value), 1..3)
                .prop_map(|entries| Value::Object(entries.into_iter().collect()))
                .boxed()
        }
        Some("array") => {
            let most = if depth == 0 { 1 } else { 4 };
            vec(of(&node["items"], depth), 0..most)
                .prop_map(Value::Array)
                .boxed()
        }
        Some("integer") => {
            let bound = |name: &str| node[name].as_u64().unwrap_or_default();
            (bound("minimum")..=bound("maximum"))
                .prop_map(Value::from)
                .boxed()
        }
        Some("boolean") => any::<bool>().prop_map(Value::Bool).boxed(),
        Some(_) | None => text(),
    }
}

fn map(node: &Value, depth: usize) -> BoxedStrategy<Value> {
    let required: Vec<&str> = node["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = node["properties"].as_object().cloned().unwrap_or_default();
    let mut strategy = Just(Map::new()).boxed();
    for (key, property) in properties {
        let value = of(&property, depth);
        let value = if required.contains(&key.as_str()) {
            value.prop_map(Some).boxed()
        } else {
            proptest::option::weighted(0.3, value).boxed()
        };
        strategy = (strategy, value)
            .prop_map(move |(mut map, value)| {
                if let Some(value) = value {
                    map.insert(key.clone(), value);
                }
                map
            })
            .boxed();
    }
    strategy.prop_map(Value::Object).boxed()
}

/// Words that are not any text.
fn word(definition: &str) -> Option<BoxedStrategy<Value>> {
    Some(match definition {
        "Size" => prop_oneof![
            (0_u64..1 << 40).prop_map(Value::from),
            "[0-9]{1,3}[KMGT]".prop_map(Value::from),
        ]
        .boxed(),
        "Version" => "[0-9]{1,2}\\.[0-9]{1,2}(\\.[0-9])?"
            .prop_map(Value::from)
            .boxed(),
        "FileName" => "[a-z ,:#]{1,8}(/[a-z.]{3,8})?"
            .prop_map(Value::from)
            .boxed(),
        "TargetName" => "[a-z0-9]{1,4}".prop_map(Value::from).boxed(),
        "HexBytes" => "[0-9a-f]{2}( [0-9a-f]{2}){0,4}"
            .prop_map(Value::from)
            .boxed(),
        _ => return None,
    })
}

fn name() -> BoxedStrategy<String> {
    prop_oneof!["[a-z]{1,6}", "[a-z0-9:#,\\-\\[ ]{1,6}", ".{1,8}"]
        .prop_filter("a key of blanks alone reads as nothing", |name| {
            !name.trim().is_empty()
        })
        .boxed()
}

/// Texts that YAML might take for something else are likely.
fn text() -> BoxedStrategy<Value> {
    const ODD: &[&str] = &[
        "",
        " ",
        "yes",
        "null",
        "~",
        "0x10",
        "1.5",
        "- a",
        "a: b",
        "a #b",
        "#",
        "'",
        "\"",
        "a\nb",
        "a\n\nb\n",
        " a\nb",
        "a\n",
        "\ta\nb",
        "a\r\nb",
        "a  b",
        "%a",
        "@",
        "`",
        "|",
        ">",
        "a:",
        "[a]",
        "{a",
        "a, b",
        "\u{0}",
        "\u{85}",
        "\u{feff}a",
        "2001-01-01",
        "---",
        "...",
        "a\\",
    ];
    prop_oneof![
        select(ODD).prop_map(Value::from),
        "[a-z]{1,8}".prop_map(Value::from),
        "([a-z<>/=']{1,9}[ \n]){0,40}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
    .boxed()
}
