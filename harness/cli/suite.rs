//! A suite in a folder of its own, for tests that change it.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// A copy of the checkout's suite.
pub(crate) struct Copy(pub(crate) TempDir);

impl Copy {
    pub(crate) fn new() -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in ["scenarios/seed", "snapshots/seed"] {
            let target = copy.0.path().join(folder);
            fs::create_dir_all(&target).unwrap();
            for entry in fs::read_dir(checkout.join(folder)).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
            }
        }
        copy
    }

    /// Replaces a text in one of its files.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.0.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no `{from}`");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    pub(crate) fn exists(&self, file: &str) -> bool {
        self.0.path().join(file).exists()
    }
}
