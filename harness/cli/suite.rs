//! A suite in a folder of its own, for tests that change it.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// The scenarios of the copy: two that stay as they are, however the suite grows.
const SCENARIOS: [&str; 2] = [
    "checkpoint-on-raw-disk-refused",
    "redefine-validate-after-image-recreated",
];

/// A copy of a part of the checkout's suite.
pub(crate) struct Copy(pub(crate) TempDir);

impl Copy {
    pub(crate) fn new() -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (folder, end) in [("scenarios/seed", "yaml"), ("snapshots/seed", "snap")] {
            let target = copy.0.path().join(folder);
            fs::create_dir_all(&target).unwrap();
            for scenario in SCENARIOS {
                let file = format!("{scenario}.{end}");
                fs::copy(checkout.join(folder).join(&file), target.join(&file)).unwrap();
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
