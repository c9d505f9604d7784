//! Pull backups, as a client reads them, and what can be in their way.

use std::process::Command;

use backup_tck::driver::libvirt::Connection;
use backup_tck::driver::{Driver, Host};
use backup_tck::model::{
    Action, Answer, Api, Call, Content, DiskFormat, ErrorCode, ImageRef, JobEnd, JobEvent,
    NbdServer, Observation, Size, Value, flags,
};

use crate::bench::{Bench, DISK, checkpoint_xml, refused, returned};

const MIB: u64 = 1 << 20;

const KIB: u64 = 1 << 10;

pub(crate) fn a_chain_read_over_nbd_holds_each_instant(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    let [full, delta] = ["full", "delta"].map(|name| bench.image(name, DiskFormat::Qcow2));
    let socket = socket(&bench);
    let mut ledger = Content::zeros(DISK);
    write(&mut bench, &mut ledger, 0, 2 * MIB, 0xA1);
    returned(pull(&mut bench, &socket, None, Some("c1")));
    let instant = ledger.clone();
    // The guest goes on: over data, and beside it.
    write(&mut bench, &mut ledger, MIB, 2 * MIB, 0xB2);
    read_export(&mut bench, &socket, None, &full);
    end(&mut bench);
    assert_eq!(bench.read(vec![full.clone()]), instant);

    // Zeros over data, and a few bytes of another extent.
    write(&mut bench, &mut ledger, 512 * KIB, 128 * KIB, 0);
    write(&mut bench, &mut ledger, 8 * MIB + 5, 7, 0xC3);
    let port = NbdServer::Port(bench.place.ports[0]);
    returned(pull(&mut bench, &port, Some("c1"), Some("c2")));
    let instant = ledger.clone();
    write(&mut bench, &mut ledger, 8 * MIB, MIB, 0xD4);
    read_export(&mut bench, &port, Some("backup-vda"), &delta);
    // What goes wrong is told.
    let again = export(&port, Some("backup-vda"), &delta);
    let error = bench.driver.act(&again).unwrap_err();
    assert!(error.to_string().contains("is there already"), "{error}");
    let other = bench.image("other", DiskFormat::Qcow2);
    let error = bench.driver.act(&export(&port, Some("other"), &other));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("qemu-img map"), "{error}");
    end(&mut bench);
    let error = bench.driver.act(&export(&port, None, &other)).unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");

    assert_eq!(bench.read(vec![delta.clone(), full.clone()]), instant);
    let dirty = [(512 * KIB, 128 * KIB), (MIB, 2 * MIB), (8 * MIB, 64 * KIB)];
    assert_eq!(allocated(&delta), dirty);
    let check = bench.act(&Action::CheckImage { image: delta });
    assert_eq!(check, Observation::Check(None));
    bench.assert_nothing_is_left();
}

pub(crate) fn a_backup_dies_with_its_emulator(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    let socket = socket(&bench);
    returned(pull(&mut bench, &socket, None, None));
    let domain = bench.place.domain.clone();
    let kill = Action::KillEmulator {
        domain: domain.clone(),
    };
    assert_eq!(bench.act(&kill), Observation::Done);
    let Value::State(state, _) = bench.ok(Api::DomainGetState, None, 0) else {
        panic!("no state")
    };
    assert!(!state.is_active());
    let events = bench.await_backup();
    let completed = JobEvent::JobCompleted {
        success: false,
        message: None,
    };
    assert!(events.contains(&completed), "{events:?}");
    let error = bench.driver.act(&kill).unwrap_err();
    assert!(error.to_string().contains("no QEMU process"), "{error}");
    // It starts again, and the socket file that was left is in nobody's way.
    bench.ok(Api::DomainCreate, None, flags::START_PAUSED);
    assert_eq!(probe(&mut bench, socket.clone()), None);
    returned(pull(&mut bench, &socket, None, None));
    end(&mut bench);
    bench.assert_nothing_is_left();
}

pub(crate) fn an_aborted_push_is_awaited(connection: &Connection) {
    let mut bench = Bench::new(connection);
    bench.define(DiskFormat::Qcow2);
    // A big disk, so that the job still runs when it is aborted.
    let image = bench.image("vda", DiskFormat::Qcow2);
    let big = Size(256 * MIB);
    bench.act(&Action::CreateImage { image, size: big });
    bench.ok(Api::DomainCreate, None, flags::START_PAUSED);
    bench.write(0, big.bytes(), 1).unwrap();
    // On a fast disk it may be over before; then another one is begun.
    let aborted = (1..=8).find(|attempt| {
        let name = format!("target{attempt}");
        let target = bench.image(&name, DiskFormat::Qcow2);
        returned(bench.backup(&target, None, &format!("c{attempt}")));
        bench.ok(Api::DomainAbortJob, None, 0);
        let events = bench.await_backup();
        let is_aborted = is_cancelled(&events, false);
        // What was aborted is removed, what is whole stays.
        assert_eq!(!files(&mut bench).contains(&name), is_aborted, "{events:?}");
        is_aborted
    });
    assert!(
        aborted.is_some(),
        "every backup was over before it was aborted"
    );
    bench.assert_nothing_is_left();
}

