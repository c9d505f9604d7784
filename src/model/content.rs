//! What a disk holds, as runs of equal bytes.
//!
//! Scenario writes are patterns of one byte, so a run list is small and still exact: two
//! contents are equal if and only if every byte is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Size;

/// The byte that fills a run.
pub type Fill = u8;

/// A stretch of equal, non-zero bytes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Run {
    /// First byte of the run, counted from the start of the disk.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
    /// The value of each byte; never 0.
    pub fill: Fill,
}

/// The bytes of a disk: zeros, but for its runs.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Content {
    size: Size,
    /// Ordered by offset, disjoint, neighbours of one value joined.
    runs: Vec<Run>,
}

/// The first place where two contents differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Difference {
    /// The disks are not of one size.
    Size {
        /// Size that was expected.
        expected: Size,
        /// Size that was found.
        found: Size,
    },
    /// A byte differs.
    Byte {
        /// Where, counted from the start of the disk.
        offset: u64,
        /// The byte that was expected.
        expected: Fill,
        /// The byte that was found.
        found: Fill,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { expected, found } => {
                write!(f, "size {found} instead of {expected}")
            }
            Self::Byte {
                offset,
                expected,
                found,
            } => {
                write!(
                    f,
                    "byte {offset} is {found:#04x} instead of {expected:#04x}"
                )
            }
        }
    }
}

impl Content {
    /// A disk of `size` bytes, all zero.
    #[must_use]
    pub const fn zeros(size: Size) -> Self {
        Self {
            size,
            runs: Vec::new(),
        }
    }

    /// Writes `fill` to `length` bytes from `offset` on; what lies beyond the end is dropped.
    pub fn write(&mut self, offset: u64, length: u64, fill: Fill) {
        let end = offset.saturating_add(length).min(self.size.0);
        if offset >= end {
            return;
        }
        // Reading an image writes from its start to its end: that must not look at all runs.
        let reached = self.runs.last().map_or(0, |last| last.offset + last.length);
        if reached <= offset {
            return self.append(offset, end - offset, fill);
        }
        let mut runs = Vec::with_capacity(self.runs.len() + 2);
        for run in &self.runs {
            let run_end = run.offset + run.length;
            if run.offset < offset {
                runs.push(Run {
                    length: run.length.min(offset - run.offset),
                    ..*run
                });
            }
            if run_end > end {
                let from = run.offset.max(end);
                runs.push(Run {
                    offset: from,
                    length: run_end - from,
                    ..*run
                });
            }
        }
        if fill != 0 {
            runs.push(Run {
                offset,
                length: end - offset,
                fill,
            });
        }
        runs.sort_by_key(|run| run.offset);
        runs.dedup_by(|next, run| {
            let joined = run.fill == next.fill && run.offset + run.length == next.offset;
            if joined {
                run.length += next.length;
            }
            joined
        });
        self.runs = runs;
    }

    /// Adds a run behind all others.
    fn append(&mut self, offset: u64, length: u64, fill: Fill) {
        match self.runs.last_mut() {
            _ if fill == 0 => {}
            Some(last) if last.fill == fill && last.offset + last.length == offset => {
                last.length += length;
            }
            Some(_) | None => self.runs.push(Run {
                offset,
                length,
                fill,
            }),
        }
    }

    /// Copies the bytes `offset..offset + length` of `other` over one's own.
    pub fn copy_from(&mut self, other: &Self, offset: u64, length: u64) {
        let end = offset.saturating_add(length);
        self.write(offset, length, 0);
        for run in &other.runs {
            let from = run.offset.max(offset);
            let to = (run.offset + run.length).min(end);
            if from < to {
                self.write(from, to - from, run.fill);
            }
        }
    }

    /// The same on a disk of another size: cut, or with zeros behind it.
    #[must_use]
    pub fn resized(&self, size: Size) -> Self {
        let mut resized = Self::zeros(size);
        for run in &self.runs {
            resized.write(run.offset, run.length, run.fill);
        }
        resized
    }

    /// The size of the disk.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// The runs that are not zero, in order.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The byte at `offset`.
    #[must_use]
    pub fn byte(&self, offset: u64) -> Fill {
        let run = self
            .runs
            .iter()
            .find(|run| (run.offset..run.offset + run.length).contains(&offset));
        run.map_or(0, |run| run.fill)
    }

    /// The first difference between what was expected (`self`) and `found`.
    #[must_use]
    pub fn difference(&self, found: &Self) -> Option<Difference> {
        if self.size != found.size {
            return Some(Difference::Size {
                expected: self.size,
                found: found.size,
            });
        }
        let edges = |content: &Self| {
            let ends = content
                .runs
                .iter()
                .flat_map(|run| [run.offset, run.offset + run.length]);
            ends.collect::<Vec<_>>()
        };
        // A byte can only differ from its predecessor at the edge of a run.
        let mut offsets = [edges(self), edges(found)].concat();
        offsets.sort_unstable();
        let differs = |offset: &u64| self.byte(*offset) != found.byte(*offset);
        let offset = offsets
            .into_iter()
            .filter(|offset| *offset < self.size.0)
            .find(differs)?;
        Some(Difference::Byte {
            offset,
            expected: self.byte(offset),
            found: found.byte(offset),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: u64 = 64;

    fn writes() -> impl Strategy<Value = Vec<(u64, u64, u8)>> {
        prop::collection::vec((0..SIZE + 8, 0..SIZE, 0_u8..4), 0..12)
    }

    fn both(writes: &[(u64, u64, u8)]) -> (Content, Vec<u8>) {
        let mut content = Content::zeros(Size(SIZE));
        let mut bytes = vec![0_u8; usize::try_from(SIZE).unwrap()];
        for &(offset, length, fill) in writes {
            content.write(offset, length, fill);
            for at in offset..(offset + length).min(SIZE) {
                bytes[usize::try_from(at).unwrap()] = fill;
            }
        }
        (content, bytes)
    }

    fn bytes_of(content: &Content) -> Vec<u8> {
        (0..SIZE).map(|offset| content.byte(offset)).collect()
    }

    proptest! {
        #[test]
        fn runs_hold_what_bytes_hold(writes in writes()) {
            let (content, bytes) = both(&writes);
            prop_assert_eq!(bytes_of(&content), bytes);
        }

        #[test]
        fn equal_bytes_are_equal_contents(a in writes(), b in writes()) {
            let ((a, a_bytes), (b, b_bytes)) = (both(&a), both(&b));
            let first = a_bytes.iter().zip(&b_bytes).position(|(a, b)| a != b);
            prop_assert_eq!(a == b, first.is_none());
            let found = a.difference(&b).map(|difference| match difference {
                Difference::Byte { offset, .. } => usize::try_from(offset).unwrap(),
                Difference::Size { .. } => usize::MAX,
            });
            prop_assert_eq!(found, first);
        }

        #[test]
        fn a_copy_takes_exactly_its_range(a in writes(), b in writes(), at in 0..SIZE, len in 0..SIZE) {
            let ((mut a, mut expected), (b, b_bytes)) = (both(&a), both(&b));
            a.copy_from(&b, at, len);
            let range = usize::try_from(at).unwrap()..usize::try_from((at + len).min(SIZE)).unwrap();
            expected[range.clone()].copy_from_slice(&b_bytes[range]);
            prop_assert_eq!(bytes_of(&a), expected);
        }
    }
}
