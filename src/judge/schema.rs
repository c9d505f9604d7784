//! The JSON Schemas of what goes in and what comes out.

use schemars::{JsonSchema, schema_for};

use super::{Facts, Judgement};

/// The JSON Schema of [`Facts`].
#[must_use]
pub fn facts_schema() -> String {
    text::<Facts>("backup-tck facts")
}

/// The JSON Schema of [`Judgement`].
#[must_use]
pub fn answer_schema() -> String {
    text::<Judgement>("backup-tck answer")
}

fn text<T: JsonSchema>(title: &str) -> String {
    let mut schema = schema_for!(T);
    schema.insert("title".to_owned(), title.into());
    format!("{:#}\n", schema.to_value())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// `BLESS=1 cargo test schema` writes them anew.
    #[test]
    fn the_committed_schemas_are_those_of_the_types() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/judge");
        for (name, schema) in [
            ("facts.schema.json", facts_schema()),
            ("answer.schema.json", answer_schema()),
        ] {
            let path = folder.join(name);
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&path, &schema).unwrap();
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                committed == schema,
                "{name} is stale; run: BLESS=1 cargo test schema"
            );
        }
    }
}
