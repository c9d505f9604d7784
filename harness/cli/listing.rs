//! What the tool tells about itself and its suite.

use super::{backup_tck, told};

#[test]
fn list_tells_what_is_expected_and_why() {
    insta::assert_snapshot!(told(backup_tck().arg("list")));
}

#[test]
fn list_gives_names_to_scripts() {
    insta::assert_snapshot!(told(backup_tck().args(["list", "--names", "seed/"])));
}
