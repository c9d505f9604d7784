//! How many scenarios a second: `cargo bench --features libvirt --bench throughput`.
//!
//! Figures of one run on one machine, and ratios between them; nothing is asserted. On real
//! libvirt a scenario is the shortest that shows an error: define, start, a refused
//! `virDomainBackupBegin`, destroy, undefine. The same steps, fed to one
//! `virsh` line by line, are what it is compared with.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use backup_tck::driver::Driver as _;
use backup_tck::driver::mock::Mock;
use backup_tck::judge::{Facts, decide};
use backup_tck::run::{Extent, run_scenario};
use backup_tck::scenario::parse;
use backup_tck::suite::Suite;

const MOCK_ROUNDS: u32 = 500;

const DECISIONS: u32 = 200_000;

const CHECK_ROUNDS: u32 = 2000;

fn main() {
    check();
    decisions();
    mock();
    real();
}

/// The checker on the suite's own files, and on one that has a problem in every step.
fn check() {
    let files = Suite::Embedded.files().expect("the suite can be read");
    let texts: Vec<&String> = files
        .iter()
        .filter_map(|file| file.text.as_ref().ok())
        .collect();
    rate("checker, the suite's files", &texts, CHECK_ROUNDS);
    let steps = "  - guest-write: { disk: vdx, offset: 0, length: 64K, patern: 1 }\n".repeat(1000);
    let bad = format!("format: 1\nscenario: bad\nsummary: Bad.\nhistory:\n{steps}");
    rate(
        "checker, a file with 1000 wrong steps",
        &[&bad],
        CHECK_ROUNDS / 100,
    );
    let begun = Instant::now();
    for _ in 0..CHECK_ROUNDS {
        black_box(Suite::Embedded.cases().expect("the suite can be read"));
    }
    let rate = f64::from(CHECK_ROUNDS) / begun.elapsed().as_secs_f64();
    println!(
        "loader, the embedded suite of {} files, all cores: {rate:.0} times/s",
        files.len()
    );
}

