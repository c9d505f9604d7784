//! The process in which libvirt's client, or libvirt itself, runs: it serves one request after
//! the other.
//!
//! ```text
//! backup-tck worker DIRECTORY PID CONNECTION MOUNTS
//! ```
//!
//! Requests come as JSON lines on standard input, replies leave on standard output. Both
//! descriptors are moved away first, so that nothing libvirt or QEMU prints gets between them.
//! `DIRECTORY` holds the driver's root and the scenarios' directories; the reaper, whose process
//! is PID, removes it. The worker dies with its reaper. When the requests end it removes the
//! domains that are left, and ends.
//!
//! A daemon that does not answer any more ends the work: what its client says then is no answer.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::mem;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{dup2_stdin, dup2_stdout, getppid};
use uuid::Uuid;

use super::access::Access;
use super::availability::EMULATOR;
use super::cache::CapabilityCache;
use super::calls::Session;
use super::carried::Carried;
use super::connection::{Connection, DOMAIN_PREFIX, domain_prefix};
use super::daemon::Daemon;
use super::daemon_store;
use super::debris::World;
use super::file_systems::Mounted;
use super::host::{self, Taken};
use super::log::last_lines;
use super::metadata::MetadataStore;
use super::ports;
use super::protocol::{Ask, Reply, Request, Told, write_line};
use super::raised::ErrorLog;
use super::root::{Root, embed_uri};
use crate::driver::{Crash, DriverError};
use crate::model::{Action, Answer, Api, Identity, Observation, Place, Version};

/// MOUNTS, where what is mounted is the worker's alone.
pub(super) const OWN_MOUNTS: &str = "own-mounts";

/// MOUNTS, where anybody on the machine may mount something.
pub(super) const HOST_MOUNTS: &str = "host-mounts";

/// The subcommand `worker`; see the module's text.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(directory), Some(reaper), Some(connection), Some(mounts), None) = (
        arguments.next(),
        arguments.next(),
        arguments.next(),
        arguments.next(),
        arguments.next(),
    ) else {
        return ExitCode::from(2);
    };
    let Ok(connection) = connection.to_string_lossy().parse();
    match serve(
        &PathBuf::from(directory),
        &reaper.to_string_lossy(),
        connection,
        mounts == OWN_MOUNTS,
    ) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the worker's log.
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves requests until they end.
fn serve(
    directory: &Path,
    reaper: &str,
    connection: Connection,
    own_mounts: bool,
) -> io::Result<()> {
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
    let carried = Carried::take(directory)?;
    let answered = carried.as_ref().map(|carried| carried.id);
    let mut worker = Worker::start(directory, connection, own_mounts, carried);
    if let Some(id) = answered {
        let told = worker.as_ref().map(|_| Told::Observed(Observation::Done));
        let body = told.unwrap_or_else(|error| told_of(error.clone()));
        write_line(&mut replies, &Reply { id, body })?;
    }
    let pipe = requests.try_clone()?;
    for line in BufReader::new(requests).lines() {
        let Request { id, body } = serde_json::from_str(&line?)?;
        if let Ok(worker) = &worker
            && body.restarts()
            && worker.connection == Connection::Embed
        {
            // The lines are read one by one, each when the one before is answered: none is lost.
            worker.carried(id).hand_over(directory, &pipe, &replies)?;
        }
        let told = worker.as_mut().map_err(|error| error.clone());
        let told = told.and_then(|worker| worker.checked_answer(&body));
        let body = told.unwrap_or_else(told_of);
        write_line(&mut replies, &Reply { id, body })?;
    }
    if let Ok(worker) = &mut worker {
        worker.session.clear(None).map_err(io::Error::other)?;
    }
    io::stderr().flush()
}

/// The failure as it is told.
fn told_of(error: DriverError) -> Told {
    match error {
        DriverError::Crashed(crash) => Told::Ended {
            end: crash.end,
            log: crash.log,
        },
        DriverError::Unavailable(text) => Told::Unavailable(text),
        DriverError::NotModelled(_)
        | DriverError::TimedOut { .. }
        | DriverError::Interrupted
        | DriverError::Failed(_) => Told::Failed(error.to_string()),
    }
}

/// A connection to libvirt's QEMU driver, and what is there for the worker alone.
struct Worker {
    directory: PathBuf,
    connection: Connection,
    daemon: Option<Daemon>,
    session: Session,
    libvirt: Version,
    /// None where libvirt is private.
    access: Option<Access>,
    /// None where libvirt's log is not ours.
    errors: Option<ErrorLog>,
    cache: Option<CapabilityCache>,
    taken: Taken,
    world: World,
    scenarios: u32,
}

