//! Which driver answers.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::directory::RunDirectory;
use crate::driver::mock::Mock;
use crate::driver::{Driver, DriverError};
use crate::model::{Identity, Version};

/// A driver, as `--driver` names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DriverChoice {
    /// `mock`, or `mock@VERSION`.
    Mock(Option<Version>),
    /// `embed`: libvirt's QEMU driver in a worker process.
    Embed,
}

/// The name is no driver's.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown driver `{0}`; there are: mock, mock@VERSION (such as mock@11.3), embed")]
pub struct UnknownDriver(String);

/// What real drivers need to start their workers.
#[derive(Clone, Debug)]
pub struct Backing {
    /// The `backup-tck` executable, which is also the workers'.
    pub program: PathBuf,
    /// Set when the user wants the run to stop.
    pub stop: Arc<AtomicBool>,
}

impl Backing {
    /// Workers of this very program.
    ///
    /// # Errors
    /// The program's own file cannot be found.
    pub fn own() -> std::io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            stop: Arc::default(),
        })
    }
}

impl DriverChoice {
    /// Why this driver cannot be used in this build or on this machine; `None` if it seems that
    /// it can. Nothing is started to find out.
    #[must_use]
    pub fn unavailable(&self) -> Option<String> {
        match self {
            Self::Mock(None) => None,
            Self::Mock(Some(version)) => Mock::of(*version).err().map(|error| error.to_string()),
            Self::Embed => real::unavailable(),
        }
    }

    /// Opens the driver only to ask who it is.
    ///
    /// # Errors
    /// The driver cannot be used here, and why.
    pub fn identify(&self, backing: &Backing) -> Result<Identity, DriverError> {
        let directory = RunDirectory::of(self)?;
        let mut driver = self.open(backing, directory.as_ref().map(RunDirectory::path))?;
        driver.set_deadline(Instant::now().checked_add(Duration::from_secs(30)));
        driver.identity()
    }

    /// Opens the driver; `directory` is the run's own.
    pub(super) fn open(
        &self,
        backing: &Backing,
        directory: Option<&Path>,
    ) -> Result<Box<dyn Driver>, DriverError> {
        match self {
            Self::Mock(None) => Ok(Box::new(Mock::newest())),
            Self::Mock(Some(version)) => Ok(Box::new(Mock::of(*version)?)),
            Self::Embed => real::open(backing, directory),
        }
    }

    /// Whether the driver can live in this directory.
    pub(super) fn check_directory(&self, directory: &Path) -> Result<(), DriverError> {
        match self {
            Self::Mock(_) => Ok(()),
            Self::Embed => real::check_directory(directory),
        }
    }

    /// Ends what a dead run has left in this directory, and removes it.
    pub(super) fn sweep(&self, directory: &Path) {
        match self {
            Self::Mock(_) => {}
            Self::Embed => real::sweep(directory),
        }
    }

    /// True when the driver needs a directory of the run's own.
    pub(super) const fn needs_directory(&self) -> bool {
        matches!(self, Self::Embed)
    }
}

/// The parts of the real drivers that a build without libvirt has to do without.
#[cfg(feature = "libvirt")]
mod real {
    use std::path::Path;
    use std::sync::Arc;

    use super::Backing;
    use crate::driver::libvirt::{Real, RealOptions, missing};
    use crate::driver::{Driver, DriverError};

    pub(super) fn check_directory(directory: &Path) -> Result<(), DriverError> {
        Real::check_directory(directory)
    }

    pub(super) fn sweep(directory: &Path) {
        crate::driver::libvirt::sweep(directory);
    }

    pub(super) fn unavailable() -> Option<String> {
        let reasons: Vec<String> = missing().iter().map(ToString::to_string).collect();
        (!reasons.is_empty()).then(|| reasons.join("\n"))
    }

    pub(super) fn open(
        backing: &Backing,
        directory: Option<&Path>,
    ) -> Result<Box<dyn Driver>, DriverError> {
        let Some(directory) = directory else {
            let text = "the run has no directory for its workers";
            return Err(DriverError::Failed(text.to_owned()));
        };
        let options = RealOptions {
            program: backing.program.clone(),
            directory: directory.to_owned(),
            stop: Arc::clone(&backing.stop),
        };
        Ok(Box::new(Real::start(&options)?))
    }
}

#[cfg(not(feature = "libvirt"))]
mod real {
    use std::path::Path;

    use super::Backing;
    use crate::driver::{Driver, DriverError};

    pub(super) fn check_directory(_: &Path) -> Result<(), DriverError> {
        Err(DriverError::Unavailable(REASON.to_owned()))
    }

    pub(super) fn sweep(_: &Path) {}

    const REASON: &str = "this build has no real drivers: build it with `--features libvirt`";

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the shape is that of the build with libvirt"
    )]
    pub(super) fn unavailable() -> Option<String> {
        Some(REASON.to_owned())
    }

    pub(super) fn open(_: &Backing, _: Option<&Path>) -> Result<Box<dyn Driver>, DriverError> {
        Err(DriverError::Unavailable(REASON.to_owned()))
    }
}

impl fmt::Display for DriverChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mock(None) => f.write_str("mock"),
            Self::Mock(Some(version)) => write!(f, "mock@{}.{}", version.major, version.minor),
            Self::Embed => f.write_str("embed"),
        }
    }
}

impl FromStr for DriverChoice {
    type Err = UnknownDriver;

    fn from_str(text: &str) -> Result<Self, UnknownDriver> {
        match text {
            "mock" => return Ok(Self::Mock(None)),
            "embed" => return Ok(Self::Embed),
            _ => {}
        }
        let version = text
            .strip_prefix("mock@")
            .and_then(|version| version.parse().ok());
        version
            .map(|version| Self::Mock(Some(version)))
            .ok_or_else(|| UnknownDriver(text.to_owned()))
    }
}
