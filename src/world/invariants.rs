//! What always holds, whatever happens to the simulated host.

use std::collections::BTreeSet;

use super::{Active, Domain, World};

impl World {
    /// What does not hold though it always should, in words; empty unless the model has a defect.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = BTreeSet::new();
        for (name, domain) in &self.domains {
            found.extend(tree(domain).map(|text| format!("{name}: {text}")));
            for path in self.opened_by(domain) {
                if self.image(&path).is_none() {
                    found.push(format!("{name} has {path} open, which is no image"));
                }
                if !open.insert(path.clone()) {
                    found.push(format!("{path} is open twice"));
                }
            }
            if let Some(active) = &domain.active {
                found.extend(
                    self.memory(domain, active)
                        .map(|text| format!("{name}: {text}")),
                );
            }
        }
        found
    }

    /// The bitmaps in memory against those on disk.
    fn memory<'a>(
        &'a self,
        domain: &'a Domain,
        active: &'a Active,
    ) -> impl Iterator<Item = String> + 'a {
        let disks = domain.disks.iter().zip(&active.bitmaps);
        disks.flat_map(move |(disk, layers)| {
            let image = self.image(&disk.source);
            let top = layers.iter().take(1).flatten();
            top.filter_map(move |(name, bitmap)| {
                let image = image?;
                let on_disk = image.stored.get(name);
                let target = &disk.target;
                if bitmap.dirty.size() != image.content.size() {
                    return Some(format!("the bitmap {name} of {target} has another size"));
                }
                // What QEMU has loaded is in use until it is closed.
                let is_loaded = !active.inactive_images && bitmap.persistent;
                on_disk
                    .filter(|stored| is_loaded && !stored.inconsistent)
                    .map(|_| format!("the bitmap {name} of {target} is loaded and not in use"))
            })
        })
    }
}

/// The tree of checkpoints: what is current is there, and nobody is its own ancestor.
fn tree(domain: &Domain) -> impl Iterator<Item = String> + '_ {
    let checkpoints = &domain.checkpoints;
    let current = checkpoints
        .current()
        .filter(|current| checkpoints.get(current).is_none())
        .map(|current| format!("{current} is current and not there"));
    let circles = checkpoints
        .names()
        .filter(|name| {
            checkpoints
                .ancestors(name)
                .any(|ancestor| ancestor == *name)
        })
        .map(|name| format!("{name} is its own ancestor"));
    current.into_iter().chain(circles)
}
