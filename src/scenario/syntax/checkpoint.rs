//! The steps about checkpoints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Spanned;

/// A checkpoint document, as intent.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CheckpointCreate {
    /// Its name; the bitmaps bear the same.
    pub name: Spanned<String>,
    /// Its description.
    pub description: Option<String>,
    /// The disks that get a bitmap; without the key libvirt chooses.
    pub disks: Option<Vec<Spanned<String>>>,
    /// Freeze the guest's file systems (`VIR_DOMAIN_CHECKPOINT_CREATE_QUIESCE`).
    #[serde(default)]
    pub quiesce: bool,
}

/// Dumps a checkpoint's XML and keeps it under a label.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CheckpointDump {
    /// Name of the checkpoint.
    pub name: Spanned<String>,
    /// Leave the nested `<domain>` out (`VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN`).
    #[serde(default)]
    pub no_domain: bool,
    /// Tell how much was written since (`VIR_DOMAIN_CHECKPOINT_XML_SIZE`).
    #[serde(default)]
    pub size: bool,
    /// Include what is secret (`VIR_DOMAIN_CHECKPOINT_XML_SECURE`).
    #[serde(default)]
    pub secure: bool,
    /// The label that a later `checkpoint-redefine` names.
    #[serde(rename = "as")]
    pub label: Spanned<String>,
}

/// Redefines a checkpoint from an earlier dump.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CheckpointRedefine {
    /// Label of the dump.
    pub from: Spanned<String>,
    /// Also check the bitmaps (`VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE`, since 6.10).
    #[serde(default)]
    pub validate: bool,
    /// Changes to the dumped text, made one after the other before it is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edit: Vec<Edit>,
}

/// Removes the file in which libvirt stores a checkpoint.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RemoveMetadata {
    /// Name of the checkpoint.
    pub name: Spanned<String>,
}

/// Changes that file.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EditMetadata {
    /// Name of the checkpoint.
    pub name: Spanned<String>,
    /// Changes to the text of the file, made one after the other.
    pub edit: Vec<Edit>,
}

/// One change to a text.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Edit {
    /// The text that is replaced, everywhere; it must be there.
    pub replace: Spanned<String>,
    /// What stands there instead.
    #[serde(rename = "with")]
    pub by: String,
}

/// Deletes a checkpoint.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CheckpointDelete {
    /// Name of the checkpoint.
    pub name: Spanned<String>,
    /// Only libvirt's metadata, not the bitmaps (`VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY`).
    #[serde(default)]
    pub metadata_only: bool,
    /// Its descendants too (`VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN`).
    #[serde(default)]
    pub children: bool,
    /// Its descendants, and not itself (`VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY`).
    #[serde(default)]
    pub children_only: bool,
}
