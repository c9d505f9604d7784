//! New scenarios: from a template, or from another scenario.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{File, Suite, source_of};
use crate::scenario::{Diagnostics, parse, renamed};

const TEMPLATE: &str = include_str!("starter.yaml");

/// A new scenario cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The name is not an area and a name.
    #[error("`{0}` is not AREA/NAME, such as bitmaps/lost-bitmap-needs-full-backup")]
    NoArea(String),
    /// The area has characters that a folder should not have.
    #[error("`{0}` is not an area: write small letters, digits, `-` and `.`")]
    Area(String),
    /// The name is not in kebab case.
    #[error("`{0}` is not a name: write words of small letters and digits, with `-` between them")]
    Name(String),
    /// The embedded suite is a part of the binary.
    #[error(
        "the suite inside this binary cannot be changed: copy it out with \
         `backup-tck export DIR`, or name one with --suite"
    )]
    Embedded,
    /// There is one already.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// The new text would not be a sound scenario.
    #[error("{0}")]
    Unsound(Diagnostics),
    /// The file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes a new scenario into a suite: the template, or a copy of another scenario under the new
/// name. An existing file is never replaced.
pub fn begin(suite: &Suite, name: &str, from: Option<&File>) -> Result<PathBuf, NewError> {
    let stem = checked(name)?;
    let Suite::Folder(folder) = suite else {
        return Err(NewError::Embedded);
    };
    let path = folder.join(source_of(name));
    let text = match from {
        None => TEMPLATE.replace("NAME", stem),
        Some(file) => copy_of(file, stem).map_err(NewError::Unsound)?,
    };
    // A name such as `null` is no text in YAML.
    parse(&path, &text).map_err(NewError::Unsound)?;
    if path.exists() {
        return Err(NewError::Exists(path));
    }
    write_new(&path, &text).map_err(|source| {
        let path = path.clone();
        NewError::Write { path, source }
    })?;
    Ok(path)
}

/// The last part of a name that follows the rules.
fn checked(name: &str) -> Result<&str, NewError> {
    let Some((area, stem)) = name.split_once('/') else {
        return Err(NewError::NoArea(name.to_owned()));
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let in_area = |c: char| plain(c) || c == '-' || c == '.';
    if !area.starts_with(plain) || !area.ends_with(plain) || !area.chars().all(in_area) {
        return Err(NewError::Area(area.to_owned()));
    }
    let is_word = |word: &str| !word.is_empty() && word.chars().all(plain);
    if !stem.starts_with(|c: char| c.is_ascii_lowercase()) || !stem.split('-').all(is_word) {
        return Err(NewError::Name(stem.to_owned()));
    }
    Ok(stem)
}

/// The text of a scenario with another name in it; comments and all else stay.
fn copy_of(file: &File, stem: &str) -> Result<String, Diagnostics> {
    match &file.text {
        Ok(text) => renamed(&file.path, text, stem),
        Err(reason) => Err(Diagnostics::unreadable(&file.path, reason)),
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let area = path.parent().unwrap_or(path);
    let is_new = !area.exists();
    fs::create_dir_all(area)?;
    // Another process may have been quicker: its file is not replaced.
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes()).inspect_err(|_| {
            // Half a scenario is worse than none; the error is told in any case.
            let _ = fs::remove_file(path);
        })
    });
    if written.is_err() && is_new {
        let _ = fs::remove_dir(area);
    }
    written
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn suite() -> (tempfile::TempDir, Suite) {
        let folder = tempfile::tempdir().unwrap();
        let suite = Suite::Folder(folder.path().to_owned());
        (folder, suite)
    }

    #[test]
    fn the_template_is_sound_under_any_name() {
        let (_folder, suite) = suite();
        let path = begin(&suite, "some-area/a-new-one", None).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("NAME"), "{text}");
        let scenarios = parse(&path, &text).unwrap();
        assert_eq!(scenarios[0].name, "a-new-one");
    }

    #[rstest]
    #[case::plain("scenario: old\n", "scenario: new-one\n")]
    #[case::quoted("scenario: \"old\" # why\n", "scenario: new-one # why\n")]
    #[case::single("scenario: 'old'\n", "scenario: new-one\n")]
    fn a_copy_differs_in_its_name_only(#[case] line: &str, #[case] expected: &str) {
        let (_folder, suite) = suite();
        let text = |line: &str| TEMPLATE.replace("scenario: NAME\n", line);
        let file = File {
            name: "a/old".to_owned(),
            path: PathBuf::from("scenarios/a/old.yaml"),
            text: Ok(text(line)),
        };
        let path = begin(&suite, "b/new-one", Some(&file)).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), text(expected));
    }

    #[rstest]
    #[case("name", "is not AREA/NAME")]
    #[case("/name", "is not an area")]
    #[case("../name", "is not an area")]
    #[case("Area/name", "is not an area")]
    #[case("a b/name", "is not an area")]
    #[case("a/", "is not a name")]
    #[case("a/b/c", "is not a name")]
    #[case("a/Name", "is not a name")]
    #[case("a/two_words", "is not a name")]
    #[case("a/two--words", "is not a name")]
    #[case("a/-x", "is not a name")]
    #[case("a/1-x", "is not a name")]
    #[case("a/x.yaml", "is not a name")]
    #[case("a/null", "has 1 problem")]
    fn odd_names_are_refused(#[case] name: &str, #[case] part: &str) {
        let (folder, suite) = suite();
        let told = begin(&suite, name, None).unwrap_err().to_string();
        assert!(told.contains(part), "{told}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_replaced() {
        let (_folder, suite) = suite();
        let path = begin(&suite, "a/new", None).unwrap();
        fs::write(&path, "mine").unwrap();
        assert!(matches!(
            begin(&suite, "a/new", None),
            Err(NewError::Exists(_))
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        assert!(matches!(
            begin(&Suite::Embedded, "a/new", None),
            Err(NewError::Embedded)
        ));
    }
}
