//! The table as one JSON document.

use crate::policy::Table;

/// The table as JSON, indented: with the steps of each client, and what it has left behind.
///
/// # Errors
/// Something in it has no form in JSON.
pub fn json(table: &Table) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(table)? + "\n")
}
