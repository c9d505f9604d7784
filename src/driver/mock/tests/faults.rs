//! What other hands do to the host, and what is left of bitmaps, files and definitions.

use rstest::rstest;

use super::bench::{Bench, CP1, FROM_CP1, PULL, PULL_CP1, REDEFINE, assert_refusal};
use crate::driver::{DriverError, Host};
use crate::model::{
    Action, Api, BitmapChange, BitmapRow, DiskFormat, DomainState, ErrorCode, ErrorDomain,
    ImageRef, JobEvent, Observation, Size, Value, flags,
};

const CP2: &str =
    "<domaincheckpoint><name>cp2</name><disks><disk name='vda'/></disks></domaincheckpoint>";

fn stored(bench: &mut Bench) -> Vec<BitmapRow> {
    let disks = vec![("vda".to_owned(), bench.image("vda.qcow2"))];
    let Observation::Bitmaps(table) = bench.act(&Action::StoredBitmaps { disks }) else {
        panic!("something else was seen")
    };
    table.0
}

fn change(bench: &mut Bench, name: &str, change: BitmapChange) -> Result<Observation, DriverError> {
    let action = Action::ChangeBitmap {
        image: bench.image("vda.qcow2"),
        bitmap: name.to_owned(),
        change,
    };
    bench.mock.act(&action)
}

fn restart(bench: &mut Bench) {
    bench.ok(&bench.call(Api::DomainDestroy));
    bench.ok(&bench.call(Api::DomainCreate));
}

#[test]
fn a_kill_loses_new_bitmaps_and_spoils_the_old() {
    let mut bench = Bench::running();
    bench.ok(&bench.create(CP1));
    restart(&mut bench);
    bench.ok(&bench.create(CP2));
    bench.write(0, 1, 1);
    bench.kill();
    let flags = |row: &BitmapRow| (row.name.clone(), row.inconsistent, row.recording);
    let rows: Vec<_> = stored(&mut bench).iter().map(flags).collect();
    assert_eq!(rows, [("cp1".to_owned(), true, true)]);
    bench.ok(&bench.call(Api::DomainCreate));
    let rows: Vec<_> = bench.bitmaps().iter().map(flags).collect();
    assert_eq!(rows, [("cp1".to_owned(), true, false)]);
    let error = bench.refused(&bench.backup(FROM_CP1, None));
    assert_eq!(error.code, ErrorCode::CHECKPOINT_INCONSISTENT);
    // A clean close mends nothing.
    restart(&mut bench);
    let rows: Vec<_> = bench.bitmaps().iter().map(flags).collect();
    assert_eq!(rows, [("cp1".to_owned(), true, false)]);
    // It can only be removed, and then it is gone for good, though QEMU is killed.
    bench.ok(&bench.call(Api::CheckpointDelete).checkpoint("cp1"));
    bench.kill();
    assert_eq!(stored(&mut bench), []);
}

#[test]
fn a_kill_takes_a_pull_along() {
    let mut bench = Bench::running();
    bench.ok(&bench.backup(PULL, Some(CP1)));
    bench.kill();
    let told = bench.await_backup();
    let failed = JobEvent::JobCompleted {
        success: false,
        message: None,
    };
    assert_eq!(told, [failed]);
    assert_eq!(bench.files(), ["nbd", "vda.qcow2", "vdb.raw"]);
    let state = bench.ok(&bench.call(Api::DomainGetState));
    assert!(matches!(state, Value::State(DomainState::Shutoff, _)));
    let names = bench.ok(&bench.call(Api::DomainListAllCheckpoints));
    assert_eq!(names, Value::Names(vec!["cp1".to_owned()]));
    // The old socket is in nobody's way.
    bench.ok(&bench.call(Api::DomainCreate));
    bench.ok(&bench.backup(PULL, None));
    let kill = Action::KillEmulator {
        domain: bench.place.domain.clone(),
    };
    bench.act(&kill);
    assert!(bench.mock.act(&kill).is_err(), "nothing to kill");
}

