//! The supervisor's side of real libvirt: a worker process, asked as if it were the driver.

use crate::model::{Action, Answer, Call, Identity, Observation, Place, Raised};
use std::path::{self, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::connection::{Connection, DIGITS, SOCKET_LIMIT, worker_directory};
use super::process::WorkerProcess;
use super::protocol::{Ask, Told};
use crate::driver::{Driver, DriverError, Host, Libvirt};

/// Bytes of a worker's own directory below that of the run.
const WORKER_NAME: usize = "/w".len() + DIGITS;

/// How to start an [`Real`].
#[derive(Clone, Debug)]
pub struct RealOptions {
    /// The executable of this project; its hidden subcommands `reaper` and `worker` must lead to
    /// [`super::reaper::main`] and [`super::worker::main`].
    pub program: PathBuf,
    /// An existing directory, in which the worker gets a new one. Keep it short: 108 bytes must
    /// hold the address of a socket below it.
    pub directory: PathBuf,
    /// How the worker reaches libvirt.
    pub connection: Connection,
    /// Set when the user asks to stop; looked at every 50 ms while a call runs.
    pub stop: Arc<AtomicBool>,
}

/// Real libvirt, asked by a worker process.
///
/// A worker that has crashed, timed out or was interrupted is gone: every later call is
/// [`DriverError::Failed`], and a new `Real` has to be started. When it is dropped, the worker,
/// its daemon, their QEMU processes and its directory are gone, and so are the worker's domains
/// on a daemon that was there before and still answers.
pub struct Real {
    worker: WorkerProcess,
    deadline: Option<Instant>,
}

impl Real {
    /// Starts a worker. It opens its connection while the caller goes on; what goes wrong there
    /// is told by the first call.
    ///
    /// Fails with [`DriverError::Unavailable`] where the directory's path is too long, and with
    /// [`DriverError::Failed`] where the program cannot be started.
    pub fn start(options: &RealOptions) -> Result<Self, DriverError> {
        let absolute = |path| {
            path::absolute(path)
                .map_err(|error| DriverError::Failed(format!("no current directory: {error}")))
        };
        let program = absolute(&options.program)?;
        let directory = absolute(&options.directory)?.join(worker_directory());
        Self::check_directory(&options.connection, &options.directory)?;
        let connection = &options.connection;
        let worker =
            WorkerProcess::start(&program, directory, connection, Arc::clone(&options.stop));
        let worker = worker.map_err(|error| {
            DriverError::Failed(format!("cannot start {}: {error}", program.display()))
        })?;
        Ok(Self {
            worker,
            deadline: None,
        })
    }

    /// Whether workers can live in this directory.
    ///
    /// Fails with [`DriverError::Unavailable`] where its path is too long.
    pub fn check_directory(connection: &Connection, directory: &Path) -> Result<(), DriverError> {
        let length = path::absolute(directory).map_or(usize::MAX, |path| path.as_os_str().len());
        let longest = SOCKET_LIMIT - WORKER_NAME - connection.socket_suffix();
        if length <= longest {
            return Ok(());
        }
        Err(DriverError::Unavailable(format!(
            "the path {} has {length} bytes, and with more than {longest} the sockets below it \
             cannot be opened: set TMPDIR to a shorter one",
            directory.display()
        )))
    }

    /// The domains of our prefix that were there before this worker: left by another run, or in
    /// use by one. Always empty where libvirt is private.
    pub fn found_before(&mut self) -> Result<Vec<String>, DriverError> {
        let told = self.ask(Ask::Before)?;
        if let Told::Domains(names) = told {
            Ok(names)
        } else {
            Err(unexpected(&told))
        }
    }

    fn ask(&mut self, ask: Ask) -> Result<Told, DriverError> {
        self.worker.ask(ask, self.deadline)
    }
}

impl Libvirt for Real {
    fn call(&mut self, call: &Call) -> Result<Answer, DriverError> {
        let told = self.ask(Ask::Call(call.clone()))?;
        if let Told::Answered(answer) = told {
            Ok(answer)
        } else {
            Err(unexpected(&told))
        }
    }
}

impl Host for Real {
    fn act(&mut self, action: &Action) -> Result<Observation, DriverError> {
        let told = self.ask(Ask::Act(action.clone()))?;
        if let Told::Observed(observation) = told {
            Ok(observation)
        } else {
            Err(unexpected(&told))
        }
    }
}

impl Driver for Real {
    fn identity(&mut self) -> Result<Identity, DriverError> {
        let told = self.ask(Ask::Identity)?;
        if let Told::Identity(identity) = told {
            Ok(identity)
        } else {
            Err(unexpected(&told))
        }
    }

    fn open_scenario(&mut self) -> Result<Place, DriverError> {
        let told = self.ask(Ask::Open)?;
        if let Told::Opened(place) = told {
            Ok(place)
        } else {
            Err(unexpected(&told))
        }
    }

    fn raised(&mut self) -> Result<Option<Vec<Raised>>, DriverError> {
        let told = self.ask(Ask::Raised)?;
        if let Told::Raised(raised) = told {
            Ok(raised)
        } else {
            Err(unexpected(&told))
        }
    }

    fn close_scenario(&mut self, place: &Place) -> Result<(), DriverError> {
        let told = self.ask(Ask::Close(place.clone()))?;
        if let Told::Closed = told {
            Ok(())
        } else {
            Err(unexpected(&told))
        }
    }

    fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }
}

fn unexpected(told: &Told) -> DriverError {
    DriverError::Failed(format!("the worker answered another question: {told:?}"))
}
