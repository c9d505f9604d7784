//! The driver `embed` against the real libvirt and QEMU of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use backup_tck::driver::libvirt::{Embed, EmbedOptions, missing};
use backup_tck::driver::{
    Action, Answer, Api, Call, Driver, DriverError, Host, ImageRef, JobEvent, Libvirt, Observation,
    Place, Value, flags,
};
use backup_tck::model::{
    BitmapTable, Content, DiskFormat, DomainState, ErrorCode, ErrorDomain, JobEnd, LibvirtError,
    Size, Version,
};
use tempfile::TempDir;

const DISK: Size = Size(16 << 20);
const MIB: u64 = 1 << 20;

/// Set for a run of this binary that starts a worker and waits to be killed.
const VICTIM: &str = "BACKUP_TCK_TEST_VICTIM";

/// A worker with one open scenario.
struct Bench {
    embed: Embed,
    place: Place,
    stop: Arc<AtomicBool>,
    directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        let missing = missing();
        assert!(missing.is_empty(), "no real libvirt here: {missing:?}");
        let directory = tempfile::tempdir().unwrap();
        let stop = Arc::default();
        let mut embed = start(directory.path(), &stop);
        embed.set_deadline(Some(Instant::now() + Duration::from_secs(60)));
        let place = embed.open_scenario().unwrap();
        Self {
            embed,
            place,
            stop,
            directory,
        }
    }

    /// With a paused domain that has one disk.
    fn started(format: DiskFormat) -> Self {
        let mut bench = Self::new();
        bench.define(format);
        bench.ok(Api::DomainCreate, None, flags::START_PAUSED);
        bench
    }

    fn image(&self, name: &str, format: DiskFormat) -> ImageRef {
        let path = format!("{}/{name}", self.place.directory);
        ImageRef { path, format }
    }

    fn define(&mut self, format: DiskFormat) {
        let image = self.image("vda", format);
        self.create(&image);
        let xml = domain_xml(&self.place, &image);
        let name = self.place.domain.clone();
        let value = self.ok(Api::DomainDefine, Some(xml), 0);
        assert_eq!(value, Value::Name(name));
    }

    fn create(&mut self, image: &ImageRef) {
        let image = image.clone();
        let done = self.act(&Action::CreateImage { image, size: DISK });
        assert_eq!(done, Observation::Done);
    }

    fn plain(&self, api: Api, xml: Option<String>, flags: u32) -> Call {
        Call {
            xml,
            flags,
            ..Call::new(api, &self.place.domain)
        }
    }

    fn call(&mut self, call: &Call) -> Answer {
        self.embed.call(call).unwrap()
    }

    fn ok(&mut self, api: Api, xml: Option<String>, flags: u32) -> Value {
        let call = self.plain(api, xml, flags);
        returned(self.call(&call))
    }

    fn act(&mut self, action: &Action) -> Observation {
        self.embed.act(action).unwrap()
    }

    fn write(&mut self, offset: u64, length: u64, pattern: u8) -> Result<Observation, DriverError> {
        self.embed.act(&Action::GuestWrite {
            domain: self.place.domain.clone(),
            disk: "vda".to_owned(),
            offset: Size(offset),
            length: Size(length),
            pattern,
        })
    }

    fn backup(&mut self, target: &ImageRef, base: Option<&str>, checkpoint: &str) -> Answer {
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

    fn await_backup(&mut self) -> Vec<JobEvent> {
        let domain = self.place.domain.clone();
        let disks = vec!["vda".to_owned()];
        match self.act(&Action::AwaitBackup { domain, disks }) {
            Observation::Events(events) => events,
            other => panic!("{other:?}"),
        }
    }

    fn read(&mut self, layers: Vec<ImageRef>) -> Content {
        match self.act(&Action::ReadChain { layers }) {
            Observation::Content(content) => content,
            other => panic!("{other:?}"),
        }
    }

    fn bitmaps(&mut self, action: &Action) -> BitmapTable {
        match self.act(action) {
            Observation::Bitmaps(table) => table,
            other => panic!("{other:?}"),
        }
    }

    fn worker(&self) -> i32 {
        let found = processes(self.directory.path(), Some("worker"));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0]
    }

    /// Nothing of the worker may be left once it is dropped.
    fn assert_nothing_is_left(self) {
        let Self {
            embed, directory, ..
        } = self;
        drop(embed);
        assert_clean(directory.path());
    }
}

