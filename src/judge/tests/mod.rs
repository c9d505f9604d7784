//! Facts and the decisions they come to.

mod arbitrary;
mod chain;
mod clean_up;
mod given;
mod table;
mod total;
