//! What the tool tells about itself and its suite.

use super::suite::Copy;
use super::{backup_tck, told};

#[test]
fn list_tells_what_is_expected_and_why() {
    let copy = Copy::new();
    insta::assert_snapshot!(told(backup_tck().arg("list").current_dir(&copy.0)));
}

#[test]
fn list_gives_names_to_scripts() {
    let copy = Copy::new();
    let mut command = backup_tck();
    command.args(["list", "--names", "seed/"]);
    insta::assert_snapshot!(told(command.current_dir(&copy.0)));
}
