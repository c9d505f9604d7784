//! How to decide, in ten steps.

/// A step: what is done, and why it stands at this place.
pub(super) struct Step {
    pub(super) head: &'static str,
    pub(super) text: &'static str,
}

const fn step(head: &'static str, text: &'static str) -> Step {
    Step { head, text }
}

/// In this order; each may already decide.
pub(super) const STEPS: [Step; 10] = [
    step(
        "Book the attempt before the call.",
        "Write down the function, the documents, the flags, the name of the new checkpoint and the \
         files, and mark the checkpoint as *pending*. It is *verified* only when the backup's data \
         is. Save the XML of each checkpoint (`VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN` is enough) and \
         which image each disk had. Without these records several rules below cannot be told \
         apart.",
    ),
    step(
        "Look at code, error domain and function together, and at the message last.",
        "Code 1 and code 55 stand for many situations. The message is read only where a rule says \
         so; it changes between versions.",
    ),
    step(
        "Was the connection lost?",
        "Codes 1 and 38 with `VIR_FROM_RPC` come from the connection and not from the driver. \
         Connect again, and ask what has become of the call: the daemon may have done it.",
    ),
    step(
        "Is the request itself wrong?",
        "27, 29, 35, 67, 88, 92, 102, and 8 from the API layer: nothing in storage is damaged, and \
         the same call can never succeed. Change it, and call once.",
    ),
    step(
        "Is the domain in the right state?",
        "84 and 55 with a domain that is off: start it (paused is enough), or leave libvirt and read \
         the closed images. A domain that was restored from a saved state and is still paused must \
         be resumed first: on libvirt 11.3 its bitmaps are not loaded yet.",
    ),
    step(
        "Does another job hold the domain or the disk?",
        "68, 83, and 1 with a block job on a disk: wait for its end, and make the same call again. If \
         `virDomainBackupGetXMLDesc` answers while the job statistics show no job, that backup is \
         stuck: clear it before any other `virDomainBackupBegin`.",
    ),
    step(
        "What has the failed call left behind?",
        "After each refused or failed backup look for the new checkpoint and for a registered backup. \
         A checkpoint without a verified backup must go before the next incremental backup: used as \
         a base it gives a restore with a hole, and no error.",
    ),
    step(
        "103 and 109: how is the bitmap, disk by disk?",
        "Lost metadata over a good bitmap is redefined, with validation. Some disks bad: full for \
         those. A raw disk among them: it has no bitmaps, leave it out. All bad, and another checkpoint with a verified backup is good: incremental from \
         that one, older or newer. None good: a full backup begins a new chain, and the old one \
         stays until it is verified. Where the image was rolled back or replaced, a bitmap that \
         looks good is not: do not ask libvirt, take a full backup.",
    ),
    step(
        "1: ask before deciding, the cheapest question first.",
        "Block jobs, the new checkpoint's name among the bitmaps, the version of the image, files, \
         the server's socket or port, the metadata store. What answers is the situation.",
    ),
    step(
        "Nothing fits: keep everything and tell a person.",
        "Delete nothing. Then, whatever was decided: do the clean-up that is due `first`, carry the \
         decision out, restore and compare, and only then do what is due `after-verified-backup`.",
    ),
];
