//! The calls about checkpoints, each in libvirt's order of checks.

mod align;
mod create;
mod delete;
mod look;
mod redefine;

pub(super) use create::{
    Prepared, active_of, bitmap_exists, prepare, require_block_jobs, require_free,
};
pub(super) use redefine::stored;
