//! Snapshot files: their head, their pending siblings, and who may write them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::model::{Identity, Version};

/// The series of libvirt whose answers snapshots hold.
pub const REFERENCE: Version = Version::new(11, 3, 0);

const FENCE: &str = "---\n";

/// A snapshot cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}")]
pub struct SnapshotError {
    path: PathBuf,
    source: io::Error,
}

/// Whether a driver's answers may become snapshots: only real libvirt of the reference series.
#[must_use]
pub const fn may_record(identity: &Identity) -> bool {
    identity.real && identity.libvirt.same_series(REFERENCE)
}

/// The file that holds a difference until a person looks at it.
#[must_use]
pub fn pending_path(snapshot: &Path) -> PathBuf {
    let mut path = snapshot.as_os_str().to_owned();
    path.push(".new");
    PathBuf::from(path)
}

/// Leaves `text` beside the snapshot for review.
pub fn write_pending(
    snapshot: &Path,
    source: &str,
    identity: &Identity,
    text: &str,
) -> Result<(), SnapshotError> {
    write(&pending_path(snapshot), source, identity, text)
}

/// Records `text` as the snapshot, and drops a pending file.
pub fn record(
    snapshot: &Path,
    source: &str,
    identity: &Identity,
    text: &str,
) -> Result<(), SnapshotError> {
    write(snapshot, source, identity, text)?;
    let path = pending_path(snapshot);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(SnapshotError { path, source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a sibling first and renames it, so that a full disk never leaves half a snapshot.
fn write(path: &Path, source: &str, identity: &Identity, text: &str) -> Result<(), SnapshotError> {
    let Identity { libvirt, qemu, .. } = identity;
    let head = format!("source: {source}\ninfo: recorded on libvirt {libvirt}, QEMU {qemu}\n");
    let text = format!("{FENCE}{head}{FENCE}{}\n", text.trim_end());
    let write = || {
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.as_file()
                .set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| SnapshotError {
        path: path.to_owned(),
        source,
    })
}

/// What stands below the head; `None` where there is no head.
pub(super) fn body(file: &str) -> Option<&str> {
    let (_, body) = file.strip_prefix(FENCE)?.split_once("\n---\n")?;
    Some(body.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(real: bool, libvirt: Version) -> Identity {
        Identity {
            driver: "x".to_owned(),
            real,
            libvirt,
            qemu: "10.0.2".to_owned(),
        }
    }

    #[test]
    fn only_real_libvirt_of_the_reference_series_records() {
        assert!(may_record(&identity(true, Version::new(11, 3, 1))));
        assert!(!may_record(&identity(true, Version::new(12, 8, 0))));
        assert!(!may_record(&identity(false, REFERENCE)));
    }

    #[test]
    fn recording_drops_the_pending_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("area/case.snap");
        let who = identity(true, REFERENCE);
        write_pending(&path, "scenarios/area/case.yaml", &who, "text").unwrap();
        assert!(pending_path(&path).exists());
        record(&path, "scenarios/area/case.yaml", &who, "text\n\n").unwrap();
        assert!(!pending_path(&path).exists());
        let written = fs::read_to_string(&path).unwrap();
        let head = "---\nsource: scenarios/area/case.yaml\ninfo: recorded on libvirt 11.3.0, QEMU 10.0.2\n---\n";
        assert_eq!(written, format!("{head}text\n"));
        assert_eq!(body(&written), Some("text"));
    }
}
