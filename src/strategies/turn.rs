//! What can happen.

/// One step of a history. Disks are numbered from 0, checkpoints by the order of their creation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Turn {
    /// The domain is started.
    Start,
    /// The domain is destroyed; QEMU closes its images cleanly.
    Destroy,
    /// QEMU is killed.
    Kill,
    /// The guest writes 64 KiB at a multiple of that.
    Write {
        /// Which disk.
        disk: usize,
        /// Which 64 KiB of it.
        block: u8,
        /// With which byte.
        fill: u8,
    },
    /// A checkpoint on these disks.
    Checkpoint {
        /// Its number.
        checkpoint: u32,
        /// The disks with a bitmap of it.
        disks: Vec<usize>,
    },
    /// A backup of these disks that is brought to its end.
    Backup {
        /// Whether the client moves the data.
        is_pull: bool,
        /// The checkpoint it is based on; a full one without.
        base: Option<u32>,
        /// The disks.
        disks: Vec<usize>,
        /// The checkpoint that is created with it, on those of the disks that can have one.
        checkpoint: Option<u32>,
    },
    /// A checkpoint is deleted, alone.
    Delete {
        /// Its number.
        checkpoint: u32,
        /// Its metadata only.
        metadata_only: bool,
    },
    /// Its XML is kept.
    Dump {
        /// Its number.
        checkpoint: u32,
    },
    /// `qemu-img bitmap --remove`, while the domain is shut off.
    RemoveBitmap {
        /// Which disk.
        disk: usize,
        /// The bitmap of which checkpoint.
        checkpoint: u32,
    },
    /// `qemu-img bitmap --disable`, while the domain is shut off.
    DisableBitmap {
        /// Which disk.
        disk: usize,
        /// The bitmap of which checkpoint.
        checkpoint: u32,
    },
    /// The image is made anew.
    Recreate {
        /// Which disk.
        disk: usize,
    },
    /// The domain is undefined with all metadata, and defined again.
    LoseMetadata,
}

/// The call under test: whatever a client may ask, sensible or not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Attempt {
    /// `virDomainBackupBegin`.
    Backup {
        /// Whether the client moves the data.
        is_pull: bool,
        /// The checkpoint it is based on, which need not be there.
        base: Option<u32>,
        /// The disks.
        disks: Vec<usize>,
        /// The checkpoint that is created with it; its name may be taken.
        checkpoint: Option<u32>,
    },
    /// `virDomainCheckpointCreateXML`.
    Checkpoint {
        /// Its number; its name may be taken.
        checkpoint: u32,
        /// The disks with a bitmap of it.
        disks: Vec<usize>,
    },
    /// `virDomainCheckpointDelete`.
    Delete {
        /// Its number; it need not be there.
        checkpoint: u32,
        /// With its descendants.
        children: bool,
        /// Its metadata only.
        metadata_only: bool,
    },
    /// `virDomainCheckpointCreateXML` with a kept document.
    Redefine {
        /// Its number.
        checkpoint: u32,
        /// Whether its bitmaps are checked.
        validate: bool,
    },
    /// `virDomainCheckpointGetXMLDesc` with `VIR_DOMAIN_CHECKPOINT_XML_SIZE`.
    Size {
        /// Its number; it need not be there.
        checkpoint: u32,
    },
    /// `virDomainAbortJob`.
    Abort,
}
