//! What a chain of disk images holds, byte for byte.
//!
//! `qemu-img convert` flattens the chain into a sparse file. The images are opened for reading
//! only, each as the format it is said to have and over the layer it is said to lie on, whatever
//! backing file its header names.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{Whence, lseek};

use super::tools;
use crate::driver::DriverError;
use crate::model::{Content, Fill, ImageRef, Run, Size};

/// More runs than a disk of scenario writes can have.
const MAX_RUNS: usize = 65_536;

/// Reads a chain of images, top layer first; `scratch` is a directory for a passing file.
pub(super) fn read_chain(layers: &[ImageRef], scratch: &Path) -> Result<Content, DriverError> {
    let mut chain = None;
    for image in layers.iter().rev() {
        chain = Some(tools::layer(image, chain));
    }
    let Some(chain) = chain else {
        let message = "a chain without layers holds nothing to read";
        return Err(DriverError::Failed(message.to_owned()));
    };
    let flat = tempfile::Builder::new().tempfile_in(scratch);
    let flat = flat.map_err(|error| unreadable(scratch, &error))?;
    let source = format!("json:{chain}");
    let target = flat.path().to_string_lossy();
    tools::qemu_img(&["convert", "-O", "raw", &source, &target])?.succeeded()?;
    // The tool has replaced nothing: it writes into the file of that name.
    let file = File::open(flat.path()).map_err(|error| unreadable(flat.path(), &error))?;
    let (size, runs) = runs_of(file).map_err(|error| unreadable(flat.path(), &error))?;
    if runs.len() > MAX_RUNS {
        let path = &layers[0].path;
        let message = format!("{path} holds more than {MAX_RUNS} runs of equal bytes");
        return Err(DriverError::Failed(message));
    }
    let mut content = Content::zeros(Size(size));
    for run in runs {
        content.write(run.offset, run.length, run.fill);
    }
    Ok(content)
}

/// The size of a file and its runs of equal bytes that are not zero, skipping its holes; at most
/// one run more than [`MAX_RUNS`].
fn runs_of(file: File) -> io::Result<(u64, Vec<Run>)> {
    let size = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(from) = seek(reader.get_ref(), at, Whence::SeekData)? {
        let to = seek(reader.get_ref(), from, Whence::SeekHole)?.unwrap_or(size);
        // `seek` moves the file below the buffer: this empties the buffer.
        reader.seek(SeekFrom::Start(from))?;
        scan(&mut reader, from, to, &mut runs)?;
        if runs.len() > MAX_RUNS {
            break;
        }
        at = to;
    }
    Ok((size, runs))
}

/// Adds the runs between two offsets.
fn scan(reader: &mut impl Read, from: u64, to: u64, runs: &mut Vec<Run>) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    let mut reader = reader.take(to - from);
    let mut at = from;
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 || runs.len() > MAX_RUNS {
            return Ok(());
        }
        for chunk in buffer[..count].chunk_by(|a, b| a == b) {
            let length = chunk.len() as u64;
            add(runs, at, length, chunk[0]);
            at += length;
        }
    }
}

fn add(runs: &mut Vec<Run>, offset: u64, length: u64, fill: Fill) {
    match runs.last_mut() {
        _ if fill == 0 => {}
        Some(last) if last.fill == fill && last.offset + last.length == offset => {
            last.length += length;
        }
        _ => runs.push(Run {
            offset,
            length,
            fill,
        }),
    }
}

/// The next data or hole from an offset on; `None` where there is none.
fn seek(file: &File, from: u64, whence: Whence) -> io::Result<Option<u64>> {
    let from = i64::try_from(from).map_err(io::Error::other)?;
    match lseek(file, from, whence) {
        Ok(found) => Ok(u64::try_from(found).ok()),
        Err(Errno::ENXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> DriverError {
    DriverError::Failed(format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn holes_and_neighbours_read_as_they_are() {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(1 << 20).unwrap();
        file.seek(SeekFrom::Start(300_000)).unwrap();
        file.write_all(&vec![7; 200_000]).unwrap();
        file.write_all(&[0, 0, 9]).unwrap();
        let (size, runs) = runs_of(file).unwrap();
        assert_eq!(size, 1 << 20);
        let found: Vec<_> = runs
            .iter()
            .map(|run| (run.offset, run.length, run.fill))
            .collect();
        assert_eq!(found, [(300_000, 200_000, 7), (500_002, 1, 9)]);
    }

    #[test]
    fn too_many_runs_are_noticed_early() {
        let mut file = tempfile::tempfile().unwrap();
        let noise: Vec<u8> = (0..1_u32 << 18).map(|at| (at % 251) as u8 + 1).collect();
        file.write_all(&noise).unwrap();
        let (_, runs) = runs_of(file).unwrap();
        assert!(runs.len() > MAX_RUNS);
    }
}
