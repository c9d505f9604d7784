//! Machines that share the work.

use super::suite::Copy;
use super::{backup_tck, code, told};

#[test]
fn every_scenario_runs_on_exactly_one_of_four() {
    let copy = Copy::new();
    let mut ran = Vec::new();
    for part in 1..=4 {
        let partition = format!("hash:{part}/4");
        let mut command = backup_tck();
        command.args(["run", "--partition", &partition]);
        let text = told(command.current_dir(&copy.0));
        let passed = text.lines().filter(|line| line.starts_with("passed"));
        ran.extend(passed.map(str::to_owned));
    }
    assert_eq!(ran.len(), 2, "{ran:?}");
    assert_ne!(ran[0], ran[1]);
}

#[test]
fn an_empty_part_is_5_and_told() {
    let copy = Copy::new();
    let mut command = backup_tck();
    command.args(["run", "--partition", "hash:1/4"]);
    insta::assert_snapshot!(told(command.current_dir(&copy.0)));
}

#[test]
fn what_is_no_partition_is_wrong_usage() {
    insta::assert_snapshot!(told(backup_tck().args(["run", "--partition", "hash:5/4"])));
    for partition in ["hash:0/4", "1/4", "hash:1", "hash:1/0"] {
        assert_eq!(
            code(backup_tck().args(["run", "--partition", partition])),
            2,
            "{partition}"
        );
    }
}
