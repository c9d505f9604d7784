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

#[cfg(feature = "libvirt")]
mod real {
    use backup_tck::run::DriverChoice;

    use super::super::code;
    use super::*;

    const SCENARIO: &str = "scenarios/seed/checkpoint-on-raw-disk-refused.yaml";
    const SNAPSHOT: &str = "snapshots/seed/checkpoint-on-raw-disk-refused.snap";

    #[test]
    fn real_libvirt_records_what_its_expectations_allow() {
        if let Some(reason) = DriverChoice::Embed.unavailable() {
            eprintln!("not tested: {reason}");
            return;
        }
        let copy = Copy::new();
        let recorded = copy.read(SNAPSHOT);
        copy.edit(SNAPSHOT, "domain 10 QEMU", "domain 20 DOMAIN");

        // A difference leaves a pending file and nothing else.
        let run = ["run", "raw", "--driver", "embed"];
        assert_eq!(code(backup_tck().args(run).current_dir(&copy.0)), 1);
        assert_eq!(copy.read(&format!("{SNAPSHOT}.new")), recorded);

        // A scenario that does not hold is not recorded.
        copy.edit(SCENARIO, "fix-request", "treat-as-done");
        assert_eq!(
            code(backup_tck().args(["bless", "raw"]).current_dir(&copy.0)),
            1
        );
        assert_ne!(copy.read(SNAPSHOT), recorded);

        copy.edit(SCENARIO, "treat-as-done", "fix-request");
        assert_eq!(
            code(backup_tck().args(["bless", "raw"]).current_dir(&copy.0)),
            0
        );
        assert_eq!(copy.read(SNAPSHOT), recorded);
        assert!(!copy.exists(&format!("{SNAPSHOT}.new")));
    }
}