pub(crate) fn a_port_is_occupied_until_it_is_released(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    let [port, other, ..] = bench.place.ports[..] else {
        panic!("no ports")
    };
    let server = NbdServer::Port(port);
    assert_eq!(probe(&mut bench, server.clone()), None);
    bench.act(&Action::OccupyPort { port });
    bench.act(&Action::OccupyPort { port: other });
    let busy = Some("port in use".to_owned());
    assert_eq!(probe(&mut bench, server.clone()), busy);
    let error = refused(pull(&mut bench, &server, None, None));
    assert_eq!(error.code, ErrorCode::INTERNAL_ERROR);
    assert!(error.message.contains("Address already in use"), "{error}");
    bench.act(&Action::ReleasePort { port });
    let twice = bench.driver.act(&Action::ReleasePort { port });
    assert!(twice.is_err(), "{twice:?}");
    returned(pull(&mut bench, &server, None, None));
    assert_eq!(probe(&mut bench, server), busy);
    end(&mut bench);
    // The end of the scenario releases the rest.
    let place = bench.place.clone();
    let other = NbdServer::Port(other);
    assert_eq!(probe(&mut bench, other.clone()), busy);
    bench.driver.close_scenario(&place).unwrap();
    assert_eq!(probe(&mut bench, other), None);
    bench.assert_nothing_is_left();
}

pub(crate) fn a_probe_says_where_qemu_can_listen(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    let directory = bench.place.directory.clone();
    let path = |name: &str| format!("{directory}/{name}");
    bench.act(&Action::MakeDirectory { path: path("dir") });
    bench.act(&Action::MakeFile { path: path("file") });
    let cases = [
        ("new", None),
        ("file", None),
        ("dir/new", None),
        ("dir", Some("is a directory")),
        ("none/new", Some("no such directory")),
        ("file/new", Some("not a directory")),
        (&"x".repeat(108), Some("path longer than 107 bytes")),
    ];
    let before = files(&mut bench);
    for (name, expected) in cases {
        let server = NbdServer::Socket(path(name));
        let found = probe(&mut bench, server.clone());
        assert_eq!(found.as_deref(), expected, "{name}");
        // QEMU is of the same opinion.
        assert_eq!(files(&mut bench), before);
        let answer = pull(&mut bench, &server, None, None);
        assert_eq!(
            matches!(answer, Answer::Returned(_)),
            expected.is_none(),
            "{name}: {answer:?}"
        );
        if expected.is_none() {
            end(&mut bench);
            // QEMU has put its socket in the file's place, and taken it away.
            if name == "file" {
                bench.act(&Action::MakeFile { path: path("file") });
            }
        }
    }
    bench.assert_nothing_is_left();
}

pub(crate) fn a_server_behind_libvirts_back_is_in_the_way(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    let domain = bench.place.domain.clone();
    let start = Action::StartNbdServer {
        domain: domain.clone(),
        server: NbdServer::Port(bench.place.ports[0]),
    };
    bench.act(&start);
    let error = bench.driver.act(&start).unwrap_err();
    assert!(error.to_string().contains("already running"), "{error}");
    let socket = socket(&bench);
    let error = refused(pull(&mut bench, &socket, None, None));
    assert!(error.message.contains("already running"), "{error}");
    let stop = Action::StopNbdServer { domain };
    bench.act(&stop);
    let error = bench.driver.act(&stop).unwrap_err();
    assert!(error.to_string().contains("not running"), "{error}");
    returned(pull(&mut bench, &socket, None, None));
    end(&mut bench);
    bench.assert_nothing_is_left();
}

pub(crate) fn a_copy_is_ready_when_it_was_awaited(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    bench.write(0, DISK.bytes(), 1).unwrap();
    let domain = bench.place.domain.clone();
    let disk = "vda".to_owned();
    let ready = Action::AwaitBlockJob { domain, disk };
    // A disk without a job is nothing to wait for.
    bench.act(&ready);
    for (name, end, source) in [
        ("first", 0, "vda"),
        ("second", flags::BLOCK_JOB_ABORT_PIVOT, "second"),
    ] {
        let copy = bench.image(name, DiskFormat::Qcow2);
        let xml = format!(
            "<disk type='file'><driver type='qcow2'/><source file='{}'/></disk>",
            copy.path
        );
        on_vda(
            &mut bench,
            Api::DomainBlockCopy,
            Some(xml),
            flags::BLOCK_COPY_TRANSIENT_JOB,
        );
        bench.act(&ready);
        let info = on_vda(&mut bench, Api::DomainGetBlockJobInfo, None, 0);
        assert_ne!(info, Value::Params([].into()));
        on_vda(&mut bench, Api::DomainBlockJobAbort, None, end);
        bench.act(&ready);
        let info = on_vda(&mut bench, Api::DomainGetBlockJobInfo, None, 0);
        assert_eq!(info, Value::Params([].into()));
        let Value::Xml(xml) = bench.ok(Api::DomainGetXmlDesc, None, 0) else {
            panic!("no XML")
        };
        let source = bench.image(source, DiskFormat::Qcow2);
        assert!(xml.contains(&source.path), "{xml}");
        assert!(!xml.contains("<mirror"), "{xml}");
    }
    bench.assert_nothing_is_left();
}

