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

#[test]
fn help_teaches() {
    insta::assert_snapshot!("help", told(backup_tck().arg("--help")));
    insta::assert_snapshot!("help_run", told(backup_tck().args(["run", "--help"])));
    insta::assert_snapshot!("help_replay", told(backup_tck().args(["replay", "--help"])));
    insta::assert_snapshot!(
        "help_compare",
        told(backup_tck().args(["compare", "--help"]))
    );
    insta::assert_snapshot!("help_bless", told(backup_tck().args(["bless", "--help"])));
}

#[test]
fn everything_fits_into_80_columns() {
    for arguments in [
        &["--help"][..],
        &["run", "--help"],
        &["bless", "--help"],
        &["replay", "--help"],
        &["compare", "--help"],
        &["list"],
        &["run"],
    ] {
        for line in told(backup_tck().args(arguments)).lines() {
            assert!(line.chars().count() <= 80, "{arguments:?}: {line}");
        }
    }
}
