//! The calls about backups.

mod align;
mod begin;
mod end;
mod server;
mod store;
