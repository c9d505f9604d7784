//! The one pause between two looks at what nothing tells of.

use std::thread;
use std::time::Duration;

/// Long enough to leave the processor to whoever is waited for, short enough to be no wait.
const PAUSE: Duration = Duration::from_millis(10);

/// Lets a little time pass before the next look.
#[expect(
    clippy::disallowed_methods,
    reason = "a socket to appear, another process's child to end, an image's lock, libvirt's view \
              of a domain: none of them can be waited for"
)]
pub(super) fn pause() {
    thread::sleep(PAUSE);
}
