//! The files of the simulated host: images, plain files, directories, sockets. State, no I/O.

use super::host::{defined, impossible};
use super::{Image, Impossible, World};
use crate::model::{DiskFormat, Size};

/// What stands at a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum File {
    /// An image.
    Image(Image),
    /// An empty file that is no image.
    Plain,
    /// A directory.
    Directory,
    /// A UNIX socket, whether or not somebody still listens on it.
    Socket,
}

/// Why nothing can be made at a path: an `errno`, as far as the world knows them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Errno {
    /// `ENOENT`.
    NoEntry,
    /// `ENOTDIR`.
    NotADirectory,
}

impl Errno {
    /// The number, on Linux.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::NoEntry => 2,
            Self::NotADirectory => 20,
        }
    }

    /// What `strerror` says.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoEntry => "No such file or directory",
            Self::NotADirectory => "Not a directory",
        }
    }
}

impl World {
    /// The image at this path.
    #[must_use]
    pub fn image(&self, path: &str) -> Option<&Image> {
        match self.files.get(path)? {
            File::Image(image) => Some(image),
            File::Plain | File::Directory | File::Socket => None,
        }
    }

    /// The image at this path, to change it.
    pub(super) fn image_mut(&mut self, path: &str) -> Option<&mut Image> {
        match self.files.get_mut(path)? {
            File::Image(image) => Some(image),
            File::Plain | File::Directory | File::Socket => None,
        }
    }

    /// Why nothing could be made at this path, apart from what stands there already.
    #[must_use]
    pub fn no_place(&self, path: &str) -> Option<Errno> {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        match self.files.get(parent) {
            Some(File::Directory) => None,
            Some(File::Image(_) | File::Plain | File::Socket) => Some(Errno::NotADirectory),
            None => Some(Errno::NoEntry),
        }
    }

    /// `qemu-img create`: makes an empty image; a file of that name is replaced.
    pub fn create_image(
        &mut self,
        path: &str,
        format: DiskFormat,
        size: Size,
    ) -> Result<(), Impossible> {
        self.require_closed(path)?;
        if let Some(File::Directory | File::Socket) = self.files.get(path) {
            return impossible(format!("an image in the place of {path}, which is no file"));
        }
        self.require_place(path)?;
        self.files
            .insert(path.to_owned(), File::Image(Image::empty(format, size)));
        Ok(())
    }

    /// Makes a directory.
    pub fn make_directory(&mut self, path: &str) -> Result<(), Impossible> {
        self.make(path, File::Directory)
    }

    /// Makes an empty file.
    pub fn make_file(&mut self, path: &str) -> Result<(), Impossible> {
        self.make(path, File::Plain)
    }

    fn make(&mut self, path: &str, file: File) -> Result<(), Impossible> {
        self.require_place(path)?;
        if self.files.contains_key(path) {
            return impossible(format!("making {path}, which is there already"));
        }
        self.files.insert(path.to_owned(), file);
        Ok(())
    }

    /// Removes an empty directory.
    pub fn remove_directory(&mut self, path: &str) -> Result<(), Impossible> {
        if self.files.get(path) != Some(&File::Directory) {
            return impossible(format!("removing the directory {path}, which is none"));
        }
        if self.names_in(path).next().is_some() {
            return impossible(format!("removing the directory {path}, which is not empty"));
        }
        self.files.remove(path);
        Ok(())
    }

    /// Removes a file that nobody has open.
    pub fn remove_file(&mut self, path: &str) -> Result<(), Impossible> {
        self.require_closed(path)?;
        match self.files.get(path) {
            None | Some(File::Directory) => {
                impossible(format!("removing the file {path}, which is none"))
            }
            Some(File::Image(_) | File::Plain | File::Socket) => {
                self.files.remove(path);
                Ok(())
            }
        }
    }

    /// The names in a directory, sorted.
    pub fn names_in<'a>(&'a self, directory: &'a str) -> impl Iterator<Item = &'a str> {
        let name = move |path: &'a String| {
            let name = path.strip_prefix(directory)?.strip_prefix('/')?;
            (!name.contains('/')).then_some(name)
        };
        self.files.keys().filter_map(name)
    }

    /// Keeps libvirt from storing the metadata of a domain's checkpoints, or lets it.
    pub fn block_metadata(&mut self, name: &str, blocked: bool) -> Result<(), Impossible> {
        let domain = defined(&mut self.domains, name)?;
        if domain.metadata_is_blocked == blocked {
            return impossible(format!(
                "blocking the metadata of {name} twice, or giving it back"
            ));
        }
        domain.metadata_is_blocked = blocked;
        Ok(())
    }

    /// Listens on a TCP port, as another program of the host does.
    pub fn occupy_port(&mut self, port: u16) -> Result<(), Impossible> {
        if self.port_is_busy(port) {
            return impossible(format!("occupying port {port}, which is in use"));
        }
        self.ports.insert(port);
        Ok(())
    }

    /// Stops that.
    pub fn release_port(&mut self, port: u16) -> Result<(), Impossible> {
        if self.ports.remove(&port) {
            return Ok(());
        }
        impossible(format!("releasing port {port}, which was not occupied"))
    }

    fn require_place(&self, path: &str) -> Result<(), Impossible> {
        match self.no_place(path) {
            None => Ok(()),
            Some(errno) => impossible(format!("making {path}: {}", errno.text())),
        }
    }

    /// Whether a QEMU has a file open, and its lock.
    #[must_use]
    pub fn is_open(&self, path: &str) -> bool {
        let mut domains = self.domains.values();
        domains.any(|domain| self.opened_by(domain).iter().any(|open| open == path))
    }

    /// A file that QEMU has open is locked, and what becomes of it by other hands is not
    /// modelled.
    pub(super) fn require_closed(&self, path: &str) -> Result<(), Impossible> {
        if self.is_open(path) {
            return impossible(format!("changing {path} while a domain has it open"));
        }
        Ok(())
    }
}
