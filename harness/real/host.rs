//! Guest writes, backups, bitmaps and what is read back.

use std::fs;
use std::path::Path;
use std::time::Duration;

use backup_tck::driver::libvirt::Connection;
use backup_tck::driver::{Driver, DriverError, Host};
use backup_tck::model::{
    Action, Api, BitmapChange, Content, DiskFormat, ErrorCode, JobEnd, JobEvent, Observation, Size,
    Value, flags,
};

use crate::bench::{Bench, DISK, checkpoint_xml, processes, refused, returned, signal, until};

const MIB: u64 = 1 << 20;

pub(crate) fn a_chain_of_backups_holds_what_the_guest_wrote(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
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

pub(crate) fn a_crash_of_qemu_keeps_the_data_and_spoils_the_bitmap(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
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
    bench.driver.close_scenario(&place).unwrap();
    bench.assert_nothing_is_left();
}

pub(crate) fn a_backup_that_failed_is_told_too(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
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
    let error = bench.driver.act(&Action::AwaitBackup {
        domain,
        disks: vec!["vda".to_owned()],
    });
    assert!(matches!(error, Err(DriverError::Failed(_))), "{error:?}");
    bench.assert_nothing_is_left();
}

pub(crate) fn a_bitmap_of_a_closed_image_is_changed(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    bench.ok(Api::CheckpointCreate, Some(checkpoint_xml("c1")), 0);
    let image = bench.image("vda", DiskFormat::Qcow2);
    let change = |bitmap: &str, change| Action::ChangeBitmap {
        image: image.clone(),
        bitmap: bitmap.to_owned(),
        change,
    };
    bench.ok(Api::DomainDestroy, None, 0);
    bench.act(&change("c1", BitmapChange::Clear));
    let granularity = Some(Size(4096));
    for (step, recording) in [
        (BitmapChange::Add { granularity }, true),
        (BitmapChange::Disable, false),
        (BitmapChange::Enable, true),
    ] {
        bench.act(&change("own", step));
        let disks = vec![("vda".to_owned(), image.clone())];
        let stored = bench.bitmaps(&Action::StoredBitmaps { disks });
        let row = stored.on("vda", "own").next().unwrap();
        assert_eq!((row.recording, row.granularity), (recording, 4096));
    }
    bench.act(&change("c1", BitmapChange::Remove));
    let error = bench.driver.act(&change("c1", BitmapChange::Clear));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("'c1' not found"), "{error}");
    bench.ok(Api::DomainCreate, None, flags::START_PAUSED);
    let target = bench.image("inc", DiskFormat::Qcow2);
    let error = refused(bench.backup(&target, Some("c1"), "c2"));
    assert_eq!(error.code, ErrorCode::CHECKPOINT_INCONSISTENT);
    // A spoilt one can only be removed.
    bench.ok(Api::DomainDestroy, None, 0);
    bench.ok(Api::DomainCreate, None, flags::START_PAUSED);
    let domain = bench.place.domain.clone();
    bench.act(&Action::KillEmulator { domain });
    let error = bench.driver.act(&change("own", BitmapChange::Clear));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("inconsistent"), "{error}");
    bench.act(&change("own", BitmapChange::Remove));
    bench.assert_nothing_is_left();
}

pub(crate) fn what_fails_is_never_taken_for_done(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Qcow2);
    let beyond = bench.write(DISK.bytes(), MIB, 1).unwrap_err();
    assert!(beyond.to_string().contains("could not write"), "{beyond}");
    assert!(bench.write(DISK.bytes() - MIB, 2 * MIB, 1).is_err());
    bench.write(DISK.bytes() - MIB, MIB, 1).unwrap();
    let nowhere = bench.image("no/such/directory", DiskFormat::Qcow2);
    let layers = vec![nowhere.clone()];
    let error = bench.driver.act(&Action::ReadChain { layers }).unwrap_err();
    assert!(error.to_string().contains("qemu-img convert"), "{error}");
    let create = Action::CreateImage {
        image: nowhere.clone(),
        size: DISK,
    };
    let error = bench.driver.act(&create).unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    let check = Action::CheckImage { image: nowhere };
    assert!(bench.driver.act(&check).is_err());
    bench.assert_nothing_is_left();
}
