//! The calls about backups.

mod align;
mod begin;
mod end;
mod server;
mod store;

pub(super) use begin::locked;
pub(super) use end::holds_the_domain;
