//! Two compared runs as one JSON document; `comparison.schema.json` describes it.

use crate::record::Comparison;

/// The comparison as JSON, indented.
///
/// # Errors
/// Something in it has no form in JSON.
pub fn json(comparison: &Comparison) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(comparison)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::assert_schema;

    #[test]
    fn the_committed_schema_is_that_of_the_types() {
        assert_schema(
            "src/report/comparison/comparison.schema.json",
            &Comparison::schema(),
        );
    }
}
