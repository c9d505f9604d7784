//! Which driver answers.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::directory::RunDirectory;
use super::real;
use crate::driver::mock::Mock;
use crate::driver::{Driver, DriverError, LocalUri, UriProblem};
use crate::model::{Identity, Version};

/// A driver, as `--driver` names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DriverChoice {
    /// `mock`, or `mock@VERSION`.
    Mock(Option<Version>),
    /// `embed`: libvirt's QEMU driver in a worker process.
    Embed,
    /// `libvirtd`: a daemon for each worker process.
    Libvirtd,
    /// The daemon behind a URI.
    Uri(LocalUri),
}

/// The name is no driver's.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnknownDriver {
    /// Nothing has this name.
    #[error(
        "unknown driver `{0}`; there are: mock, mock@VERSION (such as mock@11.3), embed, libvirtd, \
         and local URIs (such as qemu:///system)"
    )]
    Name(String),
    /// The URI cannot be a driver.
    #[error(transparent)]
    Uri(#[from] UriProblem),
}

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
            Self::Embed | Self::Libvirtd | Self::Uri(_) => real::unavailable(self),
        }
    }

    /// Opens the driver only to ask who it is.
    ///
    /// # Errors
    /// The driver cannot be used here, and why.
    pub fn identify(&self, backing: &Backing) -> Result<Identity, DriverError> {
        let directory = RunDirectory::of(self, backing)?;
        let mut driver = self.open(backing, directory.as_ref().map(RunDirectory::path))?;
        driver.set_deadline(Instant::now().checked_add(Duration::from_secs(30)));
        driver.identity()
    }

    /// Starts a real driver once, to see that it works here, and tells the domains of our prefix
    /// that were there before: left by another run, or in use by one. None of them is touched.
    ///
    /// # Errors
    /// The driver cannot be used here, and why.
    pub fn try_out(&self, backing: &Backing) -> Result<Vec<String>, DriverError> {
        if !self.is_real() {
            return Ok(Vec::new());
        }
        let directory = RunDirectory::of(self, backing)?;
        real::found_before(self, backing, directory.as_ref().map(RunDirectory::path))
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
            Self::Embed | Self::Libvirtd | Self::Uri(_) => real::open(self, backing, directory),
        }
    }

    /// Whether the driver can live in this directory.
    pub(super) fn check_directory(&self, directory: &Path) -> Result<(), DriverError> {
        match self {
            Self::Mock(_) => Ok(()),
            Self::Embed | Self::Libvirtd | Self::Uri(_) => real::check_directory(self, directory),
        }
    }

    /// Ends what a dead run has left in this directory, and removes it.
    pub(super) fn sweep(&self, backing: &Backing, directory: &Path) {
        if self.is_real() {
            real::sweep(backing, directory);
        }
    }

    /// True for what real libvirt answers.
    #[must_use]
    pub const fn is_real(&self) -> bool {
        !matches!(self, Self::Mock(_))
    }

    /// True when QEMU may run as another user, who must get at the images.
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self, Self::Uri(_))
    }
}

impl fmt::Display for DriverChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mock(None) => f.write_str("mock"),
            Self::Mock(Some(version)) => write!(f, "mock@{}.{}", version.major, version.minor),
            Self::Embed => f.write_str("embed"),
            Self::Libvirtd => f.write_str("libvirtd"),
            Self::Uri(uri) => uri.fmt(f),
        }
    }
}

impl FromStr for DriverChoice {
    type Err = UnknownDriver;

    fn from_str(text: &str) -> Result<Self, UnknownDriver> {
        match text {
            "mock" => return Ok(Self::Mock(None)),
            "embed" => return Ok(Self::Embed),
            "libvirtd" => return Ok(Self::Libvirtd),
            uri if LocalUri::is_meant(uri) => return Ok(Self::Uri(LocalUri::parse(uri)?)),
            _ => {}
        }
        let version = text
            .strip_prefix("mock@")
            .and_then(|version| version.parse().ok());
        version
            .map(|version| Self::Mock(Some(version)))
            .ok_or_else(|| UnknownDriver::Name(text.to_owned()))
    }
}
