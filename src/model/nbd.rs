//! Where an NBD server listens.

use std::fmt;

use roxmltree::{Document, Node};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Where the NBD server of a pull backup listens.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NbdServer {
    /// A UNIX socket, by its absolute path.
    Socket(String),
    /// A TCP port of the loopback address.
    Port(u16),
}

impl NbdServer {
    /// The place of a backup that runs, by its dump.
    #[must_use]
    pub fn of_dump(xml: &str) -> Option<Self> {
        let document = Document::parse(xml).ok()?;
        Self::of(super::xml::child(document.root_element(), "server")?)
    }

    /// The place that the `<server>` of a backup document names
    /// (`docs/formatbackup.rst`); `None` where it names none.
    #[must_use]
    pub fn of(server: Node<'_, '_>) -> Option<Self> {
        if server.attribute("transport") == Some("unix") {
            return Some(Self::Socket(server.attribute("socket")?.to_owned()));
        }
        let port = server.attribute("port")?.parse().ok()?;
        // Port 0 is none: libvirt refuses it, or chooses.
        (port != 0).then_some(Self::Port(port))
    }

    /// The argument `addr` of QEMU's `nbd-server-start` (`SocketAddressLegacy` in
    /// `qapi/sockets.json`).
    #[must_use]
    pub fn address(&self) -> Value {
        match self {
            Self::Socket(path) => json!({"type": "unix", "data": {"path": path}}),
            Self::Port(port) => {
                let data = json!({"host": "127.0.0.1", "port": port.to_string()});
                json!({"type": "inet", "data": data})
            }
        }
    }
}

impl fmt::Display for NbdServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "socket {path}"),
            Self::Port(port) => write!(f, "port {port}"),
        }
    }
}