#[test]
fn the_tool_changes_bitmaps_of_closed_images() {
    let mut bench = Bench::defined();
    let add = |granularity| BitmapChange::Add { granularity };
    change(&mut bench, "b", add(None)).unwrap();
    change(&mut bench, "c", add(Some(Size(512)))).unwrap();
    let rows: Vec<_> = stored(&mut bench)
        .iter()
        .map(|row| (row.name.clone(), row.granularity, row.recording))
        .collect();
    assert_eq!(
        rows,
        [("b".to_owned(), 65_536, true), ("c".to_owned(), 512, true)]
    );
    change(&mut bench, "b", BitmapChange::Disable).unwrap();
    bench.ok(&bench.call(Api::DomainCreate));
    bench.write(0, 1, 1);
    let dirty = |bench: &mut Bench| -> Vec<_> {
        let rows = bench.bitmaps();
        rows.iter().map(|row| row.dirty.unwrap().bytes()).collect()
    };
    assert_eq!(dirty(&mut bench), [0, 512]);
    assert!(
        change(&mut bench, "b", BitmapChange::Enable).is_err(),
        "the image is locked"
    );
    bench.ok(&bench.call(Api::DomainDestroy));
    change(&mut bench, "b", BitmapChange::Enable).unwrap();
    change(&mut bench, "c", BitmapChange::Clear).unwrap();
    bench.ok(&bench.call(Api::DomainCreate));
    assert_eq!(dirty(&mut bench), [0, 0]);
    bench.kill();
    for refused in [
        BitmapChange::Clear,
        BitmapChange::Enable,
        BitmapChange::Disable,
        add(None),
    ] {
        assert!(change(&mut bench, "b", refused).is_err(), "{refused:?}");
    }
    change(&mut bench, "b", BitmapChange::Remove).unwrap();
    assert!(change(&mut bench, "b", BitmapChange::Remove).is_err());
    for granularity in [0, 256, 1000, 1 << 32] {
        let refused = add(Some(Size(granularity)));
        assert!(change(&mut bench, "d", refused).is_err(), "{granularity}");
    }
    let raw = Action::ChangeBitmap {
        image: ImageRef {
            path: bench.path("vdb.raw"),
            format: DiskFormat::Raw,
        },
        bitmap: "b".to_owned(),
        change: add(None),
    };
    assert!(bench.mock.act(&raw).is_err());
}

#[test]
fn files_are_never_replaced_silently() {
    let mut bench = Bench::running();
    let path = bench.path("new");
    bench.act(&Action::MakeDirectory { path: path.clone() });
    let inner = bench.path("new/file");
    bench.act(&Action::MakeFile {
        path: inner.clone(),
    });
    assert_eq!(bench.files(), ["new", "vda.qcow2", "vdb.raw"]);
    for refused in [
        Action::MakeDirectory { path: path.clone() },
        Action::MakeFile { path: path.clone() },
        Action::MakeFile {
            path: bench.path("none/file"),
        },
        Action::MakeFile {
            path: bench.path("new/file/below"),
        },
        Action::RemoveFile { path: path.clone() },
        Action::RemoveDirectory { path: path.clone() },
        Action::RemoveDirectory {
            path: inner.clone(),
        },
        Action::RemoveFile {
            path: bench.path("vda.qcow2"),
        },
        Action::CreateImage {
            image: bench.image("new"),
            size: Size(1),
        },
    ] {
        assert!(bench.mock.act(&refused).is_err(), "{refused:?}");
    }
    bench.act(&Action::RemoveFile { path: inner });
    bench.act(&Action::RemoveDirectory { path });
    assert_eq!(bench.files(), ["vda.qcow2", "vdb.raw"]);
}

#[test]
fn a_domain_comes_back_without_its_checkpoints() {
    let mut bench = Bench::running();
    bench.ok(&bench.create(CP1));
    bench.ok(&bench.create(CP2));
    bench.ok(&bench.call(Api::DomainDestroy));
    let undefine = bench.call(Api::DomainUndefine);
    for (flags, count) in [
        (0, 2),
        (flags::UNDEFINE_SNAPSHOTS_METADATA, 2),
        (flags::UNDEFINE_MANAGED_SAVE, 1),
    ] {
        let error = bench.refused(&undefine.clone().flags(flags));
        let message = format!(
            "Requested operation is not valid: cannot delete inactive domain with {count} checkpoints"
        );
        assert_refusal(
            &error,
            ErrorCode::OPERATION_INVALID,
            ErrorDomain::QEMU,
            &message,
            -1,
        );
    }
    bench.ok(&undefine.flags(0x13));
    let define = bench.define.clone();
    for _again in 0..2 {
        bench.ok(&define);
    }
    bench.ok(&bench.call(Api::DomainCreate));
    let names = bench.ok(&bench.call(Api::DomainListAllCheckpoints));
    assert_eq!(names, Value::Names(Vec::new()));
    // The bitmaps are in the image still.
    assert_eq!(
        bench.ok(&bench.create(REDEFINE).flags(5)),
        Value::Name("cp1".to_owned())
    );
    bench.ok(&bench.backup(PULL_CP1, None));
}

#[rstest]
#[case(&["cp1"], None)]
#[case(&["cp1", "cp2"], Some("cp1"))]
fn a_failed_deletion_has_moved_the_children(#[case] names: &[&str], #[case] parent: Option<&str>) {
    let mut bench = Bench::running();
    let document = |name: &str| CP1.replace("cp1", name);
    for name in names.iter().chain(&["last"]) {
        bench.ok(&bench.create(&document(name)));
    }
    let broken = names[names.len() - 1];
    let active = bench
        .mock
        .world
        .domains
        .get_mut(&bench.place.domain)
        .unwrap();
    active.active.as_mut().unwrap().bitmaps[0][0].remove(broken);
    let delete = bench.call(Api::CheckpointDelete).checkpoint(broken);
    let error = bench.refused(&delete);
    let message = format!("internal error: bitmap '{broken}' not found in backing chain of 'vda'");
    assert_eq!(error.message, message);
    let tree = &bench.mock.world.domains[&bench.place.domain].checkpoints;
    assert_eq!(tree.get("last").unwrap().parent.as_deref(), parent);
    assert!(tree.get(broken).is_some());
    assert_eq!(bench.bitmaps().len(), names.len());
}