fn socket(bench: &Bench) -> NbdServer {
    NbdServer::Socket(format!("{}/nbd", bench.place.directory))
}

fn pull(
    bench: &mut Bench,
    server: &NbdServer,
    base: Option<&str>,
    checkpoint: Option<&str>,
) -> Answer {
    let server = match server {
        NbdServer::Socket(path) => format!("<server transport='unix' socket='{path}'/>"),
        NbdServer::Port(port) => {
            format!("<server transport='tcp' name='127.0.0.1' port='{port}'/>")
        }
    };
    let incremental = base.map(|base| format!("<incremental>{base}</incremental>"));
    let xml = format!(
        "<domainbackup mode='pull'>{}{server}<disks><disk name='vda' type='file'>\
         <scratch file='{}/scratch'/></disk></disks></domainbackup>",
        incremental.unwrap_or_default(),
        bench.place.directory
    );
    let call = bench.plain(Api::DomainBackupBegin, Some(xml), 0);
    bench.call(&Call {
        checkpoint_xml: checkpoint.map(checkpoint_xml),
        ..call
    })
}

/// Ends a pull backup as a client does.
fn end(bench: &mut Bench) {
    bench.ok(Api::DomainAbortJob, None, 0);
    let events = bench.await_backup();
    assert!(is_cancelled(&events, true), "{events:?}");
}

/// Whether the job of `vda` was cancelled; for a pull backup, that is a success.
fn is_cancelled(events: &[JobEvent], success: bool) -> bool {
    let completed = JobEvent::JobCompleted {
        success,
        message: Some("Operation canceled".to_owned()),
    };
    let ended = JobEvent::BlockJob {
        disk: "vda".to_owned(),
        end: JobEnd::Cancelled,
    };
    events.contains(&completed) && events.contains(&ended)
}

fn write(bench: &mut Bench, ledger: &mut Content, offset: u64, length: u64, fill: u8) {
    bench.write(offset, length, fill).unwrap();
    ledger.write(offset, length, fill);
}

fn export(server: &NbdServer, bitmap: Option<&str>, image: &ImageRef) -> Action {
    Action::ReadExport {
        server: server.clone(),
        export: "vda".to_owned(),
        bitmap: bitmap.map(str::to_owned),
        image: image.clone(),
    }
}

fn read_export(bench: &mut Bench, server: &NbdServer, bitmap: Option<&str>, image: &ImageRef) {
    let done = bench.act(&export(server, bitmap, image));
    assert_eq!(done, Observation::Done);
}

fn probe(bench: &mut Bench, server: NbdServer) -> Option<String> {
    let Observation::Usable(reason) = bench.act(&Action::ProbeServer { server, tls: false }) else {
        panic!("no answer")
    };
    reason
}

fn files(bench: &mut Bench) -> Vec<String> {
    let directory = bench.place.directory.clone();
    let Observation::Files(files) = bench.act(&Action::ListFiles { directory }) else {
        panic!("no files")
    };
    files
}

fn on_vda(bench: &mut Bench, api: Api, xml: Option<String>, flags: u32) -> Value {
    let mut call = bench.plain(api, xml, flags);
    call.disk = Some("vda".to_owned());
    returned(bench.call(&call))
}

/// The extents that an image holds itself, neighbours joined: data, and zeros that hide what is
/// below.
fn allocated(image: &ImageRef) -> Vec<(u64, u64)> {
    let mut command = Command::new("qemu-img");
    command.args(["map", "--output=json", "-f", "qcow2", &image.path]);
    let output = command.output().unwrap();
    let map: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut extents: Vec<(u64, u64)> = Vec::new();
    for extent in map.as_array().unwrap() {
        let number = |key: &str| extent[key].as_u64().unwrap();
        let (start, length) = (number("start"), number("length"));
        if extent["present"] == false {
            continue;
        }
        match extents.last_mut() {
            Some(last) if last.0 + last.1 == start => last.1 += length,
            _ => extents.push((start, length)),
        }
    }
    extents
}