fn start(directory: &Path, stop: &Arc<AtomicBool>) -> Embed {
    let options = EmbedOptions {
        program: PathBuf::from(env!("CARGO_BIN_EXE_backup-tck")),
        directory: directory.to_owned(),
        stop: Arc::clone(stop),
    };
    Embed::start(&options).unwrap()
}

fn domain_xml(place: &Place, image: &ImageRef) -> String {
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

fn checkpoint_xml(name: &str) -> String {
    format!("<domaincheckpoint><name>{name}</name></domaincheckpoint>")
}

fn returned(answer: Answer) -> Value {
    match answer {
        Answer::Returned(value) => value,
        Answer::Refused(error) => panic!("refused: {error}"),
    }
}

fn refused(answer: Answer) -> LibvirtError {
    match answer {
        Answer::Refused(error) => error,
        Answer::Returned(value) => panic!("returned: {value:?}"),
    }
}

/// The processes whose command line names a directory, and a subcommand.
fn processes(directory: &Path, subcommand: Option<&str>) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let found = pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(&*directory.to_string_lossy())
            && subcommand.is_none_or(|name| line.contains(&format!(" {name} ")))
    });
    found.collect()
}

fn assert_clean(directory: &Path) {
    assert_eq!(processes(directory, None), [0; 0]);
    let left: Vec<_> = fs::read_dir(directory).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

fn signal(pid: i32, name: &str) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(status.unwrap().success());
}

