//! `qemu-img` and `qemu-io`, as a person uses them beside `virsh`; each tells how long it took.
//!
//! While QEMU still holds an image the command is repeated at once, as everybody would.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use backup_tck::driver::DriverError;
use backup_tck::model::{Action, ImageRef, NbdServer, Size};
use backup_tck::script::{layer, tool_words};
use serde_json::{Value, json};

/// For how long an image may stay locked.
const LOCK_LIMIT: Duration = Duration::from_secs(5);

/// How long commands took, and how many there were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) time: Duration,
    pub(crate) commands: u32,
}

impl Taken {
    pub(crate) fn add(&mut self, time: Duration) {
        self.time += time;
        self.commands += 1;
    }
}

/// What a command printed, where it must succeed.
pub(crate) fn qemu_img(taken: &mut Taken, arguments: &[&str]) -> Result<String, DriverError> {
    let begun = Instant::now();
    loop {
        let output = Command::new("qemu-img").args(arguments).output();
        let is_late = begun.elapsed() >= LOCK_LIMIT;
        let ended = ended(&format!("qemu-img {}", arguments.join(" ")), output);
        if ended.as_ref().is_err_and(is_locked) && !is_late {
            continue;
        }
        taken.add(begun.elapsed());
        return ended;
    }
}

fn is_locked(error: &DriverError) -> bool {
    error.to_string().contains("\" lock")
}

/// Reads a chain of images into a raw file.
pub(crate) fn flatten(
    taken: &mut Taken,
    layers: &[ImageRef],
    target: &str,
) -> Result<(), DriverError> {
    let mut chain = Value::Null;
    for image in layers.iter().rev() {
        chain = layer(image, chain);
    }
    let source = format!("json:{chain}");
    qemu_img(taken, &["convert", "-O", "raw", &source, target]).map(drop)
}

/// What the one command of an image tool that does it prints, where it must succeed.
pub(crate) fn perform(taken: &mut Taken, action: &Action) -> Result<String, DriverError> {
    let words = tool_words(action);
    let words = words.ok_or_else(|| DriverError::Failed(format!("no tool does {action:?}")))?;
    let arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    qemu_img(taken, &arguments)
}

/// What `qemu-img info` prints about one image.
pub(crate) fn info(taken: &mut Taken, image: &ImageRef) -> Result<String, DriverError> {
    let alone = format!("json:{}", layer(image, Value::Null));
    qemu_img(taken, &["info", "--output=json", &alone])
}

/// Reads an export into a new image: all of it, or what a bitmap marks dirty. That QEMU's client
/// shows the dirty extents as those without data is said in `src/driver/libvirt/nbd.rs`.
pub(crate) fn read_export(
    taken: &mut Taken,
    (server, export): (&NbdServer, &str),
    bitmap: Option<&str>,
    image: &ImageRef,
) -> Result<(), DriverError> {
    let server = match server {
        NbdServer::Socket(path) => json!({"type": "unix", "path": path}),
        NbdServer::Port(port) => {
            json!({"type": "inet", "host": "127.0.0.1", "port": port.to_string()})
        }
    };
    let source = json!({"driver": "nbd", "server": server, "export": export});
    let Some(bitmap) = bitmap else {
        let format = image.format.as_str();
        let source = format!("json:{source}");
        return qemu_img(taken, &["convert", "-O", format, &source, &image.path]).map(drop);
    };
    let mut marked = source.clone();
    marked["x-dirty-bitmap"] = format!("qemu:dirty-bitmap:{bitmap}").into();
    let map = qemu_img(taken, &["map", "--output=json", &format!("json:{marked}")])?;
    let map: Vec<Value> = serde_json::from_str(&map)
        .map_err(|error| DriverError::Failed(format!("`qemu-img map` printed no map: {error}")))?;
    let number = |extent: &Value, key: &str| extent[key].as_u64().unwrap_or_default();
    let end = map
        .last()
        .map_or(0, |last| number(last, "start") + number(last, "length"));
    let size = Size(end);
    let image = image.clone();
    perform(
        taken,
        &Action::CreateImage {
            image: image.clone(),
            size,
        },
    )?;
    let dirty = map.iter().filter(|extent| extent["data"] == false);
    let reads = dirty.map(|extent| {
        let (start, length) = (number(extent, "start"), number(extent, "length"));
        format!("read -q {start} {length}\n")
    });
    let reads: String = reads.collect();
    qemu_io(
        taken,
        &["-C", &format!("json:{}", layer(&image, source))],
        &reads,
    )
}

fn qemu_io(taken: &mut Taken, arguments: &[&str], commands: &str) -> Result<(), DriverError> {
    let begun = Instant::now();
    let child = Command::new("qemu-io")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let output = child.and_then(|mut child| {
        let input = child.stdin.take();
        thread::scope(|scope| {
            scope.spawn(|| Some(input?.write_all(commands.as_bytes())));
            child.wait_with_output()
        })
    });
    let ended = ended(&format!("qemu-io {}", arguments.join(" ")), output);
    taken.add(begun.elapsed());
    ended.map(drop)
}

fn ended(command: &str, output: std::io::Result<Output>) -> Result<String, DriverError> {
    let output =
        output.map_err(|error| DriverError::Failed(format!("cannot run `{command}`: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let text = format!("`{command}` ended with {}: {}", output.status, said.trim());
    Err(DriverError::Failed(text))
}
