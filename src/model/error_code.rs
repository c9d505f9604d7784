//! The numbers libvirt gives its errors, with their names and message prefixes.
//!
//! Numbers and names are those of `include/libvirt/virterror.h` (libvirt 11.3); the prefixes
//! are those of `src/util/virerror.c`, kept for the codes that the backup and checkpoint APIs
//! raise. An unknown number is kept and shown: a newer libvirt must not break the reader.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A `virErrorNumber`, by its number.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct ErrorCode(pub i32);

impl ErrorCode {
    /// `VIR_ERR_INTERNAL_ERROR`.
    pub const INTERNAL_ERROR: Self = Self(1);
    /// `VIR_ERR_INVALID_ARG`.
    pub const INVALID_ARG: Self = Self(8);
    /// `VIR_ERR_NO_SUPPORT`.
    pub const NO_SUPPORT: Self = Self(3);
    /// `VIR_ERR_INVALID_DOMAIN`.
    pub const INVALID_DOMAIN: Self = Self(7);
    /// `VIR_ERR_OPERATION_FAILED`.
    pub const OPERATION_FAILED: Self = Self(9);
    /// `VIR_ERR_XML_ERROR`.
    pub const XML_ERROR: Self = Self(27);
    /// `VIR_ERR_OPERATION_DENIED`.
    pub const OPERATION_DENIED: Self = Self(29);
    /// `VIR_ERR_XML_DETAIL`.
    pub const XML_DETAIL: Self = Self(35);
    /// `VIR_ERR_SYSTEM_ERROR`.
    pub const SYSTEM_ERROR: Self = Self(38);
    /// `VIR_ERR_NO_DOMAIN`.
    pub const NO_DOMAIN: Self = Self(42);
    /// `VIR_ERR_OPERATION_INVALID`.
    pub const OPERATION_INVALID: Self = Self(55);
    /// `VIR_ERR_NO_SECRET`.
    pub const NO_SECRET: Self = Self(66);
    /// `VIR_ERR_CONFIG_UNSUPPORTED`.
    pub const CONFIG_UNSUPPORTED: Self = Self(67);
    /// `VIR_ERR_OPERATION_TIMEOUT`.
    pub const OPERATION_TIMEOUT: Self = Self(68);
    /// `VIR_ERR_BLOCK_COPY_ACTIVE`.
    pub const BLOCK_COPY_ACTIVE: Self = Self(83);
    /// `VIR_ERR_OPERATION_UNSUPPORTED`.
    pub const OPERATION_UNSUPPORTED: Self = Self(84);
    /// `VIR_ERR_ACCESS_DENIED`.
    pub const ACCESS_DENIED: Self = Self(88);
    /// `VIR_ERR_XML_INVALID_SCHEMA`.
    pub const XML_INVALID_SCHEMA: Self = Self(92);
    /// `VIR_ERR_INVALID_DOMAIN_CHECKPOINT`.
    pub const INVALID_DOMAIN_CHECKPOINT: Self = Self(102);
    /// `VIR_ERR_NO_DOMAIN_CHECKPOINT`.
    pub const NO_DOMAIN_CHECKPOINT: Self = Self(103);
    /// `VIR_ERR_NO_DOMAIN_BACKUP`.
    pub const NO_DOMAIN_BACKUP: Self = Self(104);
    /// `VIR_ERR_CHECKPOINT_INCONSISTENT` (since libvirt 6.10).
    pub const CHECKPOINT_INCONSISTENT: Self = Self(109);

    /// The constant's name, or `None` for a number this catalogue does not know.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        let at = CODES.binary_search_by_key(&self.0, |row| row.0).ok()?;
        Some(CODES[at].1)
    }

    /// The text libvirt puts before `: ` in a message of this code, where it is known.
    #[must_use]
    pub fn prefix(self) -> Option<&'static str> {
        let at = PREFIXES.binary_search_by_key(&self.0, |row| row.0).ok()?;
        Some(PREFIXES[at].1)
    }

    /// Every name of the catalogue, in the order of the numbers.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CODES.iter().map(|row| row.1)
    }

    /// The code that a person means: by its name, its name without `VIR_ERR_`, in large or small
    /// letters, or its number.
    #[must_use]
    pub fn meant_by(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = text.parse().ok();
        let is_meant = |row: &&(i32, &str)| {
            let short = row.1.trim_start_matches("VIR_ERR_");
            number == Some(row.0)
                || row.1.eq_ignore_ascii_case(text)
                || short.eq_ignore_ascii_case(text)
        };
        CODES.iter().find(is_meant).map(|row| Self(row.0))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {name}", self.0),
            None => write!(f, "{} (unknown code)", self.0),
        }
    }
}

