//! Where the suite is, and what is in it.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::{EmbeddedFile, RustEmbed};

use super::{Case, File, load};

/// A set of scenarios with their snapshots.
#[derive(Clone, Debug)]
pub enum Suite {
    /// A folder that holds `scenarios/`, and `snapshots/` once something was recorded.
    Folder(PathBuf),
    /// The copy inside the binary.
    Embedded,
}

/// The suite cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Why it could not be.
        source: io::Error,
    },
    /// A pattern is not one.
    #[error("`{pattern}` is not a pattern: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A scenario lies where no area is.
    #[error("{} lies outside an area; move it to scenarios/AREA/NAME.yaml", .0.display())]
    Misplaced(PathBuf),
    /// A scenario's file has another ending.
    #[error("{} would never be found: a scenario's file ends with .yaml", .0.display())]
    Spelling(PathBuf),
    /// A folder was named that holds no suite.
    #[error("{} holds no `scenarios` folder", .0.display())]
    NoSuite(PathBuf),
}

#[derive(RustEmbed)]
#[folder = "scenarios/"]
#[include = "*.yaml"]
#[include = "scenario.schema.json"]
#[include = "CATALOGUE.tsv"]
struct Scenarios;

#[derive(RustEmbed)]
#[folder = "snapshots/"]
#[include = "*.snap"]
#[include = "divergences.yaml"]
struct Snapshots;

impl Suite {
    /// The file of `snapshots/` that lists what other versions of libvirt answer otherwise.
    pub const DIVERGENCES: &str = "divergences.yaml";

    /// The file of `scenarios/` that lists what each function of the API can answer.
    pub const CATALOGUE: &str = "CATALOGUE.tsv";

    /// The file of `scenarios/` with the language's JSON Schema, for editors.
    pub const SCHEMA: &str = "scenario.schema.json";

    /// The suite of the folder `start` or of the nearest one above it; else the embedded one.
    ///
    /// `scenarios/` alone tells: a suite whose snapshots are not recorded yet must not give way to
    /// another one.
    #[must_use]
    pub fn near(start: &Path) -> Self {
        let is_suite = |folder: &&Path| folder.join("scenarios").is_dir();
        let folder = start.ancestors().find(is_suite);
        folder.map_or(Self::Embedded, |folder| Self::Folder(folder.to_owned()))
    }

    /// The suite of exactly this folder.
    pub fn in_folder(folder: &Path) -> Result<Self, SuiteError> {
        if folder.join("scenarios").is_dir() {
            return Ok(Self::Folder(folder.to_owned()));
        }
        Err(SuiteError::NoSuite(folder.to_owned()))
    }

