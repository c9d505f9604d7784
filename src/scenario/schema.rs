//! The JSON Schema of the language, made from its types.

use std::sync::LazyLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value, json};

use super::syntax::Document;

static SCHEMA: LazyLock<Value> = LazyLock::new(generate);

/// The JSON Schema of a scenario file (draft 2020-12), with what the types' comments say as
/// descriptions; [`super::editor_schema`] is the one for editors.
#[must_use]
pub fn schema() -> &'static Value {
    &SCHEMA
}

fn generate() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(AbsentIsNotNull);
    let schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.to_value()
}

/// An optional key is left out; it is never `null`. Integers say their range, and `format`, which
/// is Rust's, goes.
#[derive(Clone, Debug)]
struct AbsentIsNotNull;

impl Transform for AbsentIsNotNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut() {
            without_null(object);
            with_range(object);
            object.remove("default");
        }
        transform_subschemas(self, schema);
    }
}

fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else {
        return;
    };
    choices.retain(|choice| choice != &json!({ "type": "null" }));
    if let [Value::Object(only)] = &choices[..] {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

fn with_range(object: &mut Map<String, Value>) {
    let largest = match object.get("format").and_then(Value::as_str) {
        Some("uint8") => u64::from(u8::MAX),
        Some("uint32") => u64::from(u32::MAX),
        Some(_) | None => return,
    };
    object.remove("format");
    object.entry("minimum").or_insert_with(|| json!(0));
    object.entry("maximum").or_insert_with(|| json!(largest));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_descriptions() {
        let text = schema().pointer("/$defs/Disk/properties/size/description");
        assert_eq!(
            text.and_then(Value::as_str),
            Some("Virtual size of the image, such as `16M`.")
        );
    }

    #[test]
    fn nothing_may_be_null() {
        assert!(!schema().to_string().contains("\"null\""));
    }
}
