//! `schema`: the language for editors and for readers.

use clap::Args;

use super::exit_code::ExitCode;
use super::output::{fail, print};
use crate::scenario::{editor_schema, reference};

#[derive(Args, Debug)]
pub(super) struct SchemaArgs {
    /// The reference of the language as Markdown, not the JSON Schema
    #[arg(long)]
    reference: bool,
}

pub(super) fn execute(args: &SchemaArgs) -> Result<ExitCode, ExitCode> {
    if args.reference {
        return Ok(print(&reference()));
    }
    match serde_json::to_string_pretty(&editor_schema()) {
        Ok(text) => Ok(print(&(text + "\n"))),
        Err(error) => Err(fail(ExitCode::Broken, &error.to_string())),
    }
}
