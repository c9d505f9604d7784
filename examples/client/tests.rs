//! The client on the mock: every failure can be had at will.

use backup_tck::driver::Host;
use backup_tck::driver::mock::Mock;
use backup_tck::model::{
    Action, Api, Call, Content, Decision, DiskFormat, ImageRef, Observation, Size, Value,
};

use super::host::{client_of_the_mock, lose_bitmaps};
use super::{Client, Outcome};

fn client_with_a_full_backup() -> Client<Mock> {
    let mut client = client_of_the_mock().unwrap();
    write(&mut client, 0, 1);
    let outcome = client.back_up("monday").unwrap();
    assert!(matches!(outcome, Outcome::Done(name, None) if name == "monday"));
    client
}

fn write(client: &mut Client<Mock>, offset: u64, pattern: u8) {
    for disk in client.disks.keys() {
        let write = Action::GuestWrite {
            domain: client.domain.clone(),
            disk: disk.clone(),
            offset: Size(offset << 20),
            length: Size(1 << 20),
            pattern,
        };
        client.libvirt.act(&write).unwrap();
    }
}

fn checkpoints(client: &mut Client<Mock>) -> Vec<String> {
    let list = Call::new(Api::DomainListAllCheckpoints, &client.domain);
    let value = client.ask(&list).unwrap();
    let Value::Names(names) = value else {
        panic!("{value:?}")
    };
    names
}

fn content(client: &mut Client<Mock>, layers: Vec<ImageRef>) -> Content {
    let seen = client.libvirt.act(&Action::ReadChain { layers }).unwrap();
    let Observation::Content(content) = seen else {
        panic!("{seen:?}")
    };
    content
}

/// What these backups, newest first, restore is what each disk holds.
fn assert_restores(client: &mut Client<Mock>, backups: &[&str]) {
    for (disk, image) in client.disks.clone() {
        let layer = |backup: &&str| ImageRef {
            path: format!("{}/{backup}-{disk}.qcow2", client.directory),
            format: DiskFormat::Qcow2,
        };
        let layers = backups.iter().map(layer).collect();
        assert_eq!(
            content(client, layers),
            content(client, vec![image]),
            "{disk}"
        );
    }
}

#[test]
fn an_incremental_backup_builds_on_the_full_one() {
    let mut client = client_with_a_full_backup();
    write(&mut client, 1, 2);
    let outcome = client.back_up("tuesday").unwrap();
    assert!(matches!(outcome, Outcome::Done(name, None) if name == "tuesday"));
    assert_eq!(client.records.verified_checkpoints, ["monday", "tuesday"]);
    assert_restores(&mut client, &["tuesday", "monday"]);
    // The first one alone lacks the second write, so it was the second that brought it.
    let (disk, image) = client.disks.clone().pop_first().unwrap();
    let monday = ImageRef {
        path: format!("{}/monday-{disk}.qcow2", client.directory),
        format: DiskFormat::Qcow2,
    };
    assert_ne!(
        content(&mut client, vec![monday]),
        content(&mut client, vec![image])
    );
}

#[test]
fn lost_bitmaps_begin_a_new_chain_and_the_old_one_goes_last() {
    let mut client = client_with_a_full_backup();
    lose_bitmaps(&mut client, "monday").unwrap();
    write(&mut client, 1, 2);
    let outcome = client.back_up("tuesday").unwrap();
    let Outcome::Done(name, Some(decided)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(decided.decision, Decision::FullBackupNewChain);
    assert_eq!(
        decided.detail.clean_up[0].to_string(),
        "drop-checkpoint-metadata monday"
    );
    assert_eq!(checkpoints(&mut client), [name.as_str()]);
    assert_restores(&mut client, &[&name]);
    // The new chain serves.
    write(&mut client, 2, 3);
    let outcome = client.back_up("wednesday").unwrap();
    assert!(matches!(outcome, Outcome::Done(_, None)), "{outcome:?}");
    assert_restores(&mut client, &["wednesday", &name]);
}

#[test]
fn without_a_new_backup_nothing_of_the_old_chain_goes() {
    let mut client = client_with_a_full_backup();
    lose_bitmaps(&mut client, "monday").unwrap();
    let path = format!("{}/tuesday-full-vda.qcow2", client.directory);
    client.libvirt.act(&Action::MakeFile { path }).unwrap();
    let outcome = client.back_up("tuesday").unwrap();
    let Outcome::Left(decided) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(decided.decision, Decision::FixRequest);
    assert_eq!(checkpoints(&mut client), ["monday"]);
    assert_eq!(client.records.verified_checkpoints, ["monday"]);
}

#[test]
fn a_target_that_exists_is_for_the_caller_and_nothing_is_deleted() {
    let mut client = client_with_a_full_backup();
    let path = format!("{}/tuesday-vdb.qcow2", client.directory);
    client
        .libvirt
        .act(&Action::MakeFile { path: path.clone() })
        .unwrap();
    let outcome = client.back_up("tuesday").unwrap();
    let Outcome::Left(decided) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(decided.decision, Decision::FixRequest);
    assert_eq!(checkpoints(&mut client), ["monday"]);
    let find = Action::FindFiles {
        paths: vec![path.clone()],
    };
    assert_eq!(
        client.libvirt.act(&find).unwrap(),
        Observation::Files(vec![path])
    );
    // Nor is the chain of less use than before.
    let outcome = client.back_up("wednesday").unwrap();
    assert!(matches!(outcome, Outcome::Done(_, None)), "{outcome:?}");
    assert_restores(&mut client, &["wednesday", "monday"]);
}

#[test]
fn what_only_an_operator_can_do_is_returned() {
    let mut client = client_with_a_full_backup();
    let off = Call::new(Api::DomainDestroy, &client.domain);
    client.ask(&off).unwrap();
    let outcome = client.back_up("tuesday").unwrap();
    let Outcome::Left(decided) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(decided.decision, Decision::ChangeDomainStateThenRetry);
    assert_eq!(checkpoints(&mut client), ["monday"]);
}
