//! The parts of the real drivers that a build without libvirt has to do without.

#[cfg(feature = "libvirt")]
mod built {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use crate::driver::libvirt::{Connection, Real, RealOptions, missing};
    use crate::driver::{Driver, DriverError};
    use crate::run::{Backing, DriverChoice};

    /// For how long a driver may take to tell who it is.
    const LIMIT: Duration = Duration::from_secs(30);

    pub(in crate::run) fn check_directory(
        driver: &DriverChoice,
        directory: &Path,
    ) -> Result<(), DriverError> {
        connection(driver).map_or(Ok(()), |connection| {
            Real::check_directory(&connection, directory)
        })
    }

    pub(in crate::run) fn sweep(backing: &Backing, directory: &Path) {
        crate::driver::libvirt::sweep(&backing.program, directory);
    }

    pub(in crate::run) fn unavailable(driver: &DriverChoice) -> Option<String> {
        let missing = missing(&connection(driver)?);
        let reasons: Vec<String> = missing.iter().map(ToString::to_string).collect();
        (!reasons.is_empty()).then(|| reasons.join("\n"))
    }

    pub(in crate::run) fn open(
        driver: &DriverChoice,
        backing: &Backing,
        directory: Option<&Path>,
    ) -> Result<Box<dyn Driver>, DriverError> {
        Ok(Box::new(start(driver, backing, directory)?))
    }

    pub(in crate::run) fn found_before(
        driver: &DriverChoice,
        backing: &Backing,
        directory: Option<&Path>,
    ) -> Result<Vec<String>, DriverError> {
        let mut driver = start(driver, backing, directory)?;
        driver.set_deadline(Instant::now().checked_add(LIMIT));
        // Asks QEMU, too, where nobody has done so yet.
        driver.identity()?;
        driver.found_before()
    }

    fn start(
        driver: &DriverChoice,
        backing: &Backing,
        directory: Option<&Path>,
    ) -> Result<Real, DriverError> {
        let (Some(connection), Some(directory)) = (connection(driver), directory) else {
            let text = "the run has no directory for its workers";
            return Err(DriverError::Failed(text.to_owned()));
        };
        Real::start(&RealOptions {
            program: backing.program.clone(),
            directory: directory.to_owned(),
            connection,
            stop: Arc::clone(&backing.stop),
        })
    }

    fn connection(driver: &DriverChoice) -> Option<Connection> {
        match driver {
            DriverChoice::Mock(_) => None,
            DriverChoice::Embed => Some(Connection::Embed),
            DriverChoice::Libvirtd => Some(Connection::Libvirtd),
            DriverChoice::Uri(uri) => Some(Connection::Uri(uri.to_string())),
        }
    }
}

#[cfg(not(feature = "libvirt"))]
mod built {
    use std::path::Path;

    use crate::driver::{Driver, DriverError};
    use crate::run::{Backing, DriverChoice};

    const REASON: &str = "this build has no real drivers: build it with `--features libvirt`";

    fn error<T>() -> Result<T, DriverError> {
        Err(DriverError::Unavailable(REASON.to_owned()))
    }

    pub(in crate::run) fn check_directory(_: &DriverChoice, _: &Path) -> Result<(), DriverError> {
        error()
    }

    pub(in crate::run) fn sweep(_: &Backing, _: &Path) {}

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the shape is that of the build with libvirt"
    )]
    pub(in crate::run) fn unavailable(_: &DriverChoice) -> Option<String> {
        Some(REASON.to_owned())
    }

    pub(in crate::run) fn open(
        _: &DriverChoice,
        _: &Backing,
        _: Option<&Path>,
    ) -> Result<Box<dyn Driver>, DriverError> {
        error()
    }

    pub(in crate::run) fn found_before(
        _: &DriverChoice,
        _: &Backing,
        _: Option<&Path>,
    ) -> Result<Vec<String>, DriverError> {
        error()
    }
}

pub(super) use built::{check_directory, found_before, open, sweep, unavailable};
