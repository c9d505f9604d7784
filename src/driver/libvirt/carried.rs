//! What a worker hands to the process that takes its place.
//!
//! Where libvirt's driver runs in the worker itself, the "daemon" is restarted by executing this
//! program anew in the same process: that closes libvirt as a kill does, and QEMU and the reaper
//! notice nothing. What the old worker knew of its scenario goes through a file.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{dup2_stdin, dup2_stdout};
use serde::{Deserialize, Serialize};

use super::debris::Baseline;
use crate::model::Raised;

/// Name of the file in the worker's directory.
const FILE: &str = "carried";

/// This program, even if its file was replaced meanwhile (`proc_pid_exe(5)`).
const THIS_PROGRAM: &str = "/proc/self/exe";

/// What the next process has to know.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Carried {
    /// The request that it answers.
    pub(super) id: u64,
    /// How many scenarios the worker has opened.
    pub(super) scenarios: u32,
    /// What was there when the first worker began.
    pub(super) baseline: Baseline,
    /// What the scenario's calls have raised.
    pub(super) raised: Vec<Raised>,
    /// Domains whose metadata cannot be stored.
    pub(super) blocked: BTreeSet<String>,
    /// Ports that the scenario listens on.
    pub(super) occupied: Vec<u16>,
    /// Directories that the scenario has mounted file systems on.
    pub(super) mounted: Vec<String>,
    /// The document of the backup that was begun last on each domain.
    pub(super) backups: BTreeMap<String, String>,
}

impl Carried {
    /// What an earlier process in this directory has left, once.
    pub(super) fn take(directory: &Path) -> io::Result<Option<Self>> {
        let path = directory.join(FILE);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        fs::remove_file(&path)?;
        Ok(Some(serde_json::from_str(&text)?))
    }

    /// Puts the next process in this one's place; both pipes lead there.
    pub(super) fn hand_over(
        &self,
        directory: &Path,
        requests: &File,
        replies: &File,
    ) -> io::Result<Infallible> {
        fs::write(directory.join(FILE), serde_json::to_string(self)?)?;
        dup2_stdin(requests)?;
        dup2_stdout(replies)?;
        let mut command = Command::new(THIS_PROGRAM);
        command.arg0("backup-tck").args(env::args_os().skip(1));
        Err(command.exec())
    }
}
