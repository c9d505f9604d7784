//! Snapshots: the data of a domain's disks, kept inside their images or below new top layers.

use super::host::{defined, impossible};
use super::{Impossible, World};
use crate::model::Content;

/// A snapshot of a domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    /// The one that was current when it was taken.
    pub parent: Option<String>,
    /// The domain ran, or was paused, then.
    pub was_active: bool,
    /// The disks that take part.
    pub disks: Vec<SnapshotDisk>,
}

/// A disk of a snapshot.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SnapshotDisk {
    /// Target device.
    pub disk: String,
    /// The layer that was put on top; `None` where the data is kept inside the image.
    pub overlay: Option<String>,
    /// What is kept inside the image.
    pub content: Option<Content>,
}

impl Snapshot {
    /// Whether it keeps data below a new layer.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.disks.iter().any(|disk| disk.overlay.is_some())
    }
}

impl World {
    /// Takes note of a new snapshot, which becomes current.
    pub fn note_snapshot(
        &mut self,
        name: &str,
        snapshot: &str,
        mut disks: Vec<SnapshotDisk>,
    ) -> Result<(), Impossible> {
        for disk in disks.iter_mut().filter(|disk| disk.overlay.is_none()) {
            let domain = defined(&mut self.domains, name)?;
            let index = domain.disk_index(&disk.disk);
            let source = index.map(|index| domain.disks[index].source.clone());
            disk.content = source.and_then(|source| self.content(&source));
        }
        let domain = defined(&mut self.domains, name)?;
        let taken = Snapshot {
            parent: domain.current_snapshot.take(),
            was_active: domain.active.is_some(),
            disks,
        };
        domain.snapshots.insert(snapshot.to_owned(), taken);
        domain.current_snapshot = Some(snapshot.to_owned());
        Ok(())
    }

    /// Deletes a snapshot: the layer that it has put on top is written into the one below it, and its
    /// file goes (`src/qemu/qemu_snapshot.c:qemuSnapshotDeleteExternal…`). A domain that is off is
    /// started for that, paused, and stopped again.
    pub fn delete_snapshot(&mut self, name: &str, snapshot: &str) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let Some(found) = domain.snapshots.get(snapshot).cloned() else {
            return impossible(format!("deleting the snapshot {snapshot}, which is none"));
        };
        let is_off = domain.active.is_none();
        let overlays: Vec<(String, String)> = found
            .disks
            .iter()
            .filter_map(|disk| Some((disk.disk.clone(), disk.overlay.clone()?)))
            .collect();
        if is_off && !overlays.is_empty() {
            self.start(name, true, false)?.map_err(Impossible)?;
        }
        for (disk, overlay) in &overlays {
            let domain = defined(&mut self.domains, name)?;
            let Some(index) = domain.disk_index(disk) else {
                return impossible(format!("deleting the snapshot of {disk}, which is gone"));
            };
            let source = domain.disks[index].source.clone();
            let layer = self.chain(&source).iter().position(|path| path == overlay);
            let Some(layer) = layer else {
                return impossible(format!("deleting the layer {overlay}, which is not one"));
            };
            self.commit(name, index, (layer, layer + 1))?;
            self.files.remove(overlay);
        }
        if is_off && !overlays.is_empty() {
            self.stop(name)?;
        }
        let domain = defined(&mut self.domains, name)?;
        domain.snapshots.remove(snapshot);
        if domain.current_snapshot.as_deref() == Some(snapshot) {
            domain.current_snapshot.clone_from(&found.parent);
        }
        for child in domain.snapshots.values_mut() {
            if child.parent.as_deref() == Some(snapshot) {
                child.parent.clone_from(&found.parent);
            }
        }
        Ok(())
    }

    /// Goes back to a snapshot that keeps its data below a new layer: that layer goes, and another one,
    /// named after the time, takes its place. It has no bitmaps. The domain is off then, as one whose
    /// memory was not kept (`src/qemu/qemu_snapshot.c:qemuSnapshotRevertExternalPrepare`).
    pub fn revert_to_layers(&mut self, name: &str, snapshot: &str) -> Result<(), Impossible> {
        self.stop(name)?;
        self.clock += 1;
        let seconds = self.clock;
        let domain = defined(&mut self.domains, name)?;
        let Some(found) = domain.snapshots.get(snapshot).cloned() else {
            return impossible(format!(
                "going back to the snapshot {snapshot}, which is none"
            ));
        };
        let mut disks = found.disks;
        for disk in &mut disks {
            let domain = defined(&mut self.domains, name)?;
            let (Some(index), Some(old)) = (domain.disk_index(&disk.disk), disk.overlay.clone())
            else {
                return impossible(format!("going back to a snapshot of {}", disk.disk));
            };
            let source = domain.disks[index].source.clone();
            let chain = self.chain(&source);
            let Some(layer) = chain.iter().position(|path| *path == old) else {
                return impossible(format!("going back below {old}, which is no layer"));
            };
            let (Some(below), 0) = (chain.get(layer + 1).cloned(), layer) else {
                return impossible("going back to a snapshot that has others on it");
            };
            let stem = below
                .rsplit_once('.')
                .map_or(below.as_str(), |(stem, _)| stem);
            let path = format!("{stem}.{seconds}");
            self.files.remove(&old);
            let domain = defined(&mut self.domains, name)?;
            domain.disks[index].source.clone_from(&below);
            self.put_overlays(name, &[(index, path.clone())])?;
            disk.overlay = Some(path);
        }
        let domain = defined(&mut self.domains, name)?;
        if let Some(found) = domain.snapshots.get_mut(snapshot) {
            found.disks = disks;
        }
        domain.current_snapshot = Some(snapshot.to_owned());
        Ok(())
    }

    /// Goes back to a snapshot inside the images, which have no bitmaps; the domain is then as it was
    /// (`src/qemu/qemu_snapshot.c:qemuSnapshotRevertActive`, `qemuSnapshotRevertInactive`).
    pub fn revert_inside(&mut self, name: &str, snapshot: &str) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        let Some(found) = domain.snapshots.get(snapshot).cloned() else {
            return impossible(format!(
                "going back to the snapshot {snapshot}, which is none"
            ));
        };
        if found.was_active != domain.active.is_some() {
            return impossible("going back to a snapshot of a domain in another state");
        }
        domain.current_snapshot = Some(snapshot.to_owned());
        for disk in found.disks {
            let domain = defined(&mut self.domains, name)?;
            let index = domain.disk_index(&disk.disk);
            let source = index.map(|index| domain.disks[index].source.clone());
            let image = source.and_then(|source| self.image_mut(&source));
            if let Some((image, content)) = image.zip(disk.content) {
                image.copy_from(&content, 0, content.size().bytes());
            }
        }
        Ok(())
    }
}
