//! A worker process as its supervisor sees it: questions, answers, and an end that leaves
//! nothing behind.
//!
//! Two threads move the lines, so that neither a full nor an empty pipe can hold the supervisor
//! longer than the time limit. After any failure to answer the process is killed and of no use.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use std::{fs, io, iter, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};

use super::availability::DAEMON;
use super::clear::clear;
use super::connection::{Connection, is_worker_directory};
use super::pause::pause;
use super::proc;
use super::protocol::{Ask, Reply, Request, Told, write_line};
use crate::driver::{Crash, DriverError};

/// How often the interrupt flag is looked at.
const STOP_PAUSE: Duration = Duration::from_millis(50);

/// For how long a reaper may kill and remove what is left.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A worker with the reaper above it.
pub(super) struct WorkerProcess {
    reaper: Child,
    program: PathBuf,
    directory: PathBuf,
    stop: Arc<AtomicBool>,
    requests: Option<Sender<Request>>,
    replies: Receiver<Reply>,
    last_id: u64,
}

impl WorkerProcess {
    /// Starts `program reaper DIRECTORY PID CONNECTION` in a process group of its own, so that Ctrl-C in a
    /// terminal reaches the supervisor alone. The directory must not exist.
    pub(super) fn start(
        program: &Path,
        directory: PathBuf,
        connection: &Connection,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let mut reaper = Command::new(program)
            .arg("reaper")
            .arg(&directory)
            .arg(std::process::id().to_string())
            .arg(connection.to_string())
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
            program: program.to_owned(),
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
                    let unexpected =
                        |told| DriverError::Failed(format!("the reaper said: {told:?}"));
                    return Err(answer(body, name).map_or_else(|error| error, unexpected));
                }
                Ok(Reply { id: found, body }) if found == id => {
                    if let Told::Ended { .. } = body {
                        self.end();
                    }
                    return answer(body, name);
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
                    let log = Vec::new();
                    return answer(Told::Ended { end, log }, name);
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
            sweep(&self.program, &self.directory);
        }
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.end();
    }
}

/// Does what reapers that were killed could not do: ends every process of ours that has to do with
/// the directory, which is a worker's or one that holds workers', and removes it. What a worker
/// has left on somebody else's daemon is removed there, by a process of `program`.
///
/// The directory must be one that this program has made, and that nobody else can write to.
pub fn sweep(program: &Path, directory: &Path) {
    let own = getpid();
    let ours = |pid: &Pid| *pid != own && is_ours(*pid) && proc::concerns(*pid, directory);
    let until = Instant::now() + END_LIMIT;
    loop {
        // Looked for again: one that ends now may have started another before.
        let found: Vec<Pid> = proc::all().filter(ours).collect();
        if found.is_empty() || Instant::now() >= until {
            break;
        }
        for pid in found {
            // It may have ended meanwhile.
            let _ = kill(pid, Signal::SIGKILL);
        }
        pause();
    }
    let below = fs::read_dir(directory).into_iter().flatten().flatten();
    let below = below.map(|entry| entry.path());
    for worker in iter::once(directory.to_owned())
        .chain(below)
        .filter(|path| is_worker_directory(path))
    {
        clear(program, &worker);
    }
    // Nothing is there when the reaper died first of all.
    let _ = fs::remove_dir_all(directory);
}

/// Not the pager in which somebody reads a log of the directory.
fn is_ours(pid: Pid) -> bool {
    let name = proc::name(pid).unwrap_or_default();
    ["qemu-", "backup-tck", DAEMON]
        .iter()
        .any(|ours| name.starts_with(ours))
}

/// What was told, if it is no failure.
fn answer(told: Told, call: String) -> Result<Told, DriverError> {
    if let Told::Ended { end, log } = told {
        Err(DriverError::Crashed(Box::new(Crash { end, call, log })))
    } else if let Told::Failed(message) = told {
        Err(DriverError::Failed(message))
    } else if let Told::Unavailable(message) = told {
        Err(DriverError::Unavailable(message))
    } else {
        Ok(told)
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
fn read_replies(stdout: impl Read, replies: &Sender<Reply>) {
    for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
        // What is no reply is a line that the worker's death has cut, maybe inside a character;
        // the reaper's word follows.
        if let Ok(reply) = serde_json::from_slice(&line)
            && replies.send(reply).is_err()
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_hides_no_other() {
        let mut text = "{\"id\":1,\"body\":{\"failed\":\"ä".as_bytes().to_vec();
        text.pop();
        text.push(b'\n');
        let body = Told::Failed("last".to_owned());
        write_line(&mut text, &Reply { id: 0, body }).unwrap();
        let (read, replies) = mpsc::channel();
        read_replies(&text[..], &read);
        let found = replies.try_recv().unwrap();
        assert!(matches!(found.body, Told::Failed(text) if text == "last"));
    }
}
