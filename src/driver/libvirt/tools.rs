//! Runs `qemu-img` and `qemu-io`, and waits while another process holds an image.
//!
//! QEMU may let go of an image a little after the event that says so (up to 50 ms were
//! measured), and nothing tells when; so a command that finds an image locked is repeated.

use crate::model::ImageRef;
use std::ffi::OsStr;
use std::io::{BufRead, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{io, thread};

use serde_json::{Value, json};

use super::availability::{IMAGE_TOOL, IO_TOOL};
use super::pause::pause;
use crate::driver::DriverError;

/// For how long an image may stay locked.
const LOCK_LIMIT: Duration = Duration::from_secs(5);

/// What a command left behind.
pub(super) struct Output {
    /// The command, for messages.
    pub(super) command: String,
    /// Exit status; `None` when a signal ended it.
    pub(super) status: Option<i32>,
    /// What it wrote to its standard output.
    pub(super) stdout: Vec<u8>,
    /// What it wrote to its standard error, without the space around it.
    pub(super) stderr: String,
}

impl Output {
    /// The output of a command that must succeed.
    pub(super) fn succeeded(self) -> Result<Self, DriverError> {
        match self.status {
            Some(0) => Ok(self),
            _ => Err(self.failure()),
        }
    }

    /// The document that the command printed.
    pub(super) fn json(&self) -> Result<Value, DriverError> {
        serde_json::from_slice(&self.stdout).map_err(|error| {
            DriverError::Failed(format!("`{}` printed no JSON: {error}", self.command))
        })
    }

    /// Says that the command failed, and what it said itself.
    pub(super) fn failure(&self) -> DriverError {
        let end = match self.status {
            Some(status) => format!("exit status {status}"),
            None => "a signal".to_owned(),
        };
        let Self {
            command, stderr, ..
        } = self;
        DriverError::Failed(format!("`{command}` ended with {end}: {stderr}"))
    }

    /// Whether an image was locked by another process (QEMU `block/file-posix.c`,
    /// `Failed to get "write" lock` and its kin).
    pub(super) fn is_locked(&self) -> bool {
        self.stderr.contains("Failed to get") && self.stderr.contains("\" lock")
    }

    /// Whether the format itself was refused: the file is there, and nobody holds it. QEMU names the
    /// file then, and the reason (`qemu-img.c:img_open_opts`).
    pub(super) fn is_refused(&self) -> bool {
        let is_missing = self.stderr.contains("No such file or directory");
        self.stderr.contains("Could not open") && !self.is_locked() && !is_missing
    }
}

/// Runs `qemu-img`; while an image is locked it tries again, for up to five seconds.
pub(super) fn qemu_img<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Output, DriverError> {
    let until = Instant::now() + LOCK_LIMIT;
    loop {
        let output = run(IMAGE_TOOL, arguments, None)?;
        if output.status == Some(0) || !output.is_locked() || Instant::now() >= until {
            return Ok(output);
        }
        pause();
    }
}

/// Runs `qemu-io` with commands on its standard input, one a line. A command that fails makes it
/// fail in the end.
pub(super) fn qemu_io(arguments: &[&str], commands: &str) -> Result<Output, DriverError> {
    run(IO_TOOL, arguments, Some(commands))
}

/// Opens an image for writing with `qemu-io` and kills that, as a crash does. Opening alone marks the
/// bitmaps as in use (QEMU `block/qcow2-bitmap.c:qcow2_load_dirty_bitmaps`).
pub(super) fn crash_writer(image: &ImageRef) -> Result<(), DriverError> {
    let failed = |error: io::Error| {
        DriverError::Failed(format!("cannot run `{IO_TOOL}` on {}: {error}", image.path))
    };
    let mut child = Command::new(IO_TOOL)
        .args(["-f", image.format.as_str(), &image.path])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    // Its answer says that the image is open.
    let answer = (|| {
        let mut line = String::new();
        if let (Some(stdin), Some(stdout)) = (child.stdin.as_mut(), child.stdout.take()) {
            stdin.write_all(b"length\n")?;
            io::BufReader::new(stdout).read_line(&mut line)?;
        }
        Ok(line)
    })();
    child.kill().map_err(failed)?;
    child.wait().map_err(failed)?;
    if answer.map_err(failed)?.is_empty() {
        let text = format!("`{IO_TOOL}` did not open {}", image.path);
        return Err(DriverError::Failed(text));
    }
    Ok(())
}

/// The options that open an image in its format, never probed, and without what lies behind it:
/// QEMU's `json:` pseudo file name.
pub(super) fn layer(image: &ImageRef, backing: Option<Value>) -> Value {
    let mut options = json!({
        "driver": image.format.as_str(),
        "file": {"driver": "file", "filename": image.path},
    });
    if image.format == crate::model::DiskFormat::Qcow2 {
        options["backing"] = backing.unwrap_or(Value::Null);
    }
    options
}

/// The pseudo file name that opens one image by itself.
pub(super) fn alone(image: &ImageRef) -> String {
    format!("json:{}", layer(image, None))
}

/// Runs a tool, which may read all of its input while it writes.
fn run<S: AsRef<OsStr>>(
    tool: &str,
    arguments: &[S],
    input: Option<&str>,
) -> Result<Output, DriverError> {
    let mut command = tool.to_owned();
    for argument in arguments {
        command.push(' ');
        command.push_str(&argument.as_ref().to_string_lossy());
    }
    let failed = |error: io::Error| DriverError::Failed(format!("cannot run `{command}`: {error}"));
    let stdin = input.map_or_else(Stdio::null, |_| Stdio::piped());
    let mut child = Command::new(tool)
        .args(arguments)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let stdin = child.stdin.take();
    let output = thread::scope(|scope| {
        // A tool that has ended without reading tells why itself.
        scope.spawn(|| Some(stdin?.write_all(input?.as_bytes())));
        child.wait_with_output()
    });
    let output = output.map_err(failed)?;
    Ok(Output {
        command,
        status: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
