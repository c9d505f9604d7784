//! The JSON Schema as editors understand it best.
//!
//! [`super::schema`] is shaped for this crate: each word and each step is an alternative of its own.
//! A language server then tells every alternative that a mistake does not match, and offers a step
//! with arguments twice. This says the same in the form that servers handle well. What it must not
//! do is allow or refuse another document; the tests hold both against the same ones.

use serde_json::{Map, Value, json};

use super::schema;

/// The JSON Schema of a scenario file for editors.
#[must_use]
pub fn editor_schema() -> Value {
    let mut schema = schema().clone();
    rewrite(&mut schema);
    // The keys that a matrix may supply, and what `then` holds, depend on each other. The checker
    // says so with better words.
    schema["if"] = json!({ "required": ["matrix"] });
    schema["else"] = json!({ "required": ["when", "then"] });
    let then = &mut schema["$defs"]["Then"];
    then["if"] = json!({ "required": ["result"] });
    then["then"] = json!({ "properties": {
        "error": false,
        "error-domain": false,
        "message": false,
        "category": false,
        "decision": false,
        "remedy": { "maxItems": 0 },
    } });
    then["else"] = json!({ "required": ["error", "decision"] });
    schema
}

fn rewrite(node: &mut Value) {
    match node {
        Value::Object(map) => {
            map.values_mut().for_each(rewrite);
            with_words(map);
            with_steps(map);
            with_markdown(map);
        }
        Value::Array(items) => items.iter_mut().for_each(rewrite),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// One list of words instead of an alternative for each, with what each of them means.
fn with_words(map: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = map.get("oneOf") else {
        return;
    };
    let words: Vec<Value> = choices
        .iter()
        .map(|choice| choice["const"].clone())
        .collect();
    if words.iter().any(Value::is_null) {
        return;
    }
    let meanings: Value = choices
        .iter()
        .map(|choice| choice["description"].clone())
        .collect();
    map.remove("oneOf");
    map.insert("type".to_owned(), json!("string"));
    map.insert("enum".to_owned(), Value::Array(words));
    map.insert("markdownEnumDescriptions".to_owned(), meanings);
}

/// One map for all steps with arguments, of which one key may stand, instead of a map for each.
/// What is a map and what a word is asked first, so that a mistake is held against one of the two.
fn with_steps(map: &mut Map<String, Value>) {
    let Some(Value::Array(mut words)) = map.remove("oneOf") else {
        return;
    };
    let mut steps = Map::new();
    words.retain(|step| {
        for (name, arguments) in step["properties"].as_object().into_iter().flatten() {
            let mut arguments = arguments.clone();
            arguments["description"] = step["description"].clone();
            arguments.as_object_mut().map(with_markdown);
            steps.insert(name.clone(), arguments);
        }
        step["properties"].is_null()
    });
    map.insert("if".to_owned(), json!({ "type": "object" }));
    let steps = json!({
        "properties": steps,
        "additionalProperties": false,
        // Beside `properties`, this would keep servers from offering any.
        "allOf": [{ "minProperties": 1, "maxProperties": 1 }],
    });
    map.insert("then".to_owned(), steps);
    map.insert("else".to_owned(), json!({ "oneOf": words }));
}

/// A description is one line, and called Markdown: servers show the end of a line as the end of a
/// paragraph, and what is not called Markdown with its marks. Each has its own, or the one of what
/// a `$ref` leads to would stand in its place.
fn with_markdown(map: &mut Map<String, Value>) {
    let Some(Value::String(description)) = map.get_mut("description") else {
        return;
    };
    *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let markdown = description.clone();
    map.insert("markdownDescription".to_owned(), Value::String(markdown));
}