impl FromStr for ErrorCode {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let row = CODES.iter().find(|row| row.1 == text);
        row.map(|row| Self(row.0)).ok_or(UnknownName)
    }
}

/// A `virErrorDomain`, by its number: the part of libvirt that raised an error.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct ErrorDomain(pub i32);

impl ErrorDomain {
    /// `VIR_FROM_NONE`.
    pub const NONE: Self = Self(0);
    /// `VIR_FROM_XML`: the XML utilities, among them validation against a schema.
    pub const XML: Self = Self(5);
    /// `VIR_FROM_RPC`: the connection to a daemon.
    pub const RPC: Self = Self(7);
    /// `VIR_FROM_QEMU`: the QEMU driver.
    pub const QEMU: Self = Self(10);
    /// `VIR_FROM_STORAGE`.
    pub const STORAGE: Self = Self(18);
    /// `VIR_FROM_DOMAIN`: domain configuration and the public API of domains.
    pub const DOMAIN: Self = Self(20);
    /// `VIR_FROM_SECRET`: the secret driver.
    pub const SECRET: Self = Self(30);
    /// `VIR_FROM_DOMAIN_CHECKPOINT`: checkpoint configuration and its public API.
    pub const DOMAIN_CHECKPOINT: Self = Self(69);

    /// The constant's name, or `None` for a number this catalogue does not know.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        let at = DOMAINS.binary_search_by_key(&self.0, |row| row.0).ok()?;
        Some(DOMAINS[at].1)
    }

    /// Every name of the catalogue, in the order of the numbers.
    pub fn names() -> impl Iterator<Item = &'static str> {
        DOMAINS.iter().map(|row| row.1)
    }
}

impl fmt::Display for ErrorDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {}", self.0, name.trim_start_matches("VIR_FROM_")),
            None => write!(f, "{} (unknown domain)", self.0),
        }
    }
}

impl FromStr for ErrorDomain {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let row = DOMAINS.iter().find(|row| row.1 == text);
        row.map(|row| Self(row.0)).ok_or(UnknownName)
    }
}

/// The name is not in the catalogue.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not in the catalogue")]
pub struct UnknownName;

