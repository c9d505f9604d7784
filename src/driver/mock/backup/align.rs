//! What a backup document asks of a domain's disks
//! (`src/conf/backup_conf.c:virDomainBackupAlignDisks`).

use crate::driver::mock::answer::{Ruled, refuse};
use crate::driver::mock::intake::{BackupDiskElement, BackupDiskMode, BackupDocument};
use crate::driver::mock::version::Rules;
use crate::model::{DiskFormat, ErrorCode, ErrorDomain};
use crate::world::Domain;

/// A backup as the domain's disks have it.
pub(super) struct Aligned {
    /// All disks, those of the document first.
    pub(super) order: Vec<String>,
    /// The disks that take part, in that order.
    pub(super) selected: Vec<Selected>,
}

/// A disk that takes part in a backup.
pub(super) struct Selected {
    pub(super) index: usize,
    pub(super) target: String,
    /// `None` where libvirt makes up a name from the clock, or none at all.
    pub(super) store: Option<String>,
    /// Whether the document lists it.
    pub(super) is_listed: bool,
    /// Whether that is a block device and no file.
    pub(super) is_block: bool,
    pub(super) format: DiskFormat,
    pub(super) secret_usage: Option<String>,
    /// The checkpoint that its part is based on.
    pub(super) base: Option<String>,
    pub(super) export_name: Option<String>,
    pub(super) export_bitmap: Option<String>,
}

/// Aligns a document; `checkpoint` is the name of the checkpoint that is made with the backup,
/// which ends the names that libvirt makes up.
pub(super) fn align(
    domain: &Domain,
    document: BackupDocument,
    checkpoint: Option<&str>,
    rules: Rules,
) -> Ruled<Aligned> {
    let BackupDocument {
        incremental, disks, ..
    } = document;
    let incremental = incremental.as_deref();
    let all = disks.is_none();
    if domain.disks.is_empty() {
        return refused("domain must have at least one disk to perform backup");
    }
    let mut order: Vec<String> = Vec::new();
    let mut selected = Vec::new();
    for element in disks.unwrap_or_default() {
        let Some(index) = domain.disk_index(&element.name) else {
            return refused(&format!("no disk named '{}'", element.name));
        };
        if order.contains(&element.name) {
            return refused(&format!("disk '{}' specified twice", element.name));
        }
        order.push(element.name.clone());
        let says_incremental = element.backup && element.mode == Some(BackupDiskMode::Incremental);
        if says_incremental && element.incremental.is_none() && incremental.is_none() {
            return refused(&format!(
                "'incremental' backup mode of disk '{}' requires setting 'incremental' field for disk or backup",
                element.name
            ));
        }
        if element.backup && domain.disks[index].is_empty() {
            return refused(&format!("disk '{}' has no media", element.name));
        }
        if element.backup {
            let suffix = checkpoint.filter(|_| rules.names_file_of_listed);
            let selection = select(domain, index, element, incremental, suffix);
            selected.push(Selected {
                is_listed: true,
                ..selection
            });
        }
    }
    for (index, disk) in domain.disks.iter().enumerate() {
        if order.contains(&disk.target) {
            continue;
        }
        order.push(disk.target.clone());
        if all && !disk.is_empty() && !disk.read_only {
            let element = BackupDiskElement::plain(&disk.target);
            selected.push(select(domain, index, element, incremental, checkpoint));
        }
    }
    Ok(Aligned { order, selected })
}

fn select(
    domain: &Domain,
    index: usize,
    element: BackupDiskElement,
    incremental: Option<&str>,
    checkpoint: Option<&str>,
) -> Selected {
    let made_up = || Some(format!("{}.{}", domain.disks[index].source, checkpoint?));
    let base = match (element.mode, element.incremental) {
        (_, Some(own)) => Some(own),
        (Some(BackupDiskMode::Full), None) => None,
        (None | Some(BackupDiskMode::Incremental), None) => incremental.map(str::to_owned),
    };
    Selected {
        index,
        target: element.name,
        // What libvirt makes up is a file.
        is_block: element.is_block && element.store.is_some(),
        store: element.store.or_else(made_up),
        is_listed: false,
        format: element.format.unwrap_or(DiskFormat::Qcow2),
        secret_usage: element.secret_usage,
        base,
        export_name: element.export_name,
        export_bitmap: element.export_bitmap,
    }
}

fn refused<T>(text: &str) -> Ruled<T> {
    refuse(ErrorCode::CONFIG_UNSUPPORTED, ErrorDomain::DOMAIN, text)
}