impl Worker {
    fn start(
        directory: &Path,
        connection: Connection,
        own_mounts: bool,
        carried: Option<Carried>,
    ) -> Result<Self, DriverError> {
        let root = || {
            let root = Root::of(directory, &connection);
            root.make().map_err(|error| {
                DriverError::Failed(format!("cannot prepare {}: {error}", directory.display()))
            })?;
            Ok(CapabilityCache::of(
                &connection.to_string(),
                root.capabilities(),
            ))
        };
        let (cache, mut daemon, uri) = match &connection {
            Connection::Embed => (Some(root()?), None, embed_uri(directory)),
            Connection::Libvirtd => {
                let cache = root()?;
                let daemon = Daemon::start(directory)?;
                let uri = daemon.uri();
                (Some(cache), Some(daemon), uri)
            }
            Connection::Uri(uri) => (None, None, uri.clone()),
        };
        let scope = (!connection.is_private()).then(|| domain_prefix(directory));
        let opened = match &carried {
            None => Session::open(&uri, scope),
            Some(carried) => Session::open_again(&uri, scope, carried.backups.clone()),
        };
        let session = opened.map_err(|error| {
            let end = daemon.as_mut().and_then(Daemon::end);
            end.map_or(error, |end| crashed(end, &Ask::Identity, directory))
        })?;
        let (libvirt, _) = session.versions()?;
        let libvirt = Version::from_packed(libvirt.into());
        check_version(libvirt)?;
        let access = if connection.is_private() {
            None
        } else {
            Some(Access::of(&session.capabilities()?)?)
        };
        let is_private = connection.is_private();
        let checkpoints = match &connection {
            Connection::Embed | Connection::Libvirtd => {
                Some(Root::of(directory, &connection).checkpoints())
            }
            Connection::Uri(uri) => daemon_store::checkpoints_of(uri),
        };
        let mut started = Self {
            directory: directory.to_owned(),
            errors: is_private.then(|| ErrorLog::in_directory(directory)),
            world: World::of(directory, &connection, own_mounts),
            connection,
            daemon,
            session,
            libvirt,
            access,
            cache,
            taken: Taken {
                metadata: MetadataStore::at(checkpoints, is_private),
                mounted: Mounted::none(own_mounts && is_private),
                ..Taken::default()
            },
            scenarios: 0,
        };
        if let Some(carried) = carried {
            started.go_on(carried)?;
        }
        Ok(started)
    }

    /// Takes up what an earlier process has left.
    fn go_on(&mut self, carried: Carried) -> Result<(), DriverError> {
        let Carried {
            scenarios,
            baseline,
            raised,
            blocked,
            occupied,
            mounted,
            ..
        } = carried;
        self.taken.mounted.go_on(mounted);
        self.scenarios = scenarios;
        self.world.since(baseline);
        if let Some(errors) = &mut self.errors {
            errors.go_on(raised);
        }
        self.taken.metadata = mem::take(&mut self.taken.metadata).with_blocked(blocked);
        for port in occupied {
            self.taken.occupied.occupy(port)?;
        }
        Ok(())
    }

    /// What the process knows that takes this one's place.
    fn carried(&self, id: u64) -> Carried {
        let raised = self.errors.as_ref().map(ErrorLog::told);
        Carried {
            id,
            scenarios: self.scenarios,
            baseline: self.world.baseline().clone(),
            raised: raised.and_then(Result::ok).unwrap_or_default(),
            blocked: self.taken.metadata.blocked().clone(),
            occupied: self.taken.occupied.ports(),
            mounted: self.taken.mounted.paths().to_vec(),
            backups: self.session.backups().clone(),
        }
    }

    /// Restarts the daemon, and connects anew.
    fn restart(&mut self, kills: bool) -> Result<(), DriverError> {
        let Some(daemon) = &mut self.daemon else {
            let text = "only a daemon of the worker's own is restarted";
            return Err(DriverError::Failed(text.to_owned()));
        };
        daemon.restart(&self.directory, kills)?;
        let (uri, scope) = self.session.place();
        let backups = self.session.backups().clone();
        self.session = Session::open_again(&uri, scope, backups)?;
        Ok(())
    }

    /// The answer, unless it says no more than that the daemon is gone.
    fn checked_answer(&mut self, ask: &Ask) -> Result<Told, DriverError> {
        let told = self.answer(ask);
        let is_an_answer = match &told {
            Ok(Told::Answered(answer)) => matches!(answer, Answer::Returned(_)),
            Ok(_) => true,
            Err(_) => false,
        };
        if is_an_answer || self.connection == Connection::Embed {
            return told;
        }
        let Some(error) = self.session.lost() else {
            return told;
        };
        let ended = self.daemon.as_mut().and_then(Daemon::end);
        let lost = || {
            format!(
                "a lost connection to {} ({})",
                self.connection, error.message
            )
        };
        let end = ended.unwrap_or_else(lost);
        Err(crashed(end, ask, &self.directory))
    }

