//! `doctor`: what is installed, what is missing, and how to get it.

use std::process::Command;

use super::exit_code::ExitCode;
use super::output::print;
use crate::run::{Backing, DriverChoice};

/// What to type, by the family of the system's distribution.
const INSTALL: [(&str, &str); 3] = [
    (
        "debian",
        "sudo apt-get install --no-install-recommends libvirt-daemon-driver-qemu \\\n    \
         libvirt-daemon libvirt-dev libvirt-clients qemu-system-x86 qemu-utils pkg-config gcc",
    ),
    (
        "fedora",
        "sudo dnf install libvirt-daemon-driver-qemu libvirt-daemon libvirt-devel libvirt-client \\\n    \
         qemu-system-x86-core qemu-img pkgconf gcc",
    ),
    (
        "suse",
        "sudo zypper install libvirt-daemon-driver-qemu libvirt-daemon libvirt-devel libvirt-client \\\n    \
         qemu-x86 qemu-img pkg-config gcc",
    ),
];

pub(super) fn execute() -> ExitCode {
    let mut page = Page::default();
    page.row(true, "mock", "built in, nothing to install");
    let built = cfg!(feature = "libvirt");
    let text = if built {
        "built in"
    } else {
        "not in this build"
    };
    page.row(built, "real drivers", text);
    let tools = [tool("qemu-img"), tool("qemu-system-x86_64")];
    for (name, version) in tools {
        page.row(
            version.is_ok(),
            name,
            &version.unwrap_or_else(|reason| reason),
        );
    }
    let private = [DriverChoice::Embed, DriverChoice::Libvirtd].map(|driver| {
        let works = works(&driver);
        let good = works.is_ok();
        let name = format!("driver {driver}");
        page.row(good, &name, &works.unwrap_or_else(|reason| reason));
        (good, driver.unavailable().is_some())
    });
    if private.iter().any(|(_, lacking)| *lacking) {
        page.advice(built);
    }
    let code = if private.iter().any(|(good, _)| *good) {
        ExitCode::Success
    } else {
        ExitCode::NoDriver
    };
    let printed = print(&page.0);
    if printed == ExitCode::Success {
        code
    } else {
        printed
    }
}

/// The version of a tool, as it tells it itself.
fn tool(name: &'static str) -> (&'static str, Result<String, String>) {
    let found = which::which(name).map_err(|_| "not found in PATH".to_owned());
    let version = found.and_then(|path| {
        let output = Command::new(path)
            .arg("--version")
            .output()
            .map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let first = text.lines().next().unwrap_or_default();
        Ok(first.split(" (").next().unwrap_or(first).to_owned())
    });
    (name, version)
}

/// Starts the driver for real and asks it who it is.
fn works(driver: &DriverChoice) -> Result<String, String> {
    if let Some(reason) = driver.unavailable() {
        return Err(reason);
    }
    let backing = Backing::own().map_err(|error| error.to_string())?;
    let identity = driver
        .identify(&backing)
        .map_err(|error| error.to_string())?;
    Ok(format!(
        "works: libvirt {}, QEMU {}",
        identity.libvirt, identity.qemu
    ))
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn row(&mut self, good: bool, name: &str, text: &str) {
        let word = if good { "ok" } else { "missing" };
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        self.line(&format!("{word:<9}{name:<20}{first}"));
        for line in lines {
            self.line(&format!("{:<29}{line}", ""));
        }
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    fn advice(&mut self, built: bool) {
        self.line("\nThe mock works as it is. For real libvirt:");
        self.line("  in a checkout, on Debian and Ubuntu:");
        self.line("    sudo ci/setup-libvirt");
        self.line("  or by hand:");
        for command in install_commands() {
            self.line(&format!("    {command}"));
        }
        if !built {
            self.line("  then build with real drivers:");
            self.line("    cargo build --release --features libvirt");
        }
    }
}

/// The command of this system's family; all of them where it is not known.
fn install_commands() -> Vec<&'static str> {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let like = release
        .lines()
        .filter(|line| line.starts_with("ID=") || line.starts_with("ID_LIKE="));
    let like: Vec<&str> = like.collect();
    let known = INSTALL
        .iter()
        .filter(|(family, _)| like.iter().any(|line| line.contains(family)));
    let known: Vec<&str> = known.map(|(_, command)| *command).collect();
    if known.is_empty() {
        INSTALL.iter().map(|(_, command)| *command).collect()
    } else {
        known
    }
}
