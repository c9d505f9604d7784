//! Whether a scenario can be run at all: what it needs, and which versions it is about.

use super::{DriverChoice, Outcome};
use crate::model::Identity;
use crate::plan::{NotSupported, unsupported};
use crate::scenario::{Need, Scenario};

/// Why the scenario is not begun on this driver; `None` if it is.
pub(super) fn not_begun(driver: &DriverChoice, scenario: &Scenario) -> Option<Outcome> {
    let mut needs = scenario.needs.iter();
    let unmet = needs.find_map(|need| Some((need, driver.lacks(*need)?)));
    unmet.map(|(need, why)| Outcome::Skipped {
        reason: format!("it needs {}: {why}", need.as_str()),
    })
}

/// What no driver can do for the scenario yet; `None` if all can be done.
pub(super) fn not_supported(scenario: &Scenario) -> Option<Outcome> {
    let missing = unsupported(scenario);
    (!missing.is_empty()).then(|| Outcome::broken(&NotSupported { missing }))
}

/// Why the scenario is not about this libvirt; `None` if it is.
pub(super) fn not_about(identity: &Identity, scenario: &Scenario) -> Option<Outcome> {
    if scenario.applies_to(identity.libvirt) {
        return None;
    }
    let since = scenario.since.map(|version| format!("since {version}"));
    let until = scenario.until.map(|version| format!("until {version}"));
    let range: Vec<String> = since.into_iter().chain(until).collect();
    let reason = format!(
        "it applies {}, and this is libvirt {}",
        range.join(", "),
        identity.libvirt
    );
    Some(Outcome::Skipped { reason })
}

impl DriverChoice {
    /// Why this driver does not offer it here; `None` if it does.
    fn lacks(&self, need: Need) -> Option<&'static str> {
        match (need, self) {
            (Need::PrivateDaemon, Self::Mock(_) | Self::Embed | Self::Libvirtd)
            | (Need::Root | Need::Tls, Self::Mock(_)) => None,
            (Need::PrivateDaemon, Self::Uri(_)) => {
                Some("this daemon was there before; run it on `embed` or `libvirtd`")
            }
            (Need::Root, Self::Embed | Self::Libvirtd | Self::Uri(_)) => {
                (!is_root()).then_some("this process is not root; run it as root")
            }
            (Need::Tls, Self::Embed | Self::Libvirtd | Self::Uri(_)) => {
                Some("the driver has no certificates for libvirt")
            }
        }
    }
}

#[cfg(feature = "libvirt")]
fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[cfg(not(feature = "libvirt"))]
const fn is_root() -> bool {
    false
}
