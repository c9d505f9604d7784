//! NBD: QEMU's server behind libvirt's back, and the client that a pull backup needs.

use std::fs;
use std::io;
use std::path::Path;

use nix::unistd::{AccessFlags, access};
use serde_json::{Value, json};
use virt::domain::Domain;

use super::connection::SOCKET_LIMIT;
use super::{emulator, images, ports, tools};
use crate::driver::DriverError;
use crate::model::{DiskFormat, ImageRef, NbdServer, Size};

/// Bytes that one command reads at most; QEMU allows less than 2 GiB.
const READ_LIMIT: u64 = 16 << 20;

/// QEMU's `nbd-server-start`.
pub(super) fn start_server(domain: &Domain, server: &NbdServer) -> Result<(), DriverError> {
    emulator::qmp(
        domain,
        "nbd-server-start",
        &json!({"addr": server.address()}),
    )?;
    Ok(())
}

/// QEMU's `nbd-server-stop`.
pub(super) fn stop_server(domain: &Domain) -> Result<(), DriverError> {
    emulator::qmp(domain, "nbd-server-stop", &json!({}))?;
    Ok(())
}

/// Reads an export into a new image: all of it, or what a bitmap marks dirty.
///
/// A delta is read through QEMU's copy-on-read: the new image lies over the export while the
/// dirty extents are read, so that exactly their clusters are copied up, those of zeros as
/// explicit zeros. The image's header names no backing file.
pub(super) fn read_export(
    server: &NbdServer,
    export: &str,
    bitmap: Option<&str>,
    image: &ImageRef,
) -> Result<(), DriverError> {
    if fs::symlink_metadata(&image.path).is_ok() {
        let message = format!("{} is there already, and is not replaced", image.path);
        return Err(DriverError::Failed(message));
    }
    let source = source(server, export);
    let Some(bitmap) = bitmap else {
        let source = format!("json:{source}");
        let format = image.format.as_str();
        tools::qemu_img(&["convert", "-O", format, &source, &image.path])?.succeeded()?;
        return Ok(());
    };
    if image.format != DiskFormat::Qcow2 {
        let message = format!(
            "{} cannot hold a part of a disk: its format is raw",
            image.path
        );
        return Err(DriverError::Failed(message));
    }
    let mut marked = source.clone();
    marked["x-dirty-bitmap"] = format!("qemu:dirty-bitmap:{bitmap}").into();
    let map = ["map", "--output=json", &format!("json:{marked}")];
    let (size, dirty) = extents(&tools::qemu_img(&map)?.succeeded()?.json()?)?;
    images::create(image, Size(size))?;
    let chain = format!("json:{}", tools::layer(image, Some(source)));
    tools::qemu_io(&["-C", &chain], &reads(&dirty))?.succeeded()?;
    Ok(())
}

/// Why an NBD server of QEMU could not listen there. QEMU replaces a file or an old socket of
/// that name (`util/qemu-sockets.c:unix_listen_saddr` unlinks it), though no directory.
pub(super) fn probe(server: &NbdServer, tls: bool) -> Option<String> {
    let place = match server {
        NbdServer::Socket(path) => probe_socket(Path::new(path)),
        NbdServer::Port(port) => match ports::listen(*port) {
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                Some("port in use".to_owned())
            }
            Err(error) => Some(reason(&error)),
        },
    };
    place.or_else(|| tls.then(missing_certificate).flatten())
}

/// The first file that is missing of those that QEMU's server needs for TLS, where `qemu.conf` names
/// no other directory (`docs/formatbackup.rst`: `tls`; `src/qemu/qemu_conf.c`).
fn missing_certificate() -> Option<String> {
    let directory = Path::new("/etc/pki/qemu");
    let needed = ["ca-cert.pem", "server-cert.pem", "server-key.pem"];
    let mut paths = needed.into_iter().map(|name| directory.join(name));
    let missing = paths.find(|path| !path.is_file())?;
    Some(format!("no {}", missing.display()))
}

fn probe_socket(path: &Path) -> Option<String> {
    if path.as_os_str().len() > SOCKET_LIMIT {
        return Some(format!("path longer than {SOCKET_LIMIT} bytes"));
    }
    let directory = path.parent()?;
    match fs::metadata(directory) {
        Ok(found) if found.is_dir() => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Some("no such directory".to_owned());
        }
        Ok(_) => return Some("not a directory".to_owned()),
        Err(error) => return Some(reason(&error)),
    }
    if let Err(error) = access(directory, AccessFlags::W_OK | AccessFlags::X_OK) {
        return Some(reason(&error.into()));
    }
    let is_directory = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    is_directory.then(|| "is a directory".to_owned())
}

/// An error of the system without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    let end = text.find(" (os error").unwrap_or(text.len());
    text[..end].to_owned()
}

/// QEMU's options for an export (`BlockdevOptionsNbd`).
fn source(server: &NbdServer, export: &str) -> Value {
    let server = match server {
        NbdServer::Socket(path) => json!({"type": "unix", "path": path}),
        NbdServer::Port(port) => {
            json!({"type": "inet", "host": "127.0.0.1", "port": port.to_string()})
        }
    };
    json!({"driver": "nbd", "server": server, "export": export})
}

/// The size of an export and its dirty extents, offset and length, from `qemu-img map` over the
/// context of a bitmap.
///
/// QEMU's client reads the flags of that context as if they were those of `base:allocation`
/// (`block/nbd.c:nbd_client_co_block_status`): bit 0, "dirty" here, is "hole" there. So an extent
/// is dirty where `data` is false. Seen on QEMU 10.0 with an export of which three extents were
/// dirty, one of data, one of zeros, one discarded: those three, and no other, had no data.
fn extents(map: &Value) -> Result<(u64, Vec<(u64, u64)>), DriverError> {
    let unread = || DriverError::Failed(format!("no map of an export: {map}"));
    let mut size = 0;
    let mut dirty = Vec::new();
    for extent in map.as_array().ok_or_else(unread)? {
        let number = |key: &str| extent[key].as_u64().ok_or_else(unread);
        let (start, length) = (number("start")?, number("length")?);
        size = start + length;
        if !extent["data"].as_bool().ok_or_else(unread)? {
            dirty.push((start, length));
        }
    }
    Ok((size, dirty))
}

/// The commands that read extents.
fn reads(extents: &[(u64, u64)]) -> String {
    let parts = extents.iter().flat_map(|&(start, length)| {
        let end = start + length;
        let step = usize::try_from(READ_LIMIT).unwrap_or(usize::MAX);
        (start..end)
            .step_by(step)
            .map(move |at| (at, READ_LIMIT.min(end - at)))
    });
    let commands = parts.map(|(at, length)| format!("read -q {at} {length}\n"));
    commands.collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_data_is_dirty() {
        let map = json!([
            {"start": 0, "length": 65_536, "data": true},
            {"start": 65_536, "length": 131_072, "data": false},
            {"start": 196_608, "length": 512, "data": true}]);
        assert_eq!(extents(&map), Ok((197_120, vec![(65_536, 131_072)])));
        assert!(extents(&json!([{"start": 0, "length": 1}])).is_err());
        assert!(extents(&json!({})).is_err());
    }

    #[test]
    fn a_long_extent_is_read_in_parts() {
        let commands = reads(&[(512, READ_LIMIT + 512), (1 << 30, 1024)]);
        let lines: Vec<_> = commands.lines().collect();
        let expected = [
            "read -q 512 16777216",
            "read -q 16777728 512",
            "read -q 1073741824 1024",
        ];
        assert_eq!(lines, expected);
    }
}
