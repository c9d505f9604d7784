//! One interactive `virsh` that is fed line by line, on a QEMU driver with a root of its own.
//!
//! It must not know scenarios.

use std::fs;
use std::io::{self, BufRead, BufReader, PipeReader, Write};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::prctl;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, geteuid};

/// A `virsh`; what it started is ended when it is dropped.
pub(crate) struct Virsh {
    child: Child,
    input: Option<ChildStdin>,
    /// Standard output and standard error, in the order in which they were written.
    output: BufReader<PipeReader>,
    collector: Option<JoinHandle<()>>,
    marks: u32,
}

/// What came of one line.
pub(crate) struct Reply {
    /// All that was printed, with the line itself.
    pub(crate) text: String,
    /// Whether an error was printed.
    pub(crate) is_refusal: bool,
    /// From the line to its end.
    pub(crate) took: Duration,
}

/// Who collects a QEMU that has ended. libvirt waits for its zombie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Collector {
    /// This process, at once, as the reaper above a worker does.
    AtOnce,
    /// Process 1, whenever it does: what a person has who types into a shell.
    Process1,
}

impl Virsh {
    /// Starts `virsh` with a new driver root, and lets it connect and probe the emulator.
    pub(crate) fn open(root: &Path, collector: Collector) -> io::Result<Self> {
        fs::create_dir(root.join("etc"))?;
        let user = if geteuid().is_root() { AS_ROOT } else { "" };
        fs::write(root.join("etc/qemu.conf"), format!("{QEMU_CONF}{user}"))?;
        prctl::set_child_subreaper(collector == Collector::AtOnce)?;
        let (reader, writer) = io::pipe()?;
        let mut child = Command::new("virsh")
            .args(["-q", "-c"])
            .arg(format!("qemu:///embed?root={}", root.display()))
            .env("LC_ALL", "C")
            // Where it leaves the history of its lines, and libvirt that of a session.
            .env("XDG_CACHE_HOME", root)
            .env("XDG_RUNTIME_DIR", root)
            // Ctrl-C is not for it: it has to clean up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let input = child.stdin.take();
        let mut virsh = Self {
            child,
            input,
            output: BufReader::new(reader),
            collector: Some(thread::spawn(collect)),
            marks: 0,
        };
        let reply = virsh.line("version")?;
        if reply.is_refusal {
            return Err(io::Error::other(reply.text));
        }
        Ok(virsh)
    }

    /// Sends a line, and waits until virsh is done with it.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<Reply> {
        let begun = Instant::now();
        self.marks += 1;
        let mark = format!("mark {}", self.marks);
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(format!("{line}\necho --err '{mark}'\n").as_bytes())?;
        let mark = format!("error: {mark}\n");
        let (mut text, mut is_refusal) = (String::new(), false);
        loop {
            let start = text.len();
            if self.output.read_line(&mut text)? == 0 {
                return Err(io::Error::other(format!(
                    "virsh has ended during `{line}`:\n{text}"
                )));
            }
            if text[start..] == mark {
                text.truncate(start);
                let took = begun.elapsed();
                return Ok(Reply {
                    text,
                    is_refusal,
                    took,
                });
            }
            is_refusal |= text[start..].starts_with("error: ");
        }
    }
}

impl Drop for Virsh {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.input = None;
        let _ = self.child.wait();
        // With it the last child is gone that is not a QEMU.
        let _ = self.collector.take().map(JoinHandle::join);
    }
}

/// Collects each QEMU the moment it ends, until this process has no child left.
fn collect() {
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    while let Ok(status) = waitid(Id::All, look) {
        let (WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _)) = status else {
            continue;
        };
        if is_qemu(pid) {
            let _ = waitpid(pid, None);
        } else {
            // Whoever started it collects it.
            thread::yield_now();
        }
    }
}

fn is_qemu(pid: Pid) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.starts_with("qemu-system")
}

/// A word that virsh reads as one.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._=:".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The settings of the driver `embed` (`src/driver/libvirt/worker.rs`).
const QEMU_CONF: &str = "stdio_handler = \"file\"\nsecurity_driver = \"none\"\nnamespaces = [ ]\n\
    cgroup_controllers = [ ]\ndynamic_ownership = 0\nremember_owner = 0\n";

const AS_ROOT: &str = "user = \"root\"\ngroup = \"root\"\n";
