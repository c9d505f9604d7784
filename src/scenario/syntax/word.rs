//! Words with a meaning of their own: sizes, versions, names, bytes.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::model::{ErrorCode, ErrorDomain, Size, Version};

/// A value that the file writes as one word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Word<T>(pub T);

/// How a value is written as one word.
pub trait Vocabulary: Sized {
    /// The name of its definition in the JSON Schema.
    const DEFINITION: &'static str;

    /// True where digits alone are a word too, which YAML takes for a number.
    const NUMERIC: bool = false;

    /// Reads the word.
    ///
    /// # Errors
    /// What is wrong, so that it can stand behind "`WORD`: ".
    fn read(text: &str) -> Result<Self, String>;

    /// Writes the word.
    fn write(&self) -> String;

    /// What an editor needs to know.
    fn schema() -> Schema;
}

impl<T> Deref for Word<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Vocabulary> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.write();
        match text.parse::<u64>() {
            Ok(number) if T::NUMERIC => serializer.serialize_u64(number),
            Ok(_) | Err(_) => serializer.serialize_str(&text),
        }
    }
}

impl<'de, T: Vocabulary> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(TextVisitor)?;
        T::read(&text).map(Self).map_err(D::Error::custom)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

impl<T: Vocabulary> JsonSchema for Word<T> {
    fn schema_name() -> Cow<'static, str> {
        T::DEFINITION.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}

/// What is wrong with a word of the definition of this name; `None` where nothing is, or where the
/// definition is not that of a word.
pub(in crate::scenario) fn refusal(definition: &str, text: &str) -> Option<String> {
    fn error<T: Vocabulary>(text: &str) -> Option<String> {
        T::read(text).err()
    }
    match definition {
        Size::DEFINITION => error::<Size>(text),
        Version::DEFINITION => error::<Version>(text),
        FileName::DEFINITION => error::<FileName>(text),
        TargetName::DEFINITION => error::<TargetName>(text),
        HexBytes::DEFINITION => error::<HexBytes>(text),
        _ => None,
    }
}

impl Vocabulary for Size {
    const DEFINITION: &'static str = "Size";
    const NUMERIC: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|error: crate::model::InvalidSize| error.to_string())
    }

    fn write(&self) -> String {
        self.to_string()
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "A number of bytes; K, M, G and T are binary multiples, as in qemu-img.",
            "type": ["string", "integer"],
            "pattern": "^[0-9]+[KMGT]?$",
            "minimum": 0,
            "examples": ["64K", "16M"],
        })
    }
}

impl Vocabulary for Version {
    const DEFINITION: &'static str = "Version";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|error: crate::model::InvalidVersion| error.to_string())
    }

    fn write(&self) -> String {
        self.to_string()
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "A version of libvirt, of two or three numbers.",
            "type": ["string", "number"],
            "pattern": "^[0-9]+\\.[0-9]+(\\.[0-9]+)?$",
            "examples": ["11.3.0"],
        })
    }
}

impl Vocabulary for ErrorCode {
    const DEFINITION: &'static str = "ErrorCode";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|error: crate::model::UnknownName| error.to_string())
    }

    fn write(&self) -> String {
        self.name().unwrap_or_default().to_owned()
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "A virErrorNumber by its name in virterror.h.",
            "type": "string",
            "enum": Self::names().collect::<Vec<_>>(),
        })
    }
}

impl Vocabulary for ErrorDomain {
    const DEFINITION: &'static str = "ErrorDomain";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|error: crate::model::UnknownName| error.to_string())
    }

    fn write(&self) -> String {
        self.name().unwrap_or_default().to_owned()
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "A virErrorDomain by its name in virterror.h.",
            "type": "string",
            "enum": Self::names().collect::<Vec<_>>(),
        })
    }
}

/// A file below the scenario's own directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileName(pub String);

impl Vocabulary for FileName {
    const DEFINITION: &'static str = "FileName";

    fn read(text: &str) -> Result<Self, String> {
        let is_plain = |part: &str| !["", ".", ".."].contains(&part) && !part.contains('\0');
        if text.split('/').all(is_plain) {
            return Ok(Self(text.to_owned()));
        }
        Err("not a file below the scenario's own directory: write a name without a leading `/`, without `.` and `..`".to_owned())
    }

    fn write(&self) -> String {
        self.0.clone()
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "A file below the scenario's own directory, such as `full.qcow2`.",
            "type": "string",
            "pattern": "^[^/]+(/[^/]+)*$",
        })
    }
}

/// The target device of a disk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TargetName(pub String);

impl Vocabulary for TargetName {
    const DEFINITION: &'static str = "TargetName";

    fn read(text: &str) -> Result<Self, String> {
        // It becomes a part of a file's path and of an XML document.
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !text.is_empty() && text.chars().all(plain) {
            return Ok(Self(text.to_owned()));
        }
        Err(
            "not the target device of a disk: write small letters and digits, such as vda or sdb"
                .to_owned(),
        )
    }

    fn write(&self) -> String {
        self.0.clone()
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "The target device of a disk, such as `vda`.",
            "type": "string",
            "pattern": "^[a-z0-9]+$",
        })
    }
}

/// Bytes, as hexadecimal digits in pairs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HexBytes(pub Vec<u8>);

impl Vocabulary for HexBytes {
    const DEFINITION: &'static str = "HexBytes";

    fn read(text: &str) -> Result<Self, String> {
        let byte = |pair: &str| {
            let digits = pair.len() == 2 && pair.bytes().all(|c| c.is_ascii_hexdigit());
            u8::from_str_radix(pair, 16).ok().filter(|_| digits)
        };
        let bytes: Option<Vec<u8>> = text.split_whitespace().map(byte).collect();
        match bytes {
            Some(bytes) if !bytes.is_empty() => Ok(Self(bytes)),
            Some(_) | None => Err(
                "not bytes: write pairs of hexadecimal digits with blanks between them, such as \"00 00 00 03\""
                    .to_owned(),
            ),
        }
    }

    fn write(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(" ")
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "Bytes, as pairs of hexadecimal digits with blanks between them.",
            "type": "string",
            "pattern": "^[0-9a-fA-F]{2}( +[0-9a-fA-F]{2})*$",
            "examples": ["00 00 00 03"],
        })
    }
}