const CODES: &[(i32, &str)] = &[
    (0, "VIR_ERR_OK"),
    (1, "VIR_ERR_INTERNAL_ERROR"),
    (2, "VIR_ERR_NO_MEMORY"),
    (3, "VIR_ERR_NO_SUPPORT"),
    (4, "VIR_ERR_UNKNOWN_HOST"),
    (5, "VIR_ERR_NO_CONNECT"),
    (6, "VIR_ERR_INVALID_CONN"),
    (7, "VIR_ERR_INVALID_DOMAIN"),
    (8, "VIR_ERR_INVALID_ARG"),
    (9, "VIR_ERR_OPERATION_FAILED"),
    (10, "VIR_ERR_GET_FAILED"),
    (11, "VIR_ERR_POST_FAILED"),
    (12, "VIR_ERR_HTTP_ERROR"),
    (13, "VIR_ERR_SEXPR_SERIAL"),
    (14, "VIR_ERR_NO_XEN"),
    (15, "VIR_ERR_XEN_CALL"),
    (16, "VIR_ERR_OS_TYPE"),
    (17, "VIR_ERR_NO_KERNEL"),
    (18, "VIR_ERR_NO_ROOT"),
    (19, "VIR_ERR_NO_SOURCE"),
    (20, "VIR_ERR_NO_TARGET"),
    (21, "VIR_ERR_NO_NAME"),
    (22, "VIR_ERR_NO_OS"),
    (23, "VIR_ERR_NO_DEVICE"),
    (24, "VIR_ERR_NO_XENSTORE"),
    (25, "VIR_ERR_DRIVER_FULL"),
    (26, "VIR_ERR_CALL_FAILED"),
    (27, "VIR_ERR_XML_ERROR"),
    (28, "VIR_ERR_DOM_EXIST"),
    (29, "VIR_ERR_OPERATION_DENIED"),
    (30, "VIR_ERR_OPEN_FAILED"),
    (31, "VIR_ERR_READ_FAILED"),
    (32, "VIR_ERR_PARSE_FAILED"),
    (33, "VIR_ERR_CONF_SYNTAX"),
    (34, "VIR_ERR_WRITE_FAILED"),
    (35, "VIR_ERR_XML_DETAIL"),
    (36, "VIR_ERR_INVALID_NETWORK"),
    (37, "VIR_ERR_NETWORK_EXIST"),
    (38, "VIR_ERR_SYSTEM_ERROR"),
    (39, "VIR_ERR_RPC"),
    (40, "VIR_ERR_GNUTLS_ERROR"),
    (42, "VIR_ERR_NO_DOMAIN"),
    (43, "VIR_ERR_NO_NETWORK"),
    (44, "VIR_ERR_INVALID_MAC"),
    (45, "VIR_ERR_AUTH_FAILED"),
    (46, "VIR_ERR_INVALID_STORAGE_POOL"),
    (47, "VIR_ERR_INVALID_STORAGE_VOL"),
    (49, "VIR_ERR_NO_STORAGE_POOL"),
    (50, "VIR_ERR_NO_STORAGE_VOL"),
    (52, "VIR_ERR_INVALID_NODE_DEVICE"),
    (53, "VIR_ERR_NO_NODE_DEVICE"),
    (54, "VIR_ERR_NO_SECURITY_MODEL"),
    (55, "VIR_ERR_OPERATION_INVALID"),
    (57, "VIR_ERR_NO_INTERFACE"),
    (58, "VIR_ERR_INVALID_INTERFACE"),
    (59, "VIR_ERR_MULTIPLE_INTERFACES"),
    (61, "VIR_ERR_INVALID_NWFILTER"),
    (62, "VIR_ERR_NO_NWFILTER"),
    (63, "VIR_ERR_BUILD_FIREWALL"),
    (65, "VIR_ERR_INVALID_SECRET"),
    (66, "VIR_ERR_NO_SECRET"),
    (67, "VIR_ERR_CONFIG_UNSUPPORTED"),
    (68, "VIR_ERR_OPERATION_TIMEOUT"),
    (69, "VIR_ERR_MIGRATE_PERSIST_FAILED"),
    (70, "VIR_ERR_HOOK_SCRIPT_FAILED"),
    (71, "VIR_ERR_INVALID_DOMAIN_SNAPSHOT"),
    (72, "VIR_ERR_NO_DOMAIN_SNAPSHOT"),
    (73, "VIR_ERR_INVALID_STREAM"),
    (74, "VIR_ERR_ARGUMENT_UNSUPPORTED"),
    (75, "VIR_ERR_STORAGE_PROBE_FAILED"),
    (76, "VIR_ERR_STORAGE_POOL_BUILT"),
    (77, "VIR_ERR_SNAPSHOT_REVERT_RISKY"),
    (78, "VIR_ERR_OPERATION_ABORTED"),
    (79, "VIR_ERR_AUTH_CANCELLED"),
    (80, "VIR_ERR_NO_DOMAIN_METADATA"),
    (81, "VIR_ERR_MIGRATE_UNSAFE"),
    (82, "VIR_ERR_OVERFLOW"),
    (83, "VIR_ERR_BLOCK_COPY_ACTIVE"),
    (84, "VIR_ERR_OPERATION_UNSUPPORTED"),
    (85, "VIR_ERR_SSH"),
    (86, "VIR_ERR_AGENT_UNRESPONSIVE"),
    (87, "VIR_ERR_RESOURCE_BUSY"),
    (88, "VIR_ERR_ACCESS_DENIED"),
    (89, "VIR_ERR_DBUS_SERVICE"),
    (90, "VIR_ERR_STORAGE_VOL_EXIST"),
    (91, "VIR_ERR_CPU_INCOMPATIBLE"),
    (92, "VIR_ERR_XML_INVALID_SCHEMA"),
    (93, "VIR_ERR_MIGRATE_FINISH_OK"),
    (94, "VIR_ERR_AUTH_UNAVAILABLE"),
    (95, "VIR_ERR_NO_SERVER"),
    (96, "VIR_ERR_NO_CLIENT"),
    (97, "VIR_ERR_AGENT_UNSYNCED"),
    (98, "VIR_ERR_LIBSSH"),
    (99, "VIR_ERR_DEVICE_MISSING"),
    (100, "VIR_ERR_INVALID_NWFILTER_BINDING"),
    (101, "VIR_ERR_NO_NWFILTER_BINDING"),
    (102, "VIR_ERR_INVALID_DOMAIN_CHECKPOINT"),
    (103, "VIR_ERR_NO_DOMAIN_CHECKPOINT"),
    (104, "VIR_ERR_NO_DOMAIN_BACKUP"),
    (105, "VIR_ERR_INVALID_NETWORK_PORT"),
    (106, "VIR_ERR_NETWORK_PORT_EXIST"),
    (107, "VIR_ERR_NO_NETWORK_PORT"),
    (108, "VIR_ERR_NO_HOSTNAME"),
    (109, "VIR_ERR_CHECKPOINT_INCONSISTENT"),
    (110, "VIR_ERR_MULTIPLE_DOMAINS"),
    (111, "VIR_ERR_NO_NETWORK_METADATA"),
    (112, "VIR_ERR_AGENT_COMMAND_TIMEOUT"),
    (113, "VIR_ERR_AGENT_COMMAND_FAILED"),
    (114, "VIR_ERR_INVALID_ENCR_KEY_SECRET"),
];

