//! Sizes and offsets in bytes, written the way people write them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number of bytes; `64K`, `16M` and `1G` are binary multiples, as in `qemu-img`.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Deserialize,
    Eq,
    Hash,
    JsonSchema,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
)]
#[serde(transparent)]
pub struct Size(pub u64);

const UNITS: [(char, u32); 4] = [('T', 40), ('G', 30), ('M', 20), ('K', 10)];

impl Size {
    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (letter, shift) in UNITS {
            if self.0 != 0 && self.0.trailing_zeros() >= shift {
                return write!(f, "{}{letter}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}

/// The text is not a size.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidSize {
    /// It is not a number followed by at most one unit letter.
    #[error("not a size: write a number with K, M, G or T, such as 64K or 16M")]
    Malformed,
    /// It does not fit into 63 bits, the most an image can hold.
    #[error("too large: a size is less than 8 EiB")]
    TooLarge,
}

impl FromStr for Size {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let unit = UNITS.iter().find(|(letter, _)| text.ends_with(*letter));
        let (digits, shift) = match unit {
            Some((_, shift)) => (&text[..text.len() - 1], *shift),
            None => (text, 0),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidSize::Malformed);
        }
        let count: u64 = digits.parse().map_err(|_| InvalidSize::TooLarge)?;
        let bytes = count.checked_mul(1 << shift).ok_or(InvalidSize::TooLarge)?;
        if bytes > i64::MAX.unsigned_abs() {
            return Err(InvalidSize::TooLarge);
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", 0)]
    #[case("512", 512)]
    #[case("64K", 65_536)]
    #[case("16M", 16_777_216)]
    fn reads_what_people_write(#[case] text: &str, #[case] bytes: u64) {
        assert_eq!(text.parse(), Ok(Size(bytes)));
        assert_eq!(Size(bytes).to_string(), text);
    }

    #[rstest]
    #[case("", InvalidSize::Malformed)]
    #[case("M", InvalidSize::Malformed)]
    #[case("-1", InvalidSize::Malformed)]
    #[case("64MB", InvalidSize::Malformed)]
    #[case("9999999999T", InvalidSize::TooLarge)]
    fn refuses_the_rest(#[case] text: &str, #[case] error: InvalidSize) {
        assert_eq!(text.parse::<Size>(), Err(error));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(bytes in 0..=i64::MAX.unsigned_abs()) {
            prop_assert_eq!(Size(bytes).to_string().parse(), Ok(Size(bytes)));
        }
    }
}