    /// Every scenario file, in the order of the names.
    pub fn files(&self) -> Result<Vec<File>, SuiteError> {
        let mut files = match self {
            Self::Folder(folder) => files_in(&folder.join("scenarios"))?,
            Self::Embedded => Scenarios::iter()
                .filter_map(|path| embedded(&path))
                .collect(),
        };
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// Every scenario, in the order of the files, a matrix expanded.
    pub fn cases(&self) -> Result<Vec<Case>, SuiteError> {
        self.files().map(|files| load(&files))
    }

    /// The snapshot of a scenario, head included; `None` where none was recorded.
    pub fn snapshot(&self, name: &str) -> Result<Option<String>, SuiteError> {
        match self.snapshot_path(name) {
            Some(path) => read_if_there(path),
            None => Ok(text_of(Snapshots::get(&format!("{name}.snap")))),
        }
    }

    /// The text of [`Suite::DIVERGENCES`], where there is one.
    pub fn divergences(&self) -> Result<Option<String>, SuiteError> {
        match self {
            Self::Folder(folder) => read_if_there(folder.join("snapshots").join(Self::DIVERGENCES)),
            Self::Embedded => Ok(text_of(Snapshots::get(Self::DIVERGENCES))),
        }
    }

    /// The text of [`Suite::CATALOGUE`], where there is one.
    pub fn catalogue(&self) -> Result<Option<String>, SuiteError> {
        match self {
            Self::Folder(folder) => read_if_there(folder.join("scenarios").join(Self::CATALOGUE)),
            Self::Embedded => Ok(text_of(Scenarios::get(Self::CATALOGUE))),
        }
    }

    /// The text of [`Suite::SCHEMA`], where there is one.
    pub fn schema(&self) -> Result<Option<String>, SuiteError> {
        match self {
            Self::Folder(folder) => read_if_there(folder.join("scenarios").join(Self::SCHEMA)),
            Self::Embedded => Ok(text_of(Scenarios::get(Self::SCHEMA))),
        }
    }

    /// The names of the recorded snapshots, in order.
    pub fn snapshots(&self) -> Result<Vec<String>, SuiteError> {
        let mut names = Vec::new();
        match self {
            Self::Embedded => names.extend(Snapshots::iter().map(Cow::into_owned)),
            Self::Folder(folder) => {
                let snapshots = folder.join("snapshots");
                let areas = if snapshots.is_dir() {
                    entries(&snapshots)?
                } else {
                    Vec::new()
                };
                for area in areas.iter().filter(|area| area.is_dir()) {
                    let inside = entries(area)?.into_iter();
                    names.extend(inside.filter_map(|path| {
                        let name = path.strip_prefix(&snapshots).ok()?;
                        Some(name.to_string_lossy().into_owned())
                    }));
                }
            }
        }
        let name = |path: &String| path.strip_suffix(".snap").map(str::to_owned);
        let mut names: Vec<String> = names.iter().filter_map(name).collect();
        names.sort();
        Ok(names)
    }

    /// Where the snapshot of a scenario is kept; `None` for the embedded suite.
    #[must_use]
    pub fn snapshot_path(&self, name: &str) -> Option<PathBuf> {
        match self {
            Self::Folder(folder) => Some(folder.join("snapshots").join(format!("{name}.snap"))),
            Self::Embedded => None,
        }
    }
}

/// Scenarios lie in areas, and nowhere else: one that is never found would never fail.
fn files_in(folder: &Path) -> Result<Vec<File>, SuiteError> {
    let mut files = Vec::new();
    for area in entries(folder)? {
        if !area.is_dir() {
            refuse_scenario(&area)?;
            continue;
        }
        let area_name = area
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for path in entries(&area)? {
            if path.is_dir() {
                for deeper in entries(&path)? {
                    refuse_scenario(&deeper)?;
                }
                refuse_scenario(&path)?;
            } else if is_other_spelling(&path) {
                return Err(SuiteError::Spelling(path));
            } else if is_scenario(&path) {
                files.push(file(&area_name, path));
            }
        }
    }
    Ok(files)
}

fn file(area: &str, path: PathBuf) -> File {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{area}/{stem}");
    File::read(name, path)
}

fn is_scenario(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml")
}

/// A file that its author takes for a scenario, and that nobody would ever run.
fn is_other_spelling(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let ending = ending.to_lowercase();
    ["yaml", "yml"].contains(&ending.as_str()) && !is_scenario(path)
}

fn refuse_scenario(path: &Path) -> Result<(), SuiteError> {
    if is_scenario(path) {
        Err(SuiteError::Misplaced(path.to_owned()))
    } else {
        Ok(())
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, SuiteError> {
    let read = |folder: &Path| -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    read(folder).map_err(|source| SuiteError::Read {
        path: folder.to_owned(),
        source,
    })
}

fn read_if_there(path: PathBuf) -> Result<Option<String>, SuiteError> {
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SuiteError::Read { path, source }),
    }
}

fn text_of(file: Option<EmbeddedFile>) -> Option<String> {
    Some(String::from_utf8_lossy(&file?.data).into_owned())
}

fn embedded(path: &str) -> Option<File> {
    let file = Scenarios::get(path)?;
    Some(File {
        name: path.strip_suffix(".yaml")?.to_owned(),
        path: PathBuf::from("scenarios").join(path),
        text: String::from_utf8(file.data.into_owned()).map_err(|error| error.to_string()),
    })
}
