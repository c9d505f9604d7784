//! Backup and copy jobs: what they hold, offer and leave.
//!
//! What libvirt answers meanwhile is held against libvirt itself, in `harness/embed/agreement.rs`.

use rstest::rstest;

use super::bench::{Bench, CP1, FROM_CP1, FULL, PULL, PULL_CP1};
use crate::driver::{DriverError, Host, Libvirt};
use crate::model::{
    Action, Api, Call, Content, ErrorCode, JobEnd, JobEvent, NbdServer, Observation, Size, Value,
    flags,
};

const MIB: u64 = 1 << 20;

fn on_vda(bench: &Bench, api: Api) -> Call {
    Call {
        disk: Some("vda".to_owned()),
        ..bench.call(api)
    }
}

fn copy(bench: &Bench) -> Call {
    let copy = "<disk type='file'><driver type='qcow2'/><source file='DIR/copy'/></disk>";
    on_vda(bench, Api::DomainBlockCopy)
        .flags(flags::BLOCK_COPY_TRANSIENT_JOB)
        .xml(copy.replace("DIR", &bench.place.directory))
}

#[test]
fn a_pull_offers_the_disk_as_it_was() {
    let mut bench = Bench::running();
    bench.write(0, 2 * MIB, 1);
    bench.ok(&bench.backup(PULL, Some(CP1)));
    bench.write(MIB, 2 * MIB, 2);
    bench.read_export(None, "full");
    bench.ok(&bench.call(Api::DomainAbortJob));
    bench.await_backup();
    let mut instant = Content::zeros(Size(16 * MIB));
    instant.write(0, 2 * MIB, 1);
    assert_eq!(bench.read(&["full".to_owned()]), instant);

    bench.ok(&bench.backup(PULL_CP1, None));
    bench.write(0, 16 * MIB, 3);
    bench.read_export(Some("backup-vda"), "delta");
    bench.ok(&bench.call(Api::DomainAbortJob));
    let mut delta = Content::zeros(Size(16 * MIB));
    delta.write(MIB, 2 * MIB, 2);
    assert_eq!(bench.read(&["delta".to_owned()]), delta);
    instant.write(MIB, 2 * MIB, 2);
    let chain = ["delta".to_owned(), "full".to_owned()];
    assert_eq!(bench.read(&chain), instant);
}

#[test]
fn an_export_is_there_only_under_its_name_and_as_long_as_its_server() {
    let mut bench = Bench::running();
    bench.ok(&bench.backup(PULL, Some(CP1)));
    let read = |bench: &Bench, export: &str, bitmap: Option<&str>| Action::ReadExport {
        server: NbdServer::Socket(bench.path("nbd")),
        export: export.to_owned(),
        bitmap: bitmap.map(str::to_owned),
        image: bench.image("read"),
    };
    // A full backup exports no bitmap.
    for (export, bitmap) in [("vdb", None), ("vda", Some("backup-vda"))] {
        let action = read(&bench, export, bitmap);
        assert!(bench.mock.act(&action).is_err());
    }
    let stop = Action::StopNbdServer {
        domain: bench.place.domain.clone(),
    };
    bench.act(&stop);
    assert!(bench.mock.act(&stop).is_err());
    let action = read(&bench, "vda", None);
    assert!(bench.mock.act(&action).is_err());
    // The job does not mind.
    assert_eq!(bench.files(), ["scratch", "vda.qcow2", "vdb.raw"]);
    bench.ok(&bench.call(Api::DomainAbortJob));
    assert_eq!(bench.files(), ["vda.qcow2", "vdb.raw"]);
}

#[rstest]
#[case::pull(PULL, true)]
#[case::push(FULL, false)]
fn an_aborted_backup_leaves_no_file(#[case] document: &str, #[case] success: bool) {
    let mut bench = Bench::running();
    bench.ok(&bench.backup(document, Some(CP1)));
    bench.ok(&bench.call(Api::DomainAbortJob));
    let message = Some("Operation canceled".to_owned());
    let completed = JobEvent::JobCompleted { success, message };
    let cancelled = JobEvent::BlockJob {
        disk: "vda".to_owned(),
        end: JobEnd::Cancelled,
    };
    assert_eq!(bench.await_backup(), [completed, cancelled]);
    assert_eq!(bench.files(), ["vda.qcow2", "vdb.raw"]);
    // The checkpoint was part of the begin.
    assert_eq!(bench.bitmaps().len(), 1);
}

#[test]
fn a_push_has_its_bitmap_on_the_disk_while_it_runs() {
    let mut bench = Bench::running();
    bench.ok(&bench.create(CP1));
    bench.write(0, 1, 1);
    bench.ok(&bench.backup(FROM_CP1, None));
    let rows = bench.bitmaps();
    let row = rows.iter().find(|row| row.name == "backup-vda").unwrap();
    assert!(!row.persistent && !row.recording && row.busy, "{row:?}");
    assert_eq!(row.dirty, Some(Size(65_536)));
    bench.await_backup();
    assert_eq!(bench.bitmaps().len(), 1);
}

