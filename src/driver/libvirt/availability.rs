//! Whether real libvirt can be driven on this machine: a cheap look, no process is started.

use std::fmt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::connection::Connection;

/// Something the real driver needs and this machine lacks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing {
    /// What is missing.
    pub name: &'static str,
    /// Why, in one line.
    pub reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

/// The emulator that a scenario's domain uses.
pub const EMULATOR: &str = "qemu-system-x86_64";

/// The tool that makes and reads disk images.
pub const IMAGE_TOOL: &str = "qemu-img";

/// The tool that reads and writes through QEMU's block layer.
pub const IO_TOOL: &str = "qemu-io";

/// libvirt's QEMU driver, a module that libvirt loads at run time.
const QEMU_DRIVER: &str = "libvirt_driver_qemu.so";

/// libvirt's daemon.
pub(super) const DAEMON: &str = "libvirtd";

/// Where an ordinary user's `PATH` may not lead, and daemons are.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/sbin:/sbin";

/// What a real driver needs and this machine lacks; empty where it can run.
#[must_use]
pub fn missing(connection: &Connection) -> Vec<Missing> {
    let tools = [EMULATOR, IMAGE_TOOL, IO_TOOL];
    let tools = tools.into_iter().filter_map(missing_tool);
    let others = match connection {
        Connection::Embed => [missing_qemu_driver(), None],
        Connection::Libvirtd => [missing_qemu_driver(), missing_daemon()],
        // That daemon has what it has.
        Connection::Uri(_) => [None, None],
    };
    tools.chain(others.into_iter().flatten()).collect()
}

/// Where libvirt's daemon is.
pub(super) fn daemon() -> Option<PathBuf> {
    let elsewhere = || which::which_in(DAEMON, Some(SYSTEM_PATH), "/").ok();
    which::which(DAEMON).ok().or_else(elsewhere)
}

fn missing_daemon() -> Option<Missing> {
    let reason = format!("neither in PATH nor in {SYSTEM_PATH}");
    let name = DAEMON;
    daemon().is_none().then_some(Missing { name, reason })
}

fn missing_tool(name: &'static str) -> Option<Missing> {
    let reason = match which::which(name) {
        Ok(_) => return None,
        Err(error) => format!("not in PATH ({error})"),
    };
    Some(Missing { name, reason })
}

fn missing_qemu_driver() -> Option<Missing> {
    let reason = match driver_directory() {
        Some(directory) if directory.join(QEMU_DRIVER).is_file() => return None,
        Some(directory) => format!("not in {}", directory.display()),
        None => "libvirt.so.0 is not loaded".to_owned(),
    };
    let name = QEMU_DRIVER;
    Some(Missing { name, reason })
}

/// Where libvirt looks for its drivers: `LIBVIRT_DRIVER_DIR`, else beside the library itself
/// (`src/driver.c:virDriverLoadModule` and libvirt's build option `libdir`).
pub(super) fn driver_directory() -> Option<PathBuf> {
    if let Some(directory) = env::var_os("LIBVIRT_DRIVER_DIR") {
        return Some(directory.into());
    }
    // Using the library is what makes the linker keep it.
    let _ = virt::connect::Connect::version();
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let library = library_in(&maps, "libvirt.so.0")?;
    Some(library.parent()?.join("libvirt/connection-driver"))
}

/// The path of a library among a process's mappings; its file may bear a longer version.
fn library_in<'a>(maps: &'a str, name: &str) -> Option<&'a Path> {
    let paths = maps
        .lines()
        .filter_map(|line| Some(Path::new(&line[line.find('/')?..])));
    let is_library = |path: &&Path| {
        let file = path.file_name().and_then(|file| file.to_str());
        file.is_some_and(|file| file.starts_with(name))
    };
    paths.into_iter().find(is_library)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_found_among_the_mappings() {
        let maps = "7f00-7f01 r-xp 00000000 00:1f 42     /usr/lib/libvirt-qemu.so.0.11003.0\n\
                    7f02-7f03 rw-p 00000000 00:00 0 \n\
                    7f04-7f05 r-xp 00000000 00:1f 43     /usr/lib/libvirt.so.0.11003.0\n";
        let found = library_in(maps, "libvirt.so.0");
        assert_eq!(found, Some(Path::new("/usr/lib/libvirt.so.0.11003.0")));
        assert_eq!(library_in(maps, "libc.so"), None);
    }
}
