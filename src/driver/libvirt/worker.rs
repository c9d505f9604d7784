//! The process in which libvirt runs: it serves one request after the other.
//!
//! ```text
//! backup-tck worker DIRECTORY PID
//! ```
//!
//! Requests come as JSON lines on standard input, replies leave on standard output. Both
//! descriptors are moved away first, so that nothing libvirt or QEMU prints gets between them.
//! `DIRECTORY` holds the driver's root and the scenarios' directories; the reaper, whose process
//! is PID, removes it. The worker dies with its reaper. When the requests end it removes the
//! domains that are left, and ends.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};

use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{dup2_stdin, dup2_stdout, geteuid, getppid};
use uuid::Uuid;

use super::availability::EMULATOR;
use super::cache::CapabilityCache;
use super::calls::Session;
use super::host;
use super::ports::{self, Occupied};
use super::protocol::{Ask, Reply, Request, Told, write_line};
use crate::driver::DriverError;
use crate::model::{Api, Identity, Place, Version};

/// The subcommand `worker`; see the module's text.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(directory), Some(reaper), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return ExitCode::from(2);
    };
    match serve(&PathBuf::from(directory), &reaper.to_string_lossy()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the worker's log.
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves requests until they end.
fn serve(directory: &Path, reaper: &str) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if getppid().to_string() != reaper {
        return Err(io::Error::other("the reaper has died"));
    }
    // The reaper blocks signals; the tools started here must not.
    SigSet::empty().thread_set_mask()?;
    let requests = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut replies = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(io::stderr())?;
    let mut worker = Worker::start(directory);
    for line in BufReader::new(requests).lines() {
        let Request { id, body } = serde_json::from_str(&line?)?;
        let told = worker.as_mut().map_err(|error| error.clone());
        let told = told.and_then(|worker| worker.answer(&body));
        let body = told.unwrap_or_else(|error| Told::Failed(error.to_string()));
        write_line(&mut replies, &Reply { id, body })?;
    }
    if let Ok(worker) = &mut worker {
        worker.session.clear(None).map_err(io::Error::other)?;
    }
    io::stderr().flush()
}

/// A connection to libvirt's QEMU driver in a root of its own.
struct Worker {
    directory: PathBuf,
    session: Session,
    cache: CapabilityCache,
    occupied: Occupied,
    scenarios: u32,
}

impl Worker {
    fn start(directory: &Path) -> Result<Self, DriverError> {
        let root = directory.join("r");
        configure(&root).map_err(|error| {
            DriverError::Failed(format!("cannot prepare {}: {error}", root.display()))
        })?;
        let cache = CapabilityCache::of(&root);
        let session = Session::open(&format!("qemu:///embed?root={}", escaped(&root)))?;
        Ok(Self {
            directory: directory.to_owned(),
            session,
            cache,
            occupied: Occupied::default(),
            scenarios: 0,
        })
    }

    fn answer(&mut self, ask: &Ask) -> Result<Told, DriverError> {
        Ok(match ask {
            Ask::Identity => Told::Identity(self.identity()?),
            Ask::Open => Told::Opened(self.open()?),
            Ask::Close(place) => {
                self.close(place)?;
                Told::Closed
            }
            Ask::Call(call) => {
                let answer = self.session.call(call)?;
                if call.api == Api::DomainDefine {
                    self.cache.store();
                }
                Told::Answered(answer)
            }
            Ask::Act(action) => {
                let (session, occupied) = (&mut self.session, &mut self.occupied);
                Told::Observed(host::act(session, occupied, &self.directory, action)?)
            }
        })
    }

    fn identity(&mut self) -> Result<Identity, DriverError> {
        let (libvirt, qemu) = self.session.versions()?;
        self.cache.store();
        Ok(Identity {
            driver: "embed".to_owned(),
            real: true,
            libvirt: Version::from_packed(libvirt.into()),
            qemu: Version::from_packed(qemu.into()).to_string(),
        })
    }

    fn open(&mut self) -> Result<Place, DriverError> {
        let emulator = which::which(EMULATOR);
        let emulator = emulator.map_err(|error| {
            DriverError::Unavailable(format!("{EMULATOR} is not in PATH: {error}"))
        })?;
        self.scenarios += 1;
        let directory = self.directory.join(format!("s{}", self.scenarios));
        fs::create_dir(&directory).map_err(|error| {
            DriverError::Failed(format!("cannot create {}: {error}", directory.display()))
        })?;
        Ok(Place {
            directory: directory.to_string_lossy().into_owned(),
            domain: format!("backup-tck-{}-{}", process::id(), self.scenarios),
            uuid: Uuid::new_v4().to_string(),
            emulator: emulator.to_string_lossy().into_owned(),
            ports: ports::free()?,
        })
    }

    fn close(&mut self, place: &Place) -> Result<(), DriverError> {
        self.occupied.clear();
        self.session.clear(Some(&place.domain))?;
        fs::remove_dir_all(&place.directory).map_err(|error| {
            DriverError::Failed(format!("cannot remove {}: {error}", place.directory))
        })
    }
}

/// Makes a driver root: no daemon beside it, no confinement, nothing remembered in the files.
fn configure(root: &Path) -> io::Result<()> {
    let mut settings = "stdio_handler = \"file\"\n\
                        security_driver = \"none\"\n\
                        namespaces = [ ]\n\
                        cgroup_controllers = [ ]\n\
                        dynamic_ownership = 0\n\
                        remember_owner = 0\n"
        .to_owned();
    if geteuid().is_root() {
        settings += "user = \"root\"\ngroup = \"root\"\n";
    }
    fs::create_dir_all(root.join("etc"))?;
    fs::write(root.join("etc/qemu.conf"), settings)
}

/// A path as a URI's parameter.
fn escaped(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let escaped = bytes.map(|byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            char::from(*byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_fits_into_a_uri() {
        assert_eq!(escaped(Path::new("/a b/c&d")), "/a%20b/c%26d");
    }
}
