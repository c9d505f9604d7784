//! What a profile is made of.

use serde::Deserialize;

use super::rule::{Act, Rule};

/// What one product does about libvirt's backups when something is refused.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// Its name, in small letters.
    pub name: String,
    /// The product, and what of it the profile is about.
    pub about: String,
    /// Where the rules come from.
    pub sources: Vec<Source>,
    /// What the next backup is based on.
    #[serde(default)]
    pub base: Base,
    /// Whether it gives its checkpoints up when an image is restored or rolled back, of which libvirt
    /// tells nobody.
    #[serde(default)]
    pub binds_images: bool,
    /// What it does before each incremental backup.
    #[serde(default)]
    pub before_incremental: Vec<Act>,
    /// What it does after a refusal: the first rule that fits. The last one fits always.
    pub rules: Vec<Rule>,
}

/// A file of a product, and what it says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// The repository, as `owner/name`.
    pub repository: String,
    /// The file in it.
    pub file: String,
    /// What it says.
    pub says: String,
    /// What limits that: the version that was read, or what is not executed here.
    #[serde(default)]
    pub note: Option<String>,
}

/// What a client takes for the base of its next incremental backup.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// The checkpoint of its own last good backup.
    #[default]
    Records,
    /// The newest checkpoint that libvirt lists.
    Newest,
}