/// Waits for a fact that no event tells.
fn until(limit: Duration, fact: impl Fn() -> bool) {
    let (_keep, never) = mpsc::channel::<()>();
    let end = Instant::now() + limit;
    while !fact() {
        assert!(Instant::now() < end, "not within {limit:?}");
        let _ = never.recv_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_checkpoint_lives_and_dies() {
    let mut bench = Bench::new();
    let identity = bench.embed.identity().unwrap();
    assert!(
        identity.real && identity.libvirt >= Version::new(6, 0, 0),
        "{identity:?}"
    );
    let qemu: Version = identity.qemu.parse().unwrap();
    assert!(qemu >= Version::new(4, 2, 0), "{identity:?}");

    bench.define(DiskFormat::Qcow2);
    bench.ok(Api::DomainCreate, None, 0);
    let state = bench.ok(Api::DomainGetState, None, 0);
    assert!(
        matches!(state, Value::State(DomainState::Running, _)),
        "{state:?}"
    );
    for name in ["c1", "c2"] {
        let value = bench.ok(Api::CheckpointCreate, Some(checkpoint_xml(name)), 0);
        assert_eq!(value, Value::Name(name.to_owned()));
    }
    let listed = bench.ok(Api::DomainListAllCheckpoints, None, 0);
    assert_eq!(listed, Value::Names(vec!["c1".to_owned(), "c2".to_owned()]));
    let on = |bench: &Bench, api, name| bench.plain(api, None, 0).checkpoint(name);
    let call = on(&bench, Api::CheckpointGetXmlDesc, "c2");
    let Value::Xml(xml) = returned(bench.call(&call)) else {
        panic!("no XML")
    };
    assert!(xml.contains("<name>c2</name>"), "{xml}");
    let call = on(&bench, Api::CheckpointGetParent, "c2");
    assert_eq!(returned(bench.call(&call)), Value::Name("c1".to_owned()));
    let call = on(&bench, Api::CheckpointListAllChildren, "c1");
    assert_eq!(
        returned(bench.call(&call)),
        Value::Names(vec!["c2".to_owned()])
    );

    let call = on(&bench, Api::CheckpointDelete, "c2");
    assert_eq!(returned(bench.call(&call)), Value::Nothing);
    // The handle is still good enough to be told that the checkpoint is gone.
    let error = refused(bench.call(&call));
    assert_eq!(error.code, ErrorCode::NO_DOMAIN_CHECKPOINT);
    let call = on(&bench, Api::CheckpointLookupByName, "never");
    assert_eq!(
        refused(bench.call(&call)).code,
        ErrorCode::NO_DOMAIN_CHECKPOINT
    );

    bench.ok(Api::DomainDestroy, None, 0);
    let keep_nothing = flags::UNDEFINE_CHECKPOINTS_METADATA;
    bench.ok(Api::DomainUndefine, None, keep_nothing);
    let call = bench.plain(Api::DomainGetState, None, 0);
    assert_eq!(refused(bench.call(&call)).code, ErrorCode::NO_DOMAIN);
    let place = bench.place.clone();
    bench.embed.close_scenario(&place).unwrap();
    assert!(!Path::new(&place.directory).exists());
    let next = bench.embed.open_scenario().unwrap();
    assert_ne!(next.domain, place.domain);
    bench.assert_nothing_is_left();
}

#[test]
fn a_refusal_is_told_whole() {
    let mut bench = Bench::started(DiskFormat::Raw);
    let target = bench.image("target", DiskFormat::Qcow2);
    let error = refused(bench.backup(&target, None, "c1"));
    assert_eq!(error.code, ErrorCode::CONFIG_UNSUPPORTED);
    assert_eq!((error.domain, error.level), (ErrorDomain(10), 2));
    assert!(
        error.message.starts_with("unsupported configuration: "),
        "{error}"
    );
    assert_eq!(
        error.str2.map(|text| error.message.ends_with(&text)),
        Some(true)
    );
    assert!(error.str1.is_some());
    assert_eq!((error.int1, error.int2), (-1, -1));

    let call = bench.plain(Api::CheckpointCreate, Some(checkpoint_xml("c1")), 1 << 20);
    let error = refused(bench.call(&call));
    assert_eq!(error.code, ErrorCode::INVALID_ARG);
    assert_eq!(error.int1, 0);

    // NULL is passed on, and is libvirt's to refuse.
    let call = bench.plain(Api::DomainBackupBegin, None, 0);
    assert_eq!(refused(bench.call(&call)).code, ErrorCode::INVALID_ARG);

    let nobody = Call::new(Api::DomainGetState, "backup-tck-nobody");
    assert_eq!(refused(bench.call(&nobody)).code, ErrorCode::NO_DOMAIN);

    let nul = bench.plain(Api::CheckpointCreate, Some("a\0b".to_owned()), 0);
    assert!(matches!(
        bench.embed.call(&nul),
        Err(DriverError::Failed(_))
    ));
    bench.assert_nothing_is_left();
}

#[test]
fn a_chain_of_backups_holds_what_the_guest_wrote() {
    let mut bench = Bench::started(DiskFormat::Qcow2);
    let [full, inc] = ["full", "inc"].map(|name| bench.image(name, DiskFormat::Qcow2));
    let mut ledger = Content::zeros(DISK);
    bench.write(0, MIB, 0xA1).unwrap();
    ledger.write(0, MIB, 0xA1);
    returned(bench.backup(&full, None, "c1"));
    let completed = JobEvent::JobCompleted {
        success: true,
        message: None,
    };
    let ended = JobEvent::BlockJob {
        disk: "vda".to_owned(),
        end: JobEnd::Completed,
    };
    let events = bench.await_backup();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(
        events.contains(&completed) && events.contains(&ended),
        "{events:?}"
    );
    assert_eq!(bench.read(vec![full.clone()]), ledger);

    bench.write(3 * MIB + 5, 7, 0xB2).unwrap();
    ledger.write(3 * MIB + 5, 7, 0xB2);
    let domain = bench.place.domain.clone();
    let live = bench.bitmaps(&Action::LiveBitmaps { domain });
    let row = live.on("vda", "c1").next().unwrap();
    assert_eq!(
        (row.layer, row.granularity, row.dirty),
        (0, 65_536, Some(Size(65_536)))
    );
    assert!(
        row.recording && row.persistent && !row.inconsistent && !row.busy,
        "{row:?}"
    );

    returned(bench.backup(&inc, Some("c1"), "c2"));
    let events = bench.await_backup();
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(bench.read(vec![inc.clone(), full.clone()]), ledger);
    // A file that names another backing file is read over the one it is given.
    let mut alone = Content::zeros(DISK);
    alone.write(3 * MIB + 5, 7, 0xB2);
    assert_ne!(bench.read(vec![inc.clone()]), ledger);
    let check = bench.act(&Action::CheckImage { image: inc });
    assert_eq!(check, Observation::Check(None));

    // QEMU holds the disk's image; once it has ended, its bitmaps are stored.
    bench.ok(Api::DomainDestroy, None, 0);
    let image = bench.image("vda", DiskFormat::Qcow2);
    let disks = vec![("vda".to_owned(), image.clone())];
    let stored = bench.bitmaps(&Action::StoredBitmaps { disks });
    let names: Vec<_> = stored.0.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["c1", "c2"]);
    assert_eq!(bench.read(vec![image]), ledger);
    let directory = bench.place.directory.clone();
    let files = bench.act(&Action::ListFiles { directory });
    let names = ["full", "inc", "vda"].map(str::to_owned).to_vec();
    assert_eq!(files, Observation::Files(names));
    bench.assert_nothing_is_left();
}

#[test]
fn a_crash_of_qemu_keeps_the_data_and_spoils_the_bitmap() {
    let mut bench = Bench::started(DiskFormat::Qcow2);
    bench.ok(Api::CheckpointCreate, Some(checkpoint_xml("c1")), 0);
    // A bitmap is in use, on disk, from the second start on.
    bench.ok(Api::DomainDestroy, None, 0);
    bench.ok(Api::DomainCreate, None, flags::START_PAUSED);
    bench.write(MIB, MIB, 7).unwrap();
    let name = format!("guest={}", bench.place.domain);
    let emulators = processes(bench.directory.path(), None);
    let is_emulator = |pid: &&i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&name)
    };
    let emulator = *emulators.iter().find(is_emulator).unwrap();
    signal(emulator, "-KILL");
    until(Duration::from_secs(5), || {
        !Path::new(&format!("/proc/{emulator}")).exists()
    });

    let image = bench.image("vda", DiskFormat::Qcow2);
    let disks = vec![("vda".to_owned(), image.clone())];
    let stored = bench.bitmaps(&Action::StoredBitmaps { disks });
    let row = stored.on("vda", "c1").next().unwrap();
    assert!(row.inconsistent && row.persistent, "{row:?}");
    let mut ledger = Content::zeros(DISK);
    ledger.write(MIB, MIB, 7);
    assert_eq!(bench.read(vec![image]), ledger);
    let place = bench.place.clone();
    bench.embed.close_scenario(&place).unwrap();
    bench.assert_nothing_is_left();
}

