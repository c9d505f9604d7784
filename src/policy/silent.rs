//! What libvirt refuses to nobody: an image was written while its bitmaps did not record.

use std::path::Path;

use super::outcome::{Outcome, Played};
use super::play::play;
use super::profile::Profile;
use super::table::Row;
use crate::driver::DriverError;
use crate::driver::mock::Mock;
use crate::model::{Api, Decision};
use crate::scenario::parse;

/// Its name in the table.
const NAME: &str = "silent/image-written-while-nothing-recorded";

/// A tool writes into the image of a domain that is off, and no bitmap takes note of it.
const STORY: &str = "format: 1
scenario: image-written-while-nothing-recorded
summary: An incremental backup that libvirt does not refuse.
disks:
  vda: { format: qcow2, size: 16M }
history:
  - start
  - guest-write: { disk: vda, offset: 0, length: 1M, pattern: 0xA1 }
  - backup-begin:
      mode: push
      disks:
        vda: { target: full.qcow2 }
      checkpoint: { name: c1, disks: [vda] }
  - await-backup
  - guest-write: { disk: vda, offset: 4M, length: 128K, pattern: 0xA2 }
  - destroy
  - bitmap-disable: { disk: vda, bitmap: c1 }
  - image-write: { disk: vda, offset: 10M, length: 64K, pattern: 0xB1 }
  - bitmap-enable: { disk: vda, bitmap: c1 }
  - start
when:
  backup-begin:
    mode: push
    incremental: c1
    disks:
      vda: { target: incremental.qcow2 }
    checkpoint: { name: c2, disks: [vda] }
then:
  result: ok
";

/// What comes of it for each profile. The judge is asked about refusals, and here is none.
pub(super) fn row(profiles: &[Profile]) -> Result<Row, DriverError> {
    // A client that knows of it takes a full backup, whatever libvirt says.
    const DECISION: Decision = Decision::FullBackupNewChain;

    let path = Path::new("image-written-while-nothing-recorded.yaml");
    let scenarios = parse(path, STORY);
    let scenarios = scenarios.map_err(|error| DriverError::Failed(error.to_string()))?;
    let mut mock = Mock::newest();
    let mut played = Vec::with_capacity(profiles.len() + 1);
    for profile in profiles {
        played.push(play(&mut mock, &scenarios[0], profile, DECISION)?);
    }
    played.push(Played {
        outcome: Outcome::NotCalled,
        debris: Vec::new(),
        steps: vec!["nothing is refused, so nothing is asked".to_owned()],
    });
    Ok(Row {
        scenario: NAME.to_owned(),
        api: Api::DomainBackupBegin,
        code: None,
        decision: DECISION,
        played,
    })
}
