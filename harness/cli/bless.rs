//! Recording is refused wherever it could record the wrong thing.

use super::suite::Copy;
use super::{backup_tck, told};

#[test]
fn the_mock_never_records() {
    let copy = Copy::new();
    insta::assert_snapshot!(told(
        backup_tck()
            .args(["bless", "--driver", "mock"])
            .current_dir(&copy.0)
    ));
}

#[test]
fn the_embedded_suite_cannot_be_recorded() {
    let elsewhere = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(told(backup_tck().arg("bless").current_dir(&elsewhere)));
}
