//! Which libvirt URIs may be a driver: those of the QEMU driver on this machine.
//!
//! The images of a scenario are made, read and damaged as files of this machine, so a libvirt
//! elsewhere could not use them. The parts of a URI are those of libvirt's `docs/uri.rst`.

use std::fmt;

/// A URI that leads to the QEMU driver of a daemon on this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalUri(String);

/// Why a URI cannot be a driver.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UriProblem {
    /// It leads to another machine, or might.
    #[error(
        "it leads to another machine, and a scenario needs its images on the same: run backup-tck \
         there, with the URI that is local there, such as qemu:///system"
    )]
    Remote,
    /// It is another hypervisor's.
    #[error("only libvirt's QEMU driver makes backups: give a URI such as qemu:///system")]
    Hypervisor,
    /// It has no such path.
    #[error("its path must be /system or /session: give a URI such as qemu:///system")]
    Path,
    /// A root without a daemon has its own driver.
    #[error("for libvirt without a daemon, in a root of its own, say: --driver embed")]
    Embed,
}

impl LocalUri {
    /// Whether a text is meant as a URI at all.
    #[must_use]
    pub(crate) fn is_meant(text: &str) -> bool {
        text.contains(":/")
    }

    /// The URI in a text.
    ///
    /// # Errors
    /// It is none of the QEMU driver on this machine.
    pub fn parse(text: &str) -> Result<Self, UriProblem> {
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        let (hypervisor, transport) = match scheme.split_once('+') {
            Some((hypervisor, transport)) => (hypervisor, Some(transport)),
            None => (scheme, None),
        };
        if hypervisor != "qemu" {
            return Err(UriProblem::Hypervisor);
        }
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (host, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        // Without a transport a host means TLS. `unix` takes none, and the others are made for
        // one (`docs/uri.rst`, "Remote URIs").
        if !host.is_empty() || !matches!(transport, None | Some("unix")) {
            return Err(UriProblem::Remote);
        }
        match path {
            "/system" | "/session" => Ok(Self(text.to_owned())),
            "/embed" => Err(UriProblem::Embed),
            _ => Err(UriProblem::Path),
        }
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LocalUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("qemu:///system")]
    #[case("qemu:///session")]
    #[case("qemu:/system")]
    #[case("qemu+unix:///system?socket=/run/user/1000/a%20b")]
    #[case("qemu+unix:///session?socket=/tmp/tls/ssh://x")]
    fn local(#[case] text: &str) {
        assert!(LocalUri::is_meant(text));
        assert_eq!(LocalUri::parse(text).unwrap().as_str(), text);
    }

    #[rstest]
    #[case("qemu://example.org/system")]
    #[case("qemu://user@example.org:16514/system?no_verify=1")]
    #[case("qemu+ssh://root@example.org/system")]
    #[case("qemu+ssh:///system")]
    #[case("qemu+libssh://example.org/system")]
    #[case("qemu+libssh2://example.org/system")]
    #[case("qemu+tls://example.org/system")]
    #[case("qemu+tcp://localhost/system")]
    #[case("qemu+ext://example.org/system?command=x")]
    #[case("qemu+netcat://example.org/system")]
    #[case("qemu+unix://example.org/system")]
    #[case("qemu://localhost/embed")]
    fn remote(#[case] text: &str) {
        assert_eq!(LocalUri::parse(text), Err(UriProblem::Remote));
    }

    #[rstest]
    #[case("test:///default", UriProblem::Hypervisor)]
    #[case("xen+ssh://example.org/", UriProblem::Hypervisor)]
    #[case("qemu:///embed?root=/tmp/x", UriProblem::Embed)]
    #[case("qemu:///", UriProblem::Path)]
    #[case("qemu://", UriProblem::Path)]
    #[case("qemu:///system/x", UriProblem::Path)]
    fn no_driver(#[case] text: &str, #[case] problem: UriProblem) {
        assert_eq!(LocalUri::parse(text), Err(problem));
    }
}
