//! What the tests of several reports share.

use std::path::Path;

/// `BLESS=1 cargo test schema` writes them anew.
pub(super) fn assert_schema(file: &str, schema: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema,
        "{file} is not what the types say; run: BLESS=1 cargo test schema"
    );
}