#[test]
fn a_backup_that_failed_is_told_too() {
    let mut bench = Bench::started(DiskFormat::Qcow2);
    let scratch = bench.image("scratch", DiskFormat::Qcow2);
    let xml = format!(
        "<domainbackup mode='pull'><server transport='unix' socket='{}/nbd'/>\
         <disks><disk name='vda' type='file'><scratch file='{}'/></disk></disks></domainbackup>",
        bench.place.directory, scratch.path
    );
    bench.ok(Api::DomainBackupBegin, Some(xml), 0);
    let Value::Params(stats) = bench.ok(Api::DomainGetJobStats, None, 0) else {
        panic!("no parameters")
    };
    assert!(
        stats.contains_key("type") && stats.contains_key("operation"),
        "{stats:?}"
    );
    let mut call = bench.plain(Api::DomainGetBlockJobInfo, None, 0);
    call.disk = Some("vda".to_owned());
    let Value::Params(info) = returned(bench.call(&call)) else {
        panic!("no parameters")
    };
    assert!(info.is_empty() || info.contains_key("cur"), "{info:?}");
    bench.ok(Api::DomainAbortJob, None, 0);
    let events = bench.await_backup();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, JobEvent::JobCompleted { .. })),
        "{events:?}"
    );
    let domain = bench.place.domain.clone();
    let error = bench.embed.act(&Action::AwaitBackup {
        domain,
        disks: vec!["vda".to_owned()],
    });
    assert!(matches!(error, Err(DriverError::Failed(_))), "{error:?}");
    bench.assert_nothing_is_left();
}

#[test]
fn what_fails_is_never_taken_for_done() {
    let mut bench = Bench::started(DiskFormat::Qcow2);
    let beyond = bench.write(DISK.bytes(), MIB, 1).unwrap_err();
    assert!(beyond.to_string().contains("could not write"), "{beyond}");
    assert!(bench.write(DISK.bytes() - MIB, 2 * MIB, 1).is_err());
    bench.write(DISK.bytes() - MIB, MIB, 1).unwrap();
    let nowhere = bench.image("no/such/directory", DiskFormat::Qcow2);
    let layers = vec![nowhere.clone()];
    let error = bench.embed.act(&Action::ReadChain { layers }).unwrap_err();
    assert!(error.to_string().contains("qemu-img convert"), "{error}");
    let create = Action::CreateImage {
        image: nowhere.clone(),
        size: DISK,
    };
    let error = bench.embed.act(&create).unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    let check = Action::CheckImage { image: nowhere };
    assert!(bench.embed.act(&check).is_err());
    bench.assert_nothing_is_left();
}

#[test]
fn a_killed_worker_has_crashed_and_leaves_nothing() {
    let mut bench = Bench::started(DiskFormat::Qcow2);
    signal(bench.worker(), "-KILL");
    let call = bench.plain(Api::DomainGetState, None, 0);
    let Err(DriverError::Crashed(crash)) = bench.embed.call(&call) else {
        panic!("it lives")
    };
    assert_eq!(crash.end, "signal 9 (SIGKILL)");
    assert_eq!(crash.call, "virDomainGetState");
    assert_clean(bench.directory.path());
    assert!(matches!(
        bench.embed.call(&call),
        Err(DriverError::Failed(_))
    ));
}

