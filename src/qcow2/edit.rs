//! Changes to bytes that can be taken back.

/// Bytes that are overwritten, or put behind the end of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Edit {
    /// First byte, counted from the start of the file.
    pub offset: usize,
    /// What is there now; shorter than `new` where the file ends before.
    pub old: Vec<u8>,
    /// What will be there.
    pub new: Vec<u8>,
}

/// Makes the edits, one after the other.
pub fn apply(image: &mut Vec<u8>, edits: &[Edit]) {
    for edit in edits {
        put(image, edit.offset, edit.old.len(), &edit.new);
    }
}

/// Takes the edits back, the last one first.
pub fn undo(image: &mut Vec<u8>, edits: &[Edit]) {
    for edit in edits.iter().rev() {
        put(image, edit.offset, edit.new.len(), &edit.old);
    }
}

fn put(image: &mut Vec<u8>, offset: usize, length: usize, bytes: &[u8]) {
    let start = offset.min(image.len());
    let end = offset.saturating_add(length).min(image.len());
    image.splice(start..end, bytes.iter().copied());
}
