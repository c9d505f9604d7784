//! Damage to the bytes of a closed image.

use std::fs;

use super::files;
use crate::driver::DriverError;
use crate::model::{Damage, ImageRef};
use crate::qcow2;

/// Damages an image. The file is put in its place as a whole, so that whoever opens it sees all of
/// the change or nothing.
pub(super) fn damage(image: &ImageRef, damage: &Damage) -> Result<(), DriverError> {
    let failed = |why: String| DriverError::Failed(format!("cannot damage {}: {why}", image.path));
    let mut bytes = fs::read(&image.path).map_err(|error| failed(error.to_string()))?;
    let edits = qcow2::edits(&bytes, damage).map_err(|error| failed(error.to_string()))?;
    qcow2::apply(&mut bytes, &edits);
    files::replace(&image.path, &bytes)
}