#[test]
fn the_log_of_a_crash_is_kept() {
    let mut bench = Bench::new();
    let call = bench.plain(Api::DomainDefine, Some("<garbage/>".to_owned()), 0);
    refused(bench.call(&call));
    // Not SIGSEGV: the Rust runtime takes the first one that is sent, not raised, for an error of
    // its own and goes on.
    signal(bench.worker(), "-ABRT");
    let Err(DriverError::Crashed(crash)) = bench.embed.identity() else {
        panic!("it lives")
    };
    assert_eq!(crash.end, "signal 6 (SIGABRT)");
    assert!(
        crash.log.iter().any(|line| line.contains("error : ")),
        "{crash:?}"
    );
    assert!(crash.log.len() <= 8);
}

#[test]
fn a_hang_ends_at_the_deadline() {
    let mut bench = Bench::started(DiskFormat::Qcow2);
    signal(bench.worker(), "-STOP");
    let call = bench.plain(Api::DomainGetState, None, 0);
    let begin = Instant::now();
    bench
        .embed
        .set_deadline(Some(begin + Duration::from_millis(300)));
    let error = bench.embed.call(&call).unwrap_err();
    let call = "virDomainGetState".to_owned();
    assert_eq!(error, DriverError::TimedOut { call });
    assert!(
        begin.elapsed() < Duration::from_secs(2),
        "{:?}",
        begin.elapsed()
    );
    assert_clean(bench.directory.path());
}

#[test]
fn a_large_request_to_a_hung_worker_times_out_as_well() {
    let mut bench = Bench::new();
    signal(bench.worker(), "-STOP");
    let call = bench.plain(Api::DomainDefine, Some(" ".repeat(1 << 20)), 0);
    bench
        .embed
        .set_deadline(Some(Instant::now() + Duration::from_millis(200)));
    assert!(matches!(
        bench.embed.call(&call),
        Err(DriverError::TimedOut { .. })
    ));
    assert_clean(bench.directory.path());
}

#[test]
fn an_interrupt_ends_a_call() {
    let mut bench = Bench::started(DiskFormat::Qcow2);
    signal(bench.worker(), "-STOP");
    let stop = Arc::clone(&bench.stop);
    let begin = Instant::now();
    let error = thread::scope(|scope| {
        let call = bench.plain(Api::DomainGetState, None, 0);
        let embed = &mut bench.embed;
        let waiting = scope.spawn(move || embed.call(&call));
        stop.store(true, Ordering::Relaxed);
        waiting.join().unwrap()
    });
    assert_eq!(error, Err(DriverError::Interrupted));
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert_clean(bench.directory.path());
}

#[test]
fn a_supervisor_that_dies_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut victim = victim(directory.path());
    let ready = directory.path().join("ready");
    until(Duration::from_secs(60), || ready.exists());
    assert!(
        processes(directory.path(), None).len() >= 3,
        "reaper, worker and QEMU"
    );
    victim.kill().unwrap();
    victim.wait().unwrap();
    fs::remove_file(ready).unwrap();
    until(Duration::from_secs(10), || {
        processes(directory.path(), None).is_empty()
            && fs::read_dir(directory.path()).unwrap().next().is_none()
    });
}

/// This binary again, running only [`be_a_victim`].
fn victim(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "be_a_victim", "--nocapture"])
        .env(VICTIM, directory)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test of its own: the process that [`a_supervisor_that_dies_leaves_nothing`] kills.
#[test]
fn be_a_victim() {
    let Some(directory) = std::env::var_os(VICTIM).map(PathBuf::from) else {
        return;
    };
    let mut embed = start(&directory, &Arc::default());
    let place = embed.open_scenario().unwrap();
    let path = format!("{}/vda", place.directory);
    let format = DiskFormat::Raw;
    let image = ImageRef { path, format };
    let xml = domain_xml(&place, &image);
    embed
        .act(&Action::CreateImage { image, size: DISK })
        .unwrap();
    for call in [
        Call::new(Api::DomainDefine, &place.domain).xml(xml),
        Call::new(Api::DomainCreate, &place.domain).flags(flags::START_PAUSED),
    ] {
        returned(embed.call(&call).unwrap());
    }
    fs::write(directory.join("ready"), "").unwrap();
    loop {
        thread::park();
    }
}
