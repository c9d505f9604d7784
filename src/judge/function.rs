//! The function that a client called.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::model::Api;

/// The function that a client called, by its name in C. One that this build does not know can be
/// asked about as well: many errors mean the same from every function.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "String", into = "String")]
pub enum Function {
    /// One that scenarios call.
    Known(Api),
    /// Any other.
    Other(String),
}

impl From<Api> for Function {
    fn from(api: Api) -> Self {
        Self::Known(api)
    }
}

impl From<String> for Function {
    fn from(name: String) -> Self {
        name.parse().map_or(Self::Other(name), Self::Known)
    }
}

impl From<Function> for String {
    fn from(function: Function) -> Self {
        function.to_string()
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(api) => api.fmt(f),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl JsonSchema for Function {
    fn schema_name() -> Cow<'static, str> {
        "Function".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let known: Vec<&str> = Api::ALL.iter().map(|api| api.as_str()).collect();
        json_schema!({
            "type": "string",
            "description": "The function that was called, by its name in C.",
            "examples": known,
        })
    }
}
