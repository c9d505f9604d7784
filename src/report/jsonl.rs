//! The run as lines of JSON, each written as its event happens.
//!
//! The lines are those of a recorded run; `events.schema.json` describes them.

use std::io::{self, Write};

use super::Report;
use crate::record::{Head, Line};
use crate::run::Event;

/// Writes a run as JSON Lines.
#[derive(Debug)]
pub struct Jsonl<W> {
    out: W,
    /// The first error of writing. Nothing is written after it: half a line must be the last.
    broken: Option<io::Error>,
}

impl<W: Write> Jsonl<W> {
    /// Writes to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, broken: None }
    }

    fn line(&mut self, line: &Line<'_>) {
        if self.broken.is_none() {
            self.broken = self.write(line).err();
        }
    }

    fn write(&mut self, line: &Line<'_>) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.out.write_all(&text)?;
        self.out.flush()
    }
}

impl<W: Write> Report for Jsonl<W> {
    fn consume(&mut self, event: &Event) {
        if let Event::Started { driver, .. } = event {
            self.line(&Line::Head(Head::of(driver)));
        }
        self.line(&Line::Event(event));
    }

    fn close(&mut self) -> io::Result<()> {
        self.broken.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::assert_schema;

    #[test]
    fn the_committed_schema_is_that_of_the_types() {
        assert_schema("src/report/events.schema.json", &Line::schema());
    }
}