#[test]
fn nobody_waits_for_a_pull_that_nobody_ends() {
    let mut bench = Bench::running();
    bench.ok(&bench.backup(PULL, None));
    let action = Action::AwaitBackup {
        domain: bench.place.domain.clone(),
        disks: Vec::new(),
    };
    let told = bench.mock.act(&action);
    assert!(matches!(told, Err(DriverError::NotModelled(_))), "{told:?}");
}

#[test]
fn progress_is_told_only_while_it_is_certain() {
    let mut bench = Bench::running();
    bench.ok(&bench.backup(PULL, None));
    let info = on_vda(&bench, Api::DomainGetBlockJobInfo);
    assert!(matches!(bench.ok(&info), Value::Params(params) if params.len() == 4));
    bench.write(0, 1, 1);
    assert!(bench.mock.call(&info).is_err());
    let Value::Params(told) = bench.ok(&bench.call(Api::DomainGetJobStats)) else {
        panic!("no statistics");
    };
    let names: Vec<_> = told.keys().map(String::as_str).collect();
    assert_eq!(names, ["operation", "type"]);
}

#[test]
fn a_copy_takes_the_disks_place_with_its_bitmaps() {
    let mut bench = Bench::running();
    bench.ok(&bench.create(CP1));
    bench.write(0, MIB, 1);
    bench.ok(&copy(&bench));
    let pivot = on_vda(&bench, Api::DomainBlockJobAbort).flags(flags::BLOCK_JOB_ABORT_PIVOT);
    let error = bench.refused(&pivot);
    assert_eq!(
        error.message,
        "block copy still active: block job 'copy-vda-libvirt-2-format' not ready for pivot yet"
    );
    let ready = Action::AwaitBlockJob {
        domain: bench.place.domain.clone(),
        disk: "vda".to_owned(),
    };
    bench.act(&ready);
    bench.write(MIB, MIB, 2);
    let before = bench.bitmaps();
    bench.ok(&pivot);
    assert_eq!(bench.bitmaps(), before);
    let mut content = Content::zeros(Size(16 * MIB));
    content.write(0, MIB, 1);
    content.write(MIB, MIB, 2);
    bench.write(2 * MIB, MIB, 3);
    // The old image is left as it was.
    assert_eq!(bench.read(&["vda.qcow2".to_owned()]), content);
    content.write(2 * MIB, MIB, 3);
    assert_eq!(bench.read(&["copy".to_owned()]), content);
    bench.ok(&bench.backup(PULL_CP1, None));
    let Value::Xml(dump) = bench.ok(&bench.call(Api::DomainBackupGetXmlDesc)) else {
        panic!("no dump")
    };
    assert!(dump.contains("index='4'"), "{dump}");
}

#[test]
fn an_aborted_copy_stays_as_a_file() {
    let mut bench = Bench::running();
    bench.ok(&copy(&bench));
    let error = bench.refused(&bench.backup(FULL, Some(CP1)));
    assert_eq!(error.code, ErrorCode::INTERNAL_ERROR);
    assert_eq!(bench.bitmaps(), []);
    bench.ok(&on_vda(&bench, Api::DomainBlockJobAbort));
    assert_eq!(bench.files(), ["copy", "vda.qcow2", "vdb.raw"]);
    bench.ok(&bench.backup(FULL, Some(CP1)));
}

#[test]
fn a_server_needs_its_place() {
    let mut bench = Bench::running();
    let place = |bench: &Bench, name: &str| NbdServer::Socket(bench.path(name));
    let port = bench.place.ports[0];
    bench.act(&Action::MakeDirectory {
        path: bench.path("dir"),
    });
    bench.act(&Action::MakeFile {
        path: bench.path("file"),
    });
    bench.act(&Action::OccupyPort { port });
    let cases = [
        (place(&bench, "new"), None),
        (place(&bench, "file/new"), Some("not a directory")),
        (place(&bench, "file"), None),
        (place(&bench, "dir/new"), None),
        (place(&bench, "dir"), Some("is a directory")),
        (place(&bench, "none/new"), Some("no such directory")),
        (
            place(&bench, &"x".repeat(108)),
            Some("path longer than 107 bytes"),
        ),
        (NbdServer::Port(port), Some("port in use")),
        (NbdServer::Port(port + 1), None),
    ];
    for (server, expected) in cases {
        let probe = Action::ProbeServer {
            server: server.clone(),
            tls: false,
        };
        let seen = bench.act(&probe);
        assert_eq!(seen, Observation::Usable(expected.map(str::to_owned)));
        let domain = bench.place.domain.clone();
        let start = Action::StartNbdServer {
            domain: domain.clone(),
            server,
        };
        // QEMU is of the same opinion.
        assert_eq!(bench.mock.act(&start).is_ok(), expected.is_none());
        if expected.is_none() {
            assert!(bench.mock.act(&start).is_err(), "twice");
            bench.act(&Action::StopNbdServer { domain });
        }
    }
    bench.act(&Action::ReleasePort { port });
    assert!(bench.mock.act(&Action::ReleasePort { port }).is_err());
    // The file gave way to a socket, which went with its server.
    assert_eq!(bench.files(), ["dir", "vda.qcow2", "vdb.raw"]);
}
