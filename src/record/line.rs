//! The lines of a record: a head, then the run's events in the order they came.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use crate::run::Event;

/// The version of the lines that this build writes, and the only one it reads.
pub const FORMAT: u32 = 1;

/// The first line: what the others are, and who wrote them. Who answered is told by the event
/// `identified`, as soon as it is known.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Head {
    /// [`FORMAT`] of the build that wrote it.
    pub format: u32,
    /// Always `backup-tck`.
    pub tool: String,
    /// The version of the tool.
    pub version: String,
    /// The driver's name, as `--driver` takes it.
    pub driver: String,
}

impl Head {
    /// The value of [`Head::tool`].
    pub const TOOL: &str = env!("CARGO_PKG_NAME");

    /// The head that this build writes.
    #[must_use]
    pub fn of(driver: &str) -> Self {
        Self {
            format: FORMAT,
            tool: Self::TOOL.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            driver: driver.to_owned(),
        }
    }
}

/// One line.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(untagged)]
pub enum Line<'a> {
    /// The first one.
    Head(Head),
    /// Any other.
    Event(&'a Event),
}

impl Line<'_> {
    /// The JSON Schema of every line, as it is committed beside the reports.
    #[must_use]
    pub fn schema() -> String {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let mut schema = settings.into_generator().into_root_schema_for::<Line>();
        schema.insert("title".to_owned(), "A line of a recorded run".into());
        format!("{:#}\n", schema.as_value())
    }
}
