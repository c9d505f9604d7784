//! QEMU's NBD server, and what a client of it reads.

use super::host::{defined, impossible};
use super::{Domain, Errno, Extents, File, Image, Impossible, World};
use crate::model::{DiskFormat, ImageRef, NbdServer};

/// The longest path that fits into a `sockaddr_un`, with its final NUL.
const LONGEST_SOCKET_PATH: usize = 108;

impl World {
    /// What QEMU would say of a server there; `None` where it can listen. A file or an old socket
    /// in the way is replaced, but not an image, which nobody asked about
    /// (QEMU `util/qemu-sockets.c:unix_listen_saddr`, `inet_listen_saddr`).
    pub fn cannot_listen(&self, server: &NbdServer) -> Result<Option<String>, Impossible> {
        let path = match server {
            NbdServer::Port(port) if self.port_is_busy(*port) => {
                let text = "Failed to find an available port: Address already in use";
                return Ok(Some(text.to_owned()));
            }
            NbdServer::Port(_) => return Ok(None),
            NbdServer::Socket(path) => path,
        };
        if path.len() >= LONGEST_SOCKET_PATH {
            return impossible(format!("a socket of so long a path as {path}"));
        }
        match (self.files.get(path), self.no_place(path)) {
            (Some(File::Image(_)), _) => impossible(format!("a socket over the image {path}")),
            (Some(File::Directory), _) => {
                let text = format!("Failed to unlink socket {path}: Is a directory");
                Ok(Some(text))
            }
            (Some(File::Plain | File::Socket) | None, None) => Ok(None),
            (_, Some(Errno::NoEntry)) => {
                let text = Errno::NoEntry.text();
                Ok(Some(format!("Failed to bind socket to {path}: {text}")))
            }
            (_, Some(Errno::NotADirectory)) => {
                let text = Errno::NotADirectory.text();
                Ok(Some(format!("Failed to unlink socket {path}: {text}")))
            }
        }
    }

    /// The first free port from `first` on, as libvirt chooses one
    /// (`src/util/virportallocator.c:virPortAllocatorAcquire`).
    #[must_use]
    pub fn free_port(&self, first: u16) -> Option<u16> {
        (first..=u16::MAX).find(|port| !self.port_is_busy(*port))
    }

    /// Why an NBD server could not listen there, as it looks from outside.
    #[must_use]
    pub fn probe(&self, server: &NbdServer) -> Option<String> {
        let path = match server {
            NbdServer::Port(port) => {
                return self.port_is_busy(*port).then(|| "port in use".to_owned());
            }
            NbdServer::Socket(path) => path,
        };
        if path.len() >= LONGEST_SOCKET_PATH {
            return Some(format!(
                "path longer than {} bytes",
                LONGEST_SOCKET_PATH - 1
            ));
        }
        let reason = match self.no_place(path) {
            Some(Errno::NoEntry) => "no such directory",
            Some(Errno::NotADirectory) => "not a directory",
            None if self.files.get(path) == Some(&File::Directory) => "is a directory",
            None => return None,
        };
        Some(reason.to_owned())
    }

    /// QEMU's `nbd-server-start`. The inner error is QEMU's.
    pub fn start_nbd(
        &mut self,
        name: &str,
        server: &NbdServer,
    ) -> Result<Result<(), String>, Impossible> {
        let Some(active) = &defined(&mut self.domains, name)?.active else {
            return impossible(format!("an NBD server in {name}, which is not active"));
        };
        if active.nbd.is_some() {
            return Ok(Err("NBD server already running".to_owned()));
        }
        if let Some(reason) = self.cannot_listen(server)? {
            return Ok(Err(reason));
        }
        if let NbdServer::Socket(path) = server {
            self.files.insert(path.clone(), File::Socket);
        }
        if let Some(active) = &mut defined(&mut self.domains, name)?.active {
            active.nbd = Some(server.clone());
        }
        Ok(Ok(()))
    }

    /// QEMU's `nbd-server-stop`, which removes the socket. The inner error is QEMU's.
    pub fn stop_nbd(&mut self, name: &str) -> Result<Result<(), String>, Impossible> {
        let Some(active) = &mut defined(&mut self.domains, name)?.active else {
            return impossible(format!("an NBD server in {name}, which is not active"));
        };
        match active.nbd.take() {
            None => return Ok(Err("NBD server not running".to_owned())),
            Some(NbdServer::Port(_)) => {}
            Some(NbdServer::Socket(path)) => {
                self.files.remove(&path);
            }
        }
        Ok(Ok(()))
    }

    /// Reads an export of a pull backup into a new image: all of it, or what the exported bitmap
    /// marks. It is the disk as it was when the backup began, whatever the guest has written
    /// since.
    pub fn read_export(
        &mut self,
        server: &NbdServer,
        export: &str,
        bitmap: Option<&str>,
        image: &ImageRef,
    ) -> Result<(), Impossible> {
        let active = self
            .domains
            .values()
            .filter_map(|domain| domain.active.as_ref());
        let mut serving = active.filter(|active| active.nbd.as_ref() == Some(server));
        let job = serving.next().and_then(|active| active.job.as_ref());
        let parts = job.filter(|job| job.server.is_some());
        let mut parts = parts.into_iter().flat_map(|job| &job.disks);
        let Some(part) = parts.find(|part| part.export_name() == export) else {
            return impossible(format!(
                "reading the export {export}, which {server} has not"
            ));
        };
        let extents = match bitmap {
            None => Extents::all(part.content.size()),
            Some(bitmap) if part.exported_bitmap() == Some(bitmap) => part.dirty.clone(),
            Some(bitmap) => {
                return impossible(format!("the bitmap {bitmap} of the export {export}"));
            }
        };
        if bitmap.is_some() && image.format == DiskFormat::Raw {
            return impossible(format!("a part of a disk in the raw image {}", image.path));
        }
        if self.files.contains_key(&image.path) {
            return impossible(format!("reading into {}, which is there", image.path));
        }
        let content = part.content.clone();
        self.create_image(&image.path, image.format, content.size())?;
        let Some(read) = self.image_mut(&image.path) else {
            return impossible(format!("writing {}", image.path));
        };
        for (offset, length) in extents.ranges() {
            read.copy_from(&content, offset, length);
        }
        Ok(())
    }

    pub(super) fn port_is_busy(&self, port: u16) -> bool {
        let of_qemu = |domain: &Domain| {
            let active = domain.active.as_ref();
            active.and_then(|active| active.nbd.as_ref()) == Some(&NbdServer::Port(port))
        };
        self.ports.contains(&port) || self.domains.values().any(of_qemu)
    }

    /// The image at a path, read as one format.
    #[must_use]
    pub fn opened(&self, image: &ImageRef) -> Option<&Image> {
        self.image(&image.path)
            .filter(|found| found.format == image.format)
    }
}
