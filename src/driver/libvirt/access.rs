//! Who may get at a scenario's directory, where a daemon of somebody else's runs its QEMU.
//!
//! The directories above can be passed through, and `/proc` shows everybody their names. So the
//! directory is QEMU's alone, since everybody else could put links there, which whoever makes an
//! image follows.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use nix::unistd::{Uid, geteuid};
use roxmltree::{Document, Node};

use crate::driver::DriverError;

/// How QEMU gets at a scenario's directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Access {
    /// It runs as the user that this process runs as.
    SameUser,
    /// It is given the directory: its user and group. This process is root's, and needs no leave.
    Given(u32, u32),
}

impl Access {
    /// The access that a daemon's QEMU needs, from the daemon's capabilities.
    ///
    /// Fails with [`DriverError::Unavailable`] where it cannot be had. An ordinary user can give
    /// nothing away, nor read what such a QEMU has written: libvirt makes a backup's image for it
    /// with mode 0600.
    pub(super) fn of(capabilities: &str) -> Result<Self, DriverError> {
        Self::needed(emulator_user(capabilities), geteuid())
    }

    fn needed(emulator: Option<(u32, u32)>, own: Uid) -> Result<Self, DriverError> {
        match emulator {
            Some((user, group)) if user != own.as_raw() => {
                if own.is_root() {
                    return Ok(Self::Given(user, group));
                }
                Err(DriverError::Unavailable(format!(
                    "this daemon runs QEMU as user {user}, whose images user {own} cannot read: \
                     use qemu:///session, or run backup-tck as root"
                )))
            }
            _ => Ok(Self::SameUser),
        }
    }

    /// Opens a new directory to QEMU, and to nobody else.
    pub(super) fn grant(self, directory: &Path) -> io::Result<()> {
        fs::set_permissions(directory, Permissions::from_mode(0o700))?;
        if let Self::Given(user, group) = self {
            chown(directory, Some(user), Some(group))?;
        }
        Ok(())
    }
}

/// The user and group that QEMU runs as: the base label of the security model `dac`, `+64055:+64055`
/// (`docs/formatcaps.rst`; `src/security/security_dac.c:virSecurityDACGetBaseLabel`). A daemon
/// that cannot change its user has no such model.
fn emulator_user(capabilities: &str) -> Option<(u32, u32)> {
    let document = Document::parse(capabilities).ok()?;
    let text = |node: &Node<'_, '_>, name: &str| {
        let mut children = node.children();
        let found = children.find(|child| child.has_tag_name(name))?;
        found.text().map(str::to_owned)
    };
    let mut models = document
        .descendants()
        .filter(|node| node.has_tag_name("secmodel"));
    let model = models.find(|node| text(node, "model").as_deref() == Some("dac"))?;
    let label = text(&model, "baselabel")?;
    let (user, group) = label.split_once(':')?;
    let number = |text: &str| text.trim().trim_start_matches('+').parse().ok();
    Some((number(user)?, number(group)?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    const DAC: &str = "<capabilities><host>\
        <secmodel><model>apparmor</model><doi>0</doi></secmodel>\
        <secmodel><model>dac</model><doi>0</doi>\
        <baselabel type='kvm'>+64055:+106</baselabel>\
        <baselabel type='qemu'>+64055:+106</baselabel></secmodel></host></capabilities>";

    #[test]
    fn the_daemon_tells_whom_its_emulators_are() {
        assert_eq!(emulator_user(DAC), Some((64055, 106)));
        let others = [
            "<capabilities><host/></capabilities>",
            "<capabilities><host><secmodel><model>none</model></secmodel></host></capabilities>",
            "",
        ];
        for other in others {
            assert_eq!(emulator_user(other), None, "{other}");
        }
    }

    #[test]
    fn only_root_can_give_a_directory_away() {
        let needed = |emulator, own| Access::needed(emulator, Uid::from_raw(own));
        assert_eq!(needed(Some((64055, 106)), 0), Ok(Access::Given(64055, 106)));
        let refused = needed(Some((64055, 106)), 1000);
        assert!(matches!(refused, Err(DriverError::Unavailable(_))));
        for (emulator, own) in [(None, 0), (None, 1000), (Some((0, 0)), 0)] {
            assert_eq!(needed(emulator, own), Ok(Access::SameUser));
        }
    }

    #[test]
    fn nobody_else_is_let_in() {
        let directory = tempfile::tempdir().unwrap();
        let found = || fs::metadata(directory.path()).unwrap();
        let (user, group) = (found().uid(), found().gid());
        for access in [Access::Given(user, group), Access::SameUser] {
            fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
            access.grant(directory.path()).unwrap();
            assert_eq!(found().mode() & 0o7777, 0o700, "{access:?}");
        }
        if geteuid().is_root() {
            Access::Given(64055, 106).grant(directory.path()).unwrap();
            assert_eq!((found().uid(), found().gid()), (64055, 106));
        }
    }
}