const PREFIXES: &[(i32, &str)] = &[
    (1, "internal error"),
    (3, "this function is not supported by the connection driver"),
    (8, "invalid argument"),
    (9, "operation failed"),
    (27, "XML error"),
    (29, "operation forbidden"),
    (42, "Domain not found"),
    (55, "Requested operation is not valid"),
    (66, "Secret not found"),
    (67, "unsupported configuration"),
    (68, "Timed out during operation"),
    (83, "block copy still active"),
    (84, "Operation not supported"),
    (88, "access denied"),
    (92, "XML document failed to validate against schema"),
    (102, "Invalid domain checkpoint"),
    (103, "Domain checkpoint not found"),
    (104, "Domain backup job id not found"),
    (109, "checkpoint inconsistent"),
];

const DOMAINS: &[(i32, &str)] = &[
    (0, "VIR_FROM_NONE"),
    (1, "VIR_FROM_XEN"),
    (2, "VIR_FROM_XEND"),
    (3, "VIR_FROM_XENSTORE"),
    (4, "VIR_FROM_SEXPR"),
    (5, "VIR_FROM_XML"),
    (6, "VIR_FROM_DOM"),
    (7, "VIR_FROM_RPC"),
    (8, "VIR_FROM_PROXY"),
    (9, "VIR_FROM_CONF"),
    (10, "VIR_FROM_QEMU"),
    (11, "VIR_FROM_NET"),
    (12, "VIR_FROM_TEST"),
    (13, "VIR_FROM_REMOTE"),
    (14, "VIR_FROM_OPENVZ"),
    (15, "VIR_FROM_XENXM"),
    (16, "VIR_FROM_STATS_LINUX"),
    (17, "VIR_FROM_LXC"),
    (18, "VIR_FROM_STORAGE"),
    (19, "VIR_FROM_NETWORK"),
    (20, "VIR_FROM_DOMAIN"),
    (21, "VIR_FROM_UML"),
    (22, "VIR_FROM_NODEDEV"),
    (23, "VIR_FROM_XEN_INOTIFY"),
    (24, "VIR_FROM_SECURITY"),
    (25, "VIR_FROM_VBOX"),
    (26, "VIR_FROM_INTERFACE"),
    (27, "VIR_FROM_ONE"),
    (28, "VIR_FROM_ESX"),
    (29, "VIR_FROM_PHYP"),
    (30, "VIR_FROM_SECRET"),
    (31, "VIR_FROM_CPU"),
    (32, "VIR_FROM_XENAPI"),
    (33, "VIR_FROM_NWFILTER"),
    (34, "VIR_FROM_HOOK"),
    (35, "VIR_FROM_DOMAIN_SNAPSHOT"),
    (36, "VIR_FROM_AUDIT"),
    (37, "VIR_FROM_SYSINFO"),
    (38, "VIR_FROM_STREAMS"),
    (39, "VIR_FROM_VMWARE"),
    (40, "VIR_FROM_EVENT"),
    (41, "VIR_FROM_LIBXL"),
    (42, "VIR_FROM_LOCKING"),
    (43, "VIR_FROM_HYPERV"),
    (44, "VIR_FROM_CAPABILITIES"),
    (45, "VIR_FROM_URI"),
    (46, "VIR_FROM_AUTH"),
    (47, "VIR_FROM_DBUS"),
    (48, "VIR_FROM_PARALLELS"),
    (49, "VIR_FROM_DEVICE"),
    (50, "VIR_FROM_SSH"),
    (51, "VIR_FROM_LOCKSPACE"),
    (52, "VIR_FROM_INITCTL"),
    (53, "VIR_FROM_IDENTITY"),
    (54, "VIR_FROM_CGROUP"),
    (55, "VIR_FROM_ACCESS"),
    (56, "VIR_FROM_SYSTEMD"),
    (57, "VIR_FROM_BHYVE"),
    (58, "VIR_FROM_CRYPTO"),
    (59, "VIR_FROM_FIREWALL"),
    (60, "VIR_FROM_POLKIT"),
    (61, "VIR_FROM_THREAD"),
    (62, "VIR_FROM_ADMIN"),
    (63, "VIR_FROM_LOGGING"),
    (64, "VIR_FROM_XENXL"),
    (65, "VIR_FROM_PERF"),
    (66, "VIR_FROM_LIBSSH"),
    (67, "VIR_FROM_RESCTRL"),
    (68, "VIR_FROM_FIREWALLD"),
    (69, "VIR_FROM_DOMAIN_CHECKPOINT"),
    (70, "VIR_FROM_TPM"),
    (71, "VIR_FROM_BPF"),
    (72, "VIR_FROM_CH"),
];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(67, "VIR_ERR_CONFIG_UNSUPPORTED", "unsupported configuration")]
    #[case(103, "VIR_ERR_NO_DOMAIN_CHECKPOINT", "Domain checkpoint not found")]
    #[case(109, "VIR_ERR_CHECKPOINT_INCONSISTENT", "checkpoint inconsistent")]
    fn a_code_has_its_name_and_prefix(
        #[case] number: i32,
        #[case] name: &str,
        #[case] prefix: &str,
    ) {
        let code = ErrorCode(number);
        assert_eq!(code.name(), Some(name));
        assert_eq!(code.prefix(), Some(prefix));
        assert_eq!(name.parse(), Ok(code));
    }

    #[rstest]
    #[case("VIR_ERR_CHECKPOINT_INCONSISTENT", Some(109))]
    #[case("CHECKPOINT_INCONSISTENT", Some(109))]
    #[case("checkpoint_inconsistent", Some(109))]
    #[case("109", Some(109))]
    #[case("0", Some(0))]
    #[case("41", None)]
    #[case("-1", None)]
    #[case("VIR_ERR_", None)]
    #[case("", None)]
    fn a_person_names_a_code_in_many_ways(#[case] text: &str, #[case] number: Option<i32>) {
        assert_eq!(ErrorCode::meant_by(text).map(|code| code.0), number);
    }

    #[test]
    fn tables_are_sorted_for_binary_search() {
        assert!(CODES.is_sorted_by_key(|row| row.0));
        assert!(PREFIXES.is_sorted_by_key(|row| row.0));
        assert!(DOMAINS.is_sorted_by_key(|row| row.0));
    }

    #[test]
    fn an_unknown_number_is_shown_not_lost() {
        assert_eq!(ErrorCode(4711).to_string(), "4711 (unknown code)");
        assert_eq!("VIR_ERR_NOPE".parse::<ErrorCode>(), Err(UnknownName));
    }
}
