//! Facts and the decisions they come to.

mod arbitrary;
mod chain;
mod given;
mod table;
mod total;