    fn answer(&mut self, ask: &Ask) -> Result<Told, DriverError> {
        Ok(match ask {
            Ask::Identity => Told::Identity(self.identity()?),
            Ask::Before => Told::Domains(self.session.domains(DOMAIN_PREFIX)?),
            Ask::Open => Told::Opened(self.open()?),
            Ask::Raised => {
                let told = self.errors.as_ref().map(ErrorLog::told).transpose();
                Told::Raised(told.map_err(DriverError::Failed)?)
            }
            Ask::Close(place) => {
                self.close(place)?;
                Told::Closed
            }
            Ask::Call(call) => {
                // What is told meanwhile may be of a call in the background.
                if let Some(errors) = &mut self.errors
                    && self.taken.background.is_empty()
                {
                    errors.before_call();
                }
                let answer = self.session.call(call)?;
                if let Some(errors) = &mut self.errors {
                    errors.after_call();
                }
                if call.api == Api::DomainDefine {
                    self.share_cache();
                }
                Told::Answered(answer)
            }
            Ask::Act(action @ (Action::RestartDaemon | Action::KillDaemon)) => {
                self.restart(*action == Action::KillDaemon)?;
                Told::Observed(Observation::Done)
            }
            Ask::Act(action) => {
                if let (Some(errors), Action::BeginCall { .. }) = (&mut self.errors, action) {
                    errors.before_call();
                }
                let (session, taken) = (&mut self.session, &mut self.taken);
                let observed = host::act(session, taken, &self.directory, action)?;
                if let (Some(errors), Action::JoinCall { .. }) = (&mut self.errors, action) {
                    errors.after_call();
                }
                if let Action::MakeDirectory { path } = action {
                    self.share(Path::new(path))?;
                }
                Told::Observed(observed)
            }
        })
    }

    fn identity(&mut self) -> Result<Identity, DriverError> {
        let (libvirt, qemu) = self.session.versions()?;
        self.share_cache();
        Ok(Identity {
            driver: self.connection.to_string(),
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
        let debris = self.world.debris(&self.session)?;
        if !debris.is_empty() {
            let text = format!("before the scenario began there was: {}", debris.join("; "));
            return Err(DriverError::Failed(text));
        }
        self.scenarios += 1;
        if let Some(errors) = &mut self.errors {
            errors.begin();
        }
        let directory = self.directory.join(format!("s{}", self.scenarios));
        fs::create_dir(&directory).map_err(|error| {
            DriverError::Failed(format!("cannot create {}: {error}", directory.display()))
        })?;
        self.share(&directory)?;
        Ok(Place {
            directory: directory.to_string_lossy().into_owned(),
            domain: format!("{}{}", domain_prefix(&self.directory), self.scenarios),
            uuid: Uuid::new_v4().to_string(),
            emulator: emulator.to_string_lossy().into_owned(),
            capabilities: Place::capabilities_of(self.libvirt),
            ports: ports::free()?,
        })
    }

    fn close(&mut self, place: &Place) -> Result<(), DriverError> {
        self.taken.occupied.clear();
        self.taken.background.clear();
        self.taken.metadata.clear()?;
        self.session.clear(Some(&place.domain))?;
        self.taken.mounted.clear()?;
        if self.connection.is_private() {
            let root = Root::of(&self.directory, &self.connection);
            root.remove_left_of(&place.domain).map_err(|error| {
                DriverError::Failed(format!("cannot remove what a rename has left: {error}"))
            })?;
        }
        fs::remove_dir_all(&place.directory).map_err(|error| {
            DriverError::Failed(format!("cannot remove {}: {error}", place.directory))
        })?;
        let debris = self.world.debris(&self.session)?;
        if debris.is_empty() {
            return Ok(());
        }
        let text = format!("the scenario has left behind: {}", debris.join("; "));
        Err(DriverError::Failed(text))
    }

    /// Lets a daemon's QEMU, which may run as another user, make files in a directory of a scenario.
    fn share(&self, directory: &Path) -> Result<(), DriverError> {
        let granted = self.access.map_or(Ok(()), |access| access.grant(directory));
        granted.map_err(|error| {
            DriverError::Failed(format!("cannot open {}: {error}", directory.display()))
        })
    }

    fn share_cache(&mut self) {
        if let Some(cache) = &mut self.cache {
            cache.store();
        }
    }
}

/// The end of a daemon. The supervisor puts the name of its own question in place of this one.
fn crashed(end: String, ask: &Ask, directory: &Path) -> DriverError {
    DriverError::Crashed(Box::new(Crash {
        end,
        call: ask.to_string(),
        log: last_lines(directory),
    }))
}

/// libvirt takes backups since 6.0.0 (`NEWS.rst`); an older daemon knows no call that is of interest.
fn check_version(libvirt: Version) -> Result<(), DriverError> {
    if libvirt >= Version::new(6, 0, 0) {
        return Ok(());
    }
    Err(DriverError::Unavailable(format!(
        "it is libvirt {libvirt}, and backups came with 6.0.0: use a newer one"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_no_backups_is_no_driver() {
        assert!(check_version(Version::new(6, 0, 0)).is_ok());
        let error = check_version(Version::new(5, 10, 0)).unwrap_err();
        assert!(
            matches!(&error, DriverError::Unavailable(text) if text.contains("libvirt 5.10.0"))
        );
    }
}
