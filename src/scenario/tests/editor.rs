//! The schema for editors allows what the checker allows, and refuses what it refuses.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::generated::documents;
use crate::scenario::comments::Comments;
use crate::scenario::emit::emit;
use crate::scenario::tree::Node;
use crate::scenario::{editor_schema, shape};

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&editor_schema()).unwrap());

fn problem(document: &Value) -> Option<String> {
    let error = VALIDATOR.validate(document).err()?;
    Some(format!("{error} at {}", error.instance_path()))
}

fn is_sound(document: &Value) -> bool {
    let text = emit(document, &mut Comments::default());
    let root = Node::parse(&text);
    let root = root.unwrap_or_else(|problem| panic!("{}\n{text}", problem.message));
    shape::check(&root).problems.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_the_checker_allows_is_allowed(document in documents().prop_map(settled)) {
        prop_assert!(is_sound(&document), "{}", document);
        prop_assert_eq!(problem(&document), None, "{}", document);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Each value is spoiled in turn: both must see it.
    #[test]
    fn what_the_checker_refuses_is_refused(document in documents().prop_map(settled)) {
        for place in places(&document) {
            let mut spoiled = document.clone();
            spoil(spoiled.pointer_mut(&place).unwrap());
            prop_assert!(!is_sound(&spoiled), "{} in {}", place, spoiled);
            prop_assert!(problem(&spoiled).is_some(), "{} in {}", place, spoiled);
        }
    }
}

/// Keys that depend on each other, about which the structure says nothing, fit each other.
fn settled(mut document: Value) -> Value {
    let root = document.as_object_mut().unwrap();
    root.entry("then").or_insert_with(|| json!({}));
    settle(&mut document);
    let axes = document.get_mut("matrix").and_then(Value::as_object_mut);
    let values = axes.into_iter().flat_map(|axes| axes.values_mut());
    let cases = values.filter_map(Value::as_object_mut);
    cases.flat_map(|cases| cases.values_mut()).for_each(settle);
    document
}

fn settle(case: &mut Value) {
    let Some(Value::Object(then)) = case.get_mut("then") else {
        return;
    };
    if then.contains_key("result") {
        then.retain(|key, _| key == "result");
        return;
    }
    then.entry("error").or_insert_with(|| json!("VIR_ERR_OK"));
    then.entry("decision")
        .or_insert_with(|| json!("fix-request"));
}

/// The pointers to every value in a value.
fn places(value: &Value) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => (0..)
            .zip(items)
            .map(|(index, item): (usize, _)| (index.to_string(), item))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let deeper = below.into_iter().flat_map(|(key, value)| {
        let paths = places(value).into_iter();
        paths.map(move |path| format!("/{key}{path}"))
    });
    [String::new()].into_iter().chain(deeper).collect()
}

/// No key of the language takes both a list and something else, and none is called so.
fn spoil(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.insert("no-such-key".to_owned(), json!([]));
        }
        Value::Array(_) => *value = json!("no list"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => *value = json!([]),
    }
}

/// The scenarios of the suite, by path.
fn suite() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let areas = fs::read_dir(root).unwrap().map(|entry| entry.unwrap());
    let areas = areas.filter(|entry| entry.file_type().unwrap().is_dir());
    let files = areas.flat_map(|area| fs::read_dir(area.path()).unwrap());
    let read = files.map(|file| {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let document = serde_saphyr::from_str(&text).unwrap();
        (path.display().to_string(), document)
    });
    read.collect()
}

#[test]
fn the_suite_is_valid() {
    let suite = suite();
    assert!(!suite.is_empty());
    for (path, document) in suite {
        assert_eq!(problem(&document), None, "{path}");
    }
}

/// The files without a matrix, whose cases may hold what stands at the top elsewhere.
fn plain() -> Vec<(String, Value)> {
    let mut plain = suite();
    plain.retain(|(_, document)| document.get("matrix").is_none());
    assert!(plain.len() > 10);
    plain
}

#[rstest]
#[case::unknown_key("", "sumary", json!("x"))]
#[case::unknown_step("/history/0", "guest-rite", json!({}))]
#[case::missing_key("/when", "backup-begin", json!({}))]
#[case::unknown_word("/then", "decision", json!("fix-reqest"))]
#[case::unknown_code("/then", "error", json!("VIR_ERR"))]
#[case::wrong_type("/then", "remedy", json!("start"))]
#[case::out_of_range("", "format", json!(2))]
#[case::success_and_refusal("", "then", json!({"result": "ok", "error": "VIR_ERR_NO_DOMAIN"}))]
fn a_mistake_in_the_suite_would_be_seen(
    #[case] place: &str,
    #[case] key: &str,
    #[case] value: Value,
) {
    for (path, mut document) in plain() {
        // A scenario can do without a history.
        let Some(holder) = document.pointer_mut(place) else {
            assert!(place.starts_with("/history"), "{path}");
            continue;
        };
        if !holder.is_object() {
            *holder = json!({});
        }
        holder[key] = value.clone();
        assert!(problem(&document).is_some(), "{path}");
    }
}

#[rstest]
#[case::call("", "when")]
#[case::expectation("", "then")]
#[case::decision("/then", "decision")]
#[case::summary("", "summary")]
fn a_missing_key_in_the_suite_would_be_seen(#[case] place: &str, #[case] key: &str) {
    for (path, mut document) in plain() {
        // A call that succeeds has no decision.
        if document.pointer("/then/result").is_some() && key == "decision" {
            continue;
        }
        let holder = document.pointer_mut(place).unwrap();
        let removed = holder.as_object_mut().unwrap().remove(key);
        assert!(removed.is_some() && problem(&document).is_some(), "{path}");
    }
}
