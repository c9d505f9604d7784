//! What no error tells: libvirt takes the backup, and it does not hold what the guest had. Only
//! restored data shows it.

use std::path::Path;

use backup_tck::driver::Driver;
use backup_tck::run::{Extent, run_scenario};
use backup_tck::scenario::parse;

/// What is done between the full backup and the incremental one, and the claim that breaks.
pub(crate) const SILENT: [(&str, &str); 18] = [
    (
        "the bitmap was cleared",
        "  - bitmap-clear: { disk: vda, bitmap: c1 }\n",
    ),
    (
        "the bitmap was removed and made anew",
        "  - bitmap-remove: { disk: vda, bitmap: c1 }\n  - bitmap-add: { disk: vda, bitmap: c1 }\n",
    ),
    (
        "the same with another granularity",
        "  - bitmap-remove: { disk: vda, bitmap: c1 }\n  \
         - bitmap-add: { disk: vda, bitmap: c1, granularity: 4K }\n",
    ),
    (
        "it did not record while a tool wrote",
        "  - bitmap-disable: { disk: vda, bitmap: c1 }\n  \
         - image-write: { disk: vda, offset: 10M, length: 64K, pattern: 0xB1 }\n  \
         - bitmap-enable: { disk: vda, bitmap: c1 }\n",
    ),
    (
        "an empty bitmap has taken its name",
        "  - bitmap-add: { disk: vda, bitmap: c0 }\n  \
         - damage-bitmap: { disk: vda, bitmap: c1, kind: names-exchanged, other: c0 }\n",
    ),
    (
        "its table is that of an empty one",
        "  - bitmap-add: { disk: vda, bitmap: c0 }\n  \
         - damage-bitmap: { disk: vda, bitmap: c1, kind: table-offset-of-other, other: c0 }\n",
    ),
    (
        "one bit covers twice as much",
        "  - write-bytes: { disk: vda, anchor: entry, bitmap: c1, offset: 17, bytes: \"11\" }\n",
    ),
    (
        "one bit covers less than it did",
        "  - damage-bitmap: { disk: vda, bitmap: c1, kind: granularity-finer }\n",
    ),
    (
        "one bit covers far more than it did",
        "  - damage-bitmap: { disk: vda, bitmap: c1, kind: granularity-coarser }\n",
    ),
    (
        "its table lies beyond the end of the file",
        "  - damage-bitmap: { disk: vda, bitmap: c1, kind: table-offset-beyond-end }\n",
    ),
    (
        "its bits lie beyond the end of the file",
        "  - damage-bitmap: { disk: vda, bitmap: c1, kind: entry-beyond-end }\n",
    ),
    (
        "its table says that no bit is set",
        "  - damage-bitmap: { disk: vda, bitmap: c1, kind: entry-zeros }\n",
    ),
    (
        "its bits are bytes of the guest",
        "  - damage-bitmap: { disk: vda, bitmap: c1, kind: entry-in-guest-data }\n",
    ),
    (
        "its bits are zeroed",
        "  - damage-bitmap: { disk: vda, bitmap: c1, kind: data-zeros }\n",
    ),
    (
        "one byte of its bits is zeroed",
        "  - damage-bitmap: { disk: vda, bitmap: c1, kind: data-byte-cleared }\n",
    ),
    (
        "the layer was written before it got its bitmaps",
        "  - overlay-image: { disk: vda }\n  \
         - image-write: { disk: vda, offset: 10M, length: 64K, pattern: 0xB1 }\n  \
         - bitmap-add: { disk: vda, bitmap: c1 }\n",
    ),
    (
        "the layer below has lost it",
        "  - overlay-image: { disk: vda, bitmaps: true }\n  \
         - bitmap-remove: { disk: vda, bitmap: c1, layer: 1 }\n",
    ),
    ("nothing", ""),
];

/// An incremental backup from `c1`, which libvirt does not refuse, after this was done to the closed
/// image: the claims that do not hold.
pub(crate) fn broken_claims(driver: &mut dyn Driver, damage: &str) -> Vec<String> {
    let text = format!(
        "format: 1
scenario: silent
summary: An incremental backup that is not refused.
disks:
  vda: {{ format: qcow2, size: 16M }}
history:
  - start
  - guest-write: {{ disk: vda, offset: 0, length: 1M, pattern: 0xA1 }}
  - backup-begin:
      mode: push
      disks:
        vda: {{ target: full.qcow2 }}
      checkpoint: {{ name: c1, disks: [vda] }}
  - await-backup
  - guest-write: {{ disk: vda, offset: 4M, length: 128K, pattern: 0xA2 }}
  - destroy
{damage}  - start
when:
  backup-begin:
    mode: push
    incremental: c1
    disks:
      vda: {{ target: incremental.qcow2 }}
    checkpoint: {{ name: c2, disks: [vda] }}
then:
  result: ok
"
    );
    let scenarios = parse(Path::new("silent.yaml"), &text).unwrap();
    let identity = driver.identity().unwrap();
    let scenario = &scenarios[0];
    let ran = run_scenario(driver, &identity, "silent", scenario, Extent::Whole).unwrap();
    assert!(
        ran.transcript.when.unwrap().refusal().is_none(),
        "libvirt has said something"
    );
    let broken = ran.transcript.proof.into_iter().filter(|line| !line.holds);
    broken.map(|line| line.claim).collect()
}

/// Each damage breaks the restore, and nothing breaks where nothing was done.
pub(crate) fn assert_only_data_tells(driver: &mut dyn Driver) {
    for (what, damage) in SILENT {
        let expected: &[&str] = if damage.is_empty() {
            &[]
        } else {
            &["restore vda incremental"]
        };
        assert_eq!(broken_claims(driver, damage), expected, "{what}");
    }
}
