//! The profiles that come with the program: those of `src/policy/profiles/`.

use rust_embed::RustEmbed;

use super::profile::Profile;

#[derive(RustEmbed)]
#[folder = "src/policy/profiles/"]
#[include = "*.yaml"]
struct Files;

/// Every shipped profile, in the order of their names.
///
/// # Panics
/// Never: a test reads them all.
#[must_use]
pub fn shipped() -> Vec<Profile> {
    let mut files: Vec<_> = Files::iter().collect();
    files.sort();
    let read = |path: &str| {
        let file = Files::get(path)?;
        let text = String::from_utf8_lossy(&file.data);
        Some(Profile::parse(path, &text).expect("a test reads every shipped profile"))
    };
    files.iter().filter_map(|path| read(path)).collect()
}
