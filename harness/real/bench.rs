//! A worker with one scenario, and what tests do with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use backup_tck::driver::libvirt::{Connection, Real, RealOptions};
use backup_tck::driver::{Driver, DriverError, Host, Libvirt};
use backup_tck::model::{
    Action, Answer, Api, BitmapTable, Call, Content, DiskFormat, ImageRef, JobEvent, LibvirtError,
    Observation, Place, Size, Value, flags,
};
use tempfile::TempDir;

pub(crate) const DISK: Size = Size(16 << 20);

/// A worker with one open scenario.
pub(crate) struct Bench {
    pub(crate) driver: Real,
    pub(crate) place: Place,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) directory: TempDir,
}

impl Bench {
    pub(crate) fn new(connection: &Connection) -> Self {
        let directory = directory();
        let stop = Arc::default();
        let mut driver = start(connection, directory.path(), &stop);
        driver.set_deadline(Some(Instant::now() + Duration::from_mins(1)));
        let place = driver.open_scenario().unwrap();
        Self {
            driver,
            place,
            stop,
            directory,
        }
    }

    /// With a paused domain that has one disk.
    pub(crate) fn started(connection: &Connection, format: DiskFormat) -> Self {
        let mut bench = Self::new(connection);
        bench.define(format);
        bench.ok(Api::DomainCreate, None, flags::START_PAUSED);
        bench
    }

    pub(crate) fn image(&self, name: &str, format: DiskFormat) -> ImageRef {
        let path = format!("{}/{name}", self.place.directory);
        ImageRef { path, format }
    }

    pub(crate) fn define(&mut self, format: DiskFormat) {
        let image = self.image("vda", format);
        self.create(&image);
        let xml = domain_xml(&self.place, &image);
        let name = self.place.domain.clone();
        let value = self.ok(Api::DomainDefine, Some(xml), 0);
        assert_eq!(value, Value::Name(name));
    }

    pub(crate) fn create(&mut self, image: &ImageRef) {
        let image = image.clone();
        let done = self.act(&Action::CreateImage { image, size: DISK });
        assert_eq!(done, Observation::Done);
    }

    pub(crate) fn plain(&self, api: Api, xml: Option<String>, flags: u32) -> Call {
        Call {
            xml,
            flags,
            ..Call::new(api, &self.place.domain)
        }
    }

    pub(crate) fn call(&mut self, call: &Call) -> Answer {
        self.driver.call(call).unwrap()
    }

    pub(crate) fn ok(&mut self, api: Api, xml: Option<String>, flags: u32) -> Value {
        let call = self.plain(api, xml, flags);
        returned(self.call(&call))
    }

    pub(crate) fn act(&mut self, action: &Action) -> Observation {
        self.driver.act(action).unwrap()
    }

    pub(crate) fn write(
        &mut self,
        offset: u64,
        length: u64,
        pattern: u8,
    ) -> Result<Observation, DriverError> {
        self.driver.act(&Action::GuestWrite {
            domain: self.place.domain.clone(),
            disk: "vda".to_owned(),
            offset: Size(offset),
            length: Size(length),
            pattern,
        })
    }

    pub(crate) fn backup(
        &mut self,
        target: &ImageRef,
        base: Option<&str>,
        checkpoint: &str,
    ) -> Answer {
        let incremental = base.map(|base| format!("<incremental>{base}</incremental>"));
        let xml = format!(
            "<domainbackup mode='push'>{}<disks><disk name='vda' backup='yes' type='file'>\
             <driver type='{}'/><target file='{}'/></disk></disks></domainbackup>",
            incremental.unwrap_or_default(),
            target.format,
            target.path
        );
        let checkpoint_xml = Some(checkpoint_xml(checkpoint));
        let call = self.plain(Api::DomainBackupBegin, Some(xml), 0);
        self.call(&Call {
            checkpoint_xml,
            ..call
        })
    }

    pub(crate) fn await_backup(&mut self) -> Vec<JobEvent> {
        let domain = self.place.domain.clone();
        let disks = vec!["vda".to_owned()];
        let Observation::Events(events) = self.act(&Action::AwaitBackup { domain, disks }) else {
            panic!("no events")
        };
        events
    }

