//! The calls about backups.

mod align;
mod begin;
mod end;