fn rate(what: &str, texts: &[&String], rounds: u32) {
    let begun = Instant::now();
    for _ in 0..rounds {
        for text in texts {
            let _ = black_box(parse(Path::new("any.yaml"), text));
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let files = f64::from(rounds) * f64::from(u32::try_from(texts.len()).unwrap_or(u32::MAX));
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    let megabytes = f64::from(rounds) * f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1e6;
    println!(
        "{what}: {:.0} files/s, {:.1} MB/s",
        files / seconds,
        megabytes / seconds
    );
}

/// The judge over the facts of a bitmap that one of two disks has lost, all known.
fn decisions() {
    let facts: Facts = serde_json::from_str(
        r#"{
            "api": "virDomainBackupBegin",
            "error": { "code": 109, "domain": 10 },
            "request": { "disks": [{ "disk": "vda", "base": "c1" }, { "disk": "vdb", "base": "c1" }] },
            "observed": {
                "domain_state": "running",
                "disk_formats": { "vda": "qcow2", "vdb": "qcow2" },
                "checkpoints": { "c1": ["vda", "vdb"] },
                "bitmaps": [{
                    "disk": "vda", "layer": 0, "name": "c1", "persistent": true, "recording": true,
                    "inconsistent": false, "busy": false, "granularity": 65536, "dirty": 0
                }]
            },
            "records": { "verified_checkpoints": ["c1"] }
        }"#,
    )
    .expect("the facts are in their form");
    let begun = Instant::now();
    for _ in 0..DECISIONS {
        black_box(decide(black_box(&facts)));
    }
    let rate = f64::from(DECISIONS) / begun.elapsed().as_secs_f64();
    println!("judge, one thread: {rate:.0} decisions/s");
}

fn mock() {
    let cases = Suite::Embedded
        .cases()
        .expect("the embedded suite can be read");
    let scenarios: Vec<_> = cases
        .iter()
        .map(|case| {
            (
                &case.name,
                case.scenario.clone().expect("the suite is sound"),
            )
        })
        .collect();
    let mut driver = Mock::newest();
    let identity = driver.identity().expect("the mock knows itself");
    let begun = Instant::now();
    for _ in 0..MOCK_ROUNDS {
        for (name, scenario) in &scenarios {
            let ran = run_scenario(&mut driver, &identity, name, scenario, Extent::Whole);
            black_box(ran.expect("the suite runs on the mock"));
        }
    }
    let count =
        f64::from(MOCK_ROUNDS) * f64::from(u32::try_from(scenarios.len()).unwrap_or(u32::MAX));
    let rate = count / begun.elapsed().as_secs_f64();
    println!("mock, one thread, recovery and proof included: {rate:.0} scenarios/s");
}

#[cfg(not(feature = "libvirt"))]
fn real() {
    println!("embed: not measured, this build has no real drivers (--features libvirt)");
}

#[cfg(feature = "libvirt")]
fn real() {
    use backup_tck::run::DriverChoice;

    if let Some(reason) = DriverChoice::Embed.unavailable() {
        println!("embed: not measured, {reason}");
        return;
    }
    let virsh = real::virsh_rate();
    match virsh {
        Some(rate) => println!("virsh, one step after the other: {rate:.2} scenarios/s"),
        None => println!("virsh: not measured, it is not installed"),
    }
    for workers in [1, 2, 4] {
        let (rate, shortest) = real::rate(workers);
        let ratio = virsh
            .map(|virsh| format!(", {:.1} times virsh", rate / virsh))
            .unwrap_or_default();
        println!(
            "embed, {workers} at a time: {rate:.2} scenarios/s{ratio}; start to destroyed {shortest:.3?}"
        );
    }
}

#[cfg(feature = "libvirt")]
mod real {
    use std::fs;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use backup_tck::driver::libvirt::{Connection, Real, RealOptions};
    use backup_tck::driver::{Driver, Host, Libvirt};
    use backup_tck::model::{Action, Answer, Api, Call, DiskFormat, ImageRef, Place, Size, flags};

    use backup_tck::plan::{PlannedDisk, domain_xml};

    const ROUNDS: u32 = 12;
    const SIZE: Size = Size(16 << 20);

    /// Scenarios a second with so many workers, and the median time from start to destroyed.
    pub(super) fn rate(workers: u32) -> (f64, Duration) {
        let directory = tempfile::Builder::new()
            .prefix("backup-tckt")
            .tempdir()
            .expect("a directory");
        let opened: Vec<Real> = (0..workers).map(|_| open(directory.path())).collect();
        let begun = Instant::now();
        let slots: Vec<_> = opened
            .into_iter()
            .map(|mut embed| {
                thread::spawn(move || {
                    let times: Vec<Duration> = (0..ROUNDS).map(|_| scenario(&mut embed)).collect();
                    (times, Instant::now())
                })
            })
            .collect();
        let ended: Vec<_> = slots
            .into_iter()
            .map(|slot| slot.join().expect("a slot ends"))
            .collect();
        let last = ended.iter().map(|(_, at)| *at).max().unwrap_or(begun);
        let mut times: Vec<Duration> = ended.into_iter().flat_map(|(times, _)| times).collect();
        times.sort();
        let rate = f64::from(workers * ROUNDS) / (last - begun).as_secs_f64();
        (rate, times[times.len() / 2])
    }

    /// A worker that has run one scenario, so that its capability probe is behind it.
    fn open(directory: &Path) -> Real {
        let options = RealOptions {
            program: PathBuf::from(env!("CARGO_BIN_EXE_backup-tck")),
            directory: directory.to_owned(),
            connection: Connection::Embed,
            stop: std::sync::Arc::default(),
        };
        let mut embed = Real::start(&options).expect("a worker starts");
        scenario(&mut embed);
        embed
    }

    fn scenario(embed: &mut Real) -> Duration {
        let place = embed.open_scenario().expect("a place");
        let image = ImageRef {
            path: format!("{}/vda.raw", place.directory),
            format: DiskFormat::Raw,
        };
        embed
            .act(&Action::CreateImage {
                image: image.clone(),
                size: SIZE,
            })
            .expect("an image");
        let call = |api| Call::new(api, &place.domain);
        let mut ok = |call: &Call| {
            let answer = embed.call(call).expect("an answer");
            assert!(matches!(answer, Answer::Returned(_)), "{answer:?}");
        };
        ok(&call(Api::DomainDefine).xml(domain(&place, &image)));
        let begun = Instant::now();
        ok(&call(Api::DomainCreate).flags(flags::START_PAUSED));
        let mut refused = call(Api::DomainBackupBegin).xml(BACKUP.replace("DIR", &place.directory));
        refused.checkpoint_xml = Some(CHECKPOINT.to_owned());
        let answer = embed.call(&refused).expect("an answer");
        assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
        let answer = embed.call(&call(Api::DomainDestroy)).expect("an answer");
        assert!(matches!(answer, Answer::Returned(_)), "{answer:?}");
        let taken = begun.elapsed();
        embed.close_scenario(&place).expect("a clean end");
        taken
    }

    /// The same steps by one `virsh` that is fed line by line, with a driver root of its own.
    pub(super) fn virsh_rate() -> Option<f64> {
        const ROUNDS: u32 = 6;
        let virsh = which::which("virsh").ok()?;
        let root = tempfile::Builder::new()
            .prefix("backup-tckt")
            .tempdir()
            .ok()?;
        fs::create_dir(root.path().join("etc")).ok()?;
        fs::write(root.path().join("etc/qemu.conf"), QEMU_CONF).ok()?;
        let uri = format!("qemu:///embed?root={}", root.path().display());
        let directory = root.path().display().to_string();
        let place = Place {
            domain: "throughput".to_owned(),
            uuid: "6f0e5a0c-6c7e-4a5e-9d54-0f3f1a6f0001".to_owned(),
            emulator: which::which("qemu-system-x86_64")
                .ok()?
                .display()
                .to_string(),
            directory: directory.clone(),
            capabilities: Vec::new(),
            ports: Vec::new(),
        };
        let file = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::write(&path, text).ok()?;
            Some(path.display().to_string())
        };
        let disk = format!("{directory}/vda.raw");
        let image = ImageRef {
            path: disk.clone(),
            format: DiskFormat::Raw,
        };
        let domain = file("domain.xml", &domain(&place, &image))?;
        let backup = file("backup.xml", &BACKUP.replace("DIR", &directory))?;
        let checkpoint = file("checkpoint.xml", CHECKPOINT)?;
        let image = Command::new("qemu-img")
            .args(["create", "-q", "-f", "raw", &disk, "16M"])
            .status();
        assert!(image.is_ok_and(|status| status.success()));
        let round = format!(
            "define {domain}\nstart throughput --paused\n\
             backup-begin throughput {backup} {checkpoint}\n\
             destroy throughput\nundefine throughput\n"
        );
        let mut child = Command::new(&virsh)
            .args(["-q", "-c", &uri])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut input = child.stdin.take()?;
        // The first round opens the connection and probes the emulator; it is not counted.
        let script = format!("{round}echo begun\n{}", round.repeat(ROUNDS as usize));
        let mut output = BufReader::new(child.stdout.take()?).lines();
        let errors = thread::spawn({
            let mut stderr = child.stderr.take()?;
            move || {
                let mut text = String::new();
                stderr.read_to_string(&mut text).map(|_| text)
            }
        });
        input.write_all(script.as_bytes()).ok()?;
        drop(input);
        output
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains("begun"))?;
        let begun = Instant::now();
        output.for_each(drop);
        let taken = begun.elapsed();
        child.wait().ok()?;
        let errors = errors.join().ok()?.ok()?;
        let refusals = errors.matches("unsupported for storage type raw").count();
        assert_eq!(refusals, ROUNDS as usize + 1, "{errors}");
        Some(f64::from(ROUNDS) / taken.as_secs_f64())
    }

    const BACKUP: &str = "<domainbackup mode='push'><disks><disk name='vda' type='file'>\
        <target file='DIR/backup.qcow2'/></disk></disks></domainbackup>";
    const CHECKPOINT: &str = "<domaincheckpoint><name>c1</name></domaincheckpoint>";
    const QEMU_CONF: &str = "stdio_handler = \"file\"\nsecurity_driver = \"none\"\nnamespaces = [ ]\n\
        cgroup_controllers = [ ]\nuser = \"root\"\ngroup = \"root\"\ndynamic_ownership = 0\nremember_owner = 0\n";

    fn domain(place: &Place, image: &ImageRef) -> String {
        let disk = PlannedDisk {
            target: "vda".to_owned(),
            image: image.clone(),
            below: Vec::new(),
            size: SIZE,
            compat: None,
        };
        domain_xml(place, &[disk])
    }
}
