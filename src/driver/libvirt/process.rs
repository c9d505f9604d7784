//! A worker process as its supervisor sees it: questions, answers, and an end that leaves
//! nothing behind.
//!
//! Two threads move the lines, so that neither a full nor an empty pipe can hold the supervisor
//! longer than the time limit. After any failure to answer the process is killed and of no use.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::protocol::{Ask, Reply, Request, Told, write_line};
use crate::driver::{Crash, DriverError};

/// How often the interrupt flag is looked at.
const STOP_PAUSE: Duration = Duration::from_millis(50);

/// For how long a reaper may kill and remove what is left.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A worker with the reaper above it.
pub(super) struct WorkerProcess {
    reaper: Child,
    directory: PathBuf,
    stop: Arc<AtomicBool>,
    requests: Option<Sender<Request>>,
    replies: Receiver<Reply>,
    last_id: u64,
}

impl WorkerProcess {
    /// Starts `program reaper DIRECTORY PID` in a process group of its own, so that Ctrl-C in a
    /// terminal reaches the supervisor alone. The directory must not exist.
    pub(super) fn start(
        program: &Path,
        directory: PathBuf,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let mut reaper = Command::new(program)
            .arg("reaper")
            .arg(&directory)
            .arg(std::process::id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let (requests, to_write) = mpsc::channel();
        let (read, replies) = mpsc::channel();
        let stdin = reaper.stdin.take();
        let stdout = reaper.stdout.take();
        thread::spawn(move || stdin.map(|stdin| write_requests(stdin, &to_write)));
        thread::spawn(move || stdout.map(|stdout| read_replies(stdout, &read)));
        Ok(Self {
            reaper,
            directory,
            stop,
            requests: Some(requests),
            replies,
            last_id: 0,
        })
    }

    /// Asks, and waits for the answer until the deadline.
    pub(super) fn ask(
        &mut self,
        body: Ask,
        deadline: Option<Instant>,
    ) -> Result<Told, DriverError> {
        let name = body.to_string();
        self.last_id += 1;
        let id = self.last_id;
        let Some(requests) = &self.requests else {
            let message = format!("cannot ask for `{name}`: the worker has ended before");
            return Err(DriverError::Failed(message));
        };
        // A worker that is gone tells so below.
        let _ = requests.send(Request { id, body });
        loop {
            if self.stop.load(Ordering::Relaxed) {
                self.end();
                return Err(DriverError::Interrupted);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let pause = left.map_or(STOP_PAUSE, |left| left.min(STOP_PAUSE));
            match self.replies.recv_timeout(pause) {
                Ok(Reply { id: 0, body }) => {
                    self.end();
                    return Err(ended(body, name));
                }
                Ok(Reply { id: found, body }) if found == id => {
                    if let Told::Failed(message) = body {
                        return Err(DriverError::Failed(message));
                    }
                    return Ok(body);
                }
                Err(RecvTimeoutError::Timeout) if left.is_some_and(|left| left <= pause) => {
                    self.end();
                    return Err(DriverError::TimedOut { call: name });
                }
                // An answer to another request cannot be: each is waited for.
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.end();
                    let end = "an unknown status (its reaper has died too)".to_owned();
                    return Err(ended(
                        Told::Ended {
                            end,
                            log: Vec::new(),
                        },
                        name,
                    ));
                }
            }
        }
    }

    /// Ends the worker at once and waits until nothing of it is left.
    fn end(&mut self) {
        if self.requests.take().is_none() {
            return;
        }
        // It cannot be another process: the reaper was not waited for yet.
        let _ = kill(
            Pid::from_raw(self.reaper.id().cast_signed()),
            Signal::SIGTERM,
        );
        let until = Instant::now() + END_LIMIT;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.replies.recv_timeout(left) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.reaper.kill();
                    break;
                }
            }
        }
        // A reaper that has ended by itself leaves nothing.
        if !self.reaper.wait().is_ok_and(|status| status.success()) {
            sweep(&self.directory);
        }
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.end();
    }
}

/// Does what a reaper that was killed could not do: ends every worker and QEMU whose command line
/// names the directory, whose name is used once, and removes it.
pub fn sweep(directory: &Path) {
    let name = directory.as_os_str().as_encoded_bytes();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for pid in processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if line.windows(name.len()).any(|part| part == name) && is_ours(pid) {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    // Nothing is there when the reaper died first of all.
    let _ = fs::remove_dir_all(directory);
}

/// Not the pager in which somebody reads a log of the directory.
fn is_ours(pid: i32) -> bool {
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let name = program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    name.starts_with("qemu-") || name.starts_with("backup-tck")
}

fn ended(told: Told, call: String) -> DriverError {
    if let Told::Ended { end, log } = told {
        DriverError::Crashed(Box::new(Crash { end, call, log }))
    } else if let Told::Failed(message) = told {
        DriverError::Failed(message)
    } else {
        DriverError::Failed(format!("the reaper said: {told:?}"))
    }
}

fn write_requests(mut stdin: ChildStdin, requests: &Receiver<Request>) {
    for request in requests {
        if write_line(&mut stdin, &request).is_err() {
            return;
        }
    }
}

/// Passes replies on until the last process that could write one has ended.
fn read_replies(stdout: ChildStdout, replies: &Sender<Reply>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        // What is no reply is a line that the worker's death has cut; the reaper's word follows.
        if let Ok(reply) = serde_json::from_str(&line)
            && replies.send(reply).is_err()
        {
            return;
        }
    }
}
