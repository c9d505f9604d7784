//! The boundary between this project and whatever answers libvirt calls.
//!
//! Two traits: [`Libvirt`] sits at libvirt's API surface (XML text and flags go in; XML text,
//! names or a libvirt error come out), [`Host`] does what no libvirt call does (images, guest
//! writes, reading data back). [`mock`] implements them over the pure `world`, `libvirt` (with
//! the cargo feature of that name) over the real thing. A driver formats no output and judges
//! nothing.

mod error;
#[cfg(feature = "libvirt")]
pub mod libvirt;
#[cfg(feature = "kit")]
mod local_uri;
pub mod mock;
mod traits;

pub use error::{Crash, DriverError};
#[cfg(feature = "kit")]
pub use local_uri::{LocalUri, UriProblem};
pub use traits::{Driver, Host, Libvirt};

/// Name of the file that a run puts into its directory before anything else, and by which it is
/// known for a run's. Its text is the number of the run's process.
#[cfg(feature = "kit")]
pub(crate) const RUN_MARK: &str = "backup-tck.pid";
