//! Calls and their answers.

use std::path::Path;

use backup_tck::driver::libvirt::Connection;
use backup_tck::driver::{Driver, DriverError, Libvirt};
use backup_tck::model::{
    Api, Call, DiskFormat, DomainState, ErrorCode, ErrorDomain, Value, Version, flags,
};

use crate::bench::{Bench, checkpoint_xml, refused, returned};

pub(crate) fn a_checkpoint_lives_and_dies(connection: &Connection) {
    let mut bench = Bench::new(connection);
    let identity = bench.driver.identity().unwrap();
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
    bench.driver.close_scenario(&place).unwrap();
    assert!(!Path::new(&place.directory).exists());
    let next = bench.driver.open_scenario().unwrap();
    assert_ne!(next.domain, place.domain);
    bench.assert_nothing_is_left();
}

pub(crate) fn a_refusal_is_told_whole(connection: &Connection) {
    let mut bench = Bench::started(connection, DiskFormat::Raw);
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
        bench.driver.call(&nul),
        Err(DriverError::Failed(_))
    ));
    bench.assert_nothing_is_left();
}