    pub(crate) fn read(&mut self, layers: Vec<ImageRef>) -> Content {
        let Observation::Content(content) = self.act(&Action::ReadChain { layers }) else {
            panic!("no content")
        };
        content
    }

    pub(crate) fn bitmaps(&mut self, action: &Action) -> BitmapTable {
        let Observation::Bitmaps(table) = self.act(action) else {
            panic!("no bitmaps")
        };
        table
    }

    /// The worker's own directory.
    pub(crate) fn own(&self) -> PathBuf {
        let scenario = Path::new(&self.place.directory);
        scenario.parent().unwrap().to_owned()
    }

    pub(crate) fn daemon(&self) -> i32 {
        self.process("--pid-file")
    }

    pub(crate) fn worker(&self) -> i32 {
        self.process("worker")
    }

    pub(crate) fn process(&self, subcommand: &str) -> i32 {
        let found = processes(self.directory.path(), Some(subcommand));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0]
    }

    /// Nothing of the worker may be left once it is dropped.
    pub(crate) fn assert_nothing_is_left(self) {
        let Self {
            driver, directory, ..
        } = self;
        drop(driver);
        assert_clean(directory.path());
    }
}

/// A directory of a test's own, by whose name anything left of it is found. The name is short, for
/// the sockets below it.
pub(crate) fn directory() -> TempDir {
    tempfile::Builder::new().prefix("btck").tempdir().unwrap()
}

pub(crate) fn start(connection: &Connection, directory: &Path, stop: &Arc<AtomicBool>) -> Real {
    let options = RealOptions {
        program: PathBuf::from(env!("CARGO_BIN_EXE_backup-tck")),
        directory: directory.to_owned(),
        connection: connection.clone(),
        stop: Arc::clone(stop),
    };
    Real::start(&options).unwrap()
}

pub(crate) fn domain_xml(place: &Place, image: &ImageRef) -> String {
    format!(
        "<domain type='qemu'><name>{}</name><uuid>{}</uuid><memory unit='MiB'>32</memory>\
         <os><type arch='x86_64' machine='pc'>hvm</type></os>\
         <devices><emulator>{}</emulator>\
         <disk type='file' device='disk'><driver name='qemu' type='{}'/><source file='{}'/>\
         <target dev='vda' bus='virtio'/></disk>\
         <controller type='usb' model='none'/><memballoon model='none'/></devices></domain>",
        place.domain, place.uuid, place.emulator, image.format, image.path
    )
}

pub(crate) fn checkpoint_xml(name: &str) -> String {
    format!("<domaincheckpoint><name>{name}</name></domaincheckpoint>")
}

pub(crate) fn returned(answer: Answer) -> Value {
    match answer {
        Answer::Returned(value) => value,
        Answer::Refused(error) => panic!("refused: {error}"),
    }
}

pub(crate) fn refused(answer: Answer) -> LibvirtError {
    match answer {
        Answer::Refused(error) => error,
        Answer::Returned(value) => panic!("returned: {value:?}"),
    }
}

/// The processes whose command line names a directory and a subcommand, or any argument. Without
/// one, those too that have something mounted which lies in the directory.
pub(crate) fn processes(directory: &Path, subcommand: Option<&str>) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let found = pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let names = line.contains(&*directory.to_string_lossy());
        match subcommand {
            Some(name) => names && line.contains(&format!(" {name} ")),
            None => names || mounts(*pid, directory),
        }
    });
    found.collect()
}

fn mounts(pid: i32, directory: &Path) -> bool {
    let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
    let name = directory.file_name().unwrap().to_string_lossy();
    mounts.contains(&format!("/{name}/"))
}

pub(crate) fn assert_clean(directory: &Path) {
    assert_eq!(processes(directory, None), [0; 0]);
    let left: Vec<_> = fs::read_dir(directory).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

pub(crate) fn signal(pid: i32, name: &str) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(status.unwrap().success());
}

/// Waits for a fact that no event tells.
pub(crate) fn until(limit: Duration, fact: impl Fn() -> bool) {
    let (_keep, never) = mpsc::channel::<()>();
    let end = Instant::now() + limit;
    while !fact() {
        assert!(Instant::now() < end, "not within {limit:?}");
        let _ = never.recv_timeout(Duration::from_millis(20));
    }
}
