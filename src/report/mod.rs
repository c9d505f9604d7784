//! Consumers of a run's events, one file for each format.
//!
//! A report gets plain data and never reaches a driver.

pub mod comparison;
mod details;
mod github;
mod jsonl;
mod junit;
mod markdown;
mod markup;
mod pending;
pub mod policies;
#[cfg(test)]
mod tests;
mod text;
mod whole;

pub use github::Github;
pub use jsonl::Jsonl;
pub use junit::Junit;
pub use markdown::Markdown;
pub use pending::Pending;
use text::forced;
pub use text::{Style, Text};
pub use whole::WholeFile;

/// Something that consumes a run's events.
pub trait Report {
    /// Takes note of one event.
    fn consume(&mut self, event: &crate::run::Event);

    /// Writes what is still to be written.
    ///
    /// # Errors
    /// The first error of writing, now or earlier. Asked again, there is none.
    fn close(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
