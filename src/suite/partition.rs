//! Parts of a suite, for machines that share the work.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use twox_hash::XxHash64;

/// One of several parts that the names fall into, `hash:M/N`.
///
/// A scenario belongs to the part that the `XXH64` hash of its name, with seed 0, divided by the
/// number of parts leaves as remainder. That is the same in every build and version, and does not
/// depend on which other scenarios there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Partition {
    /// Which part, from 1.
    part: NonZeroU64,
    /// How many there are.
    parts: NonZeroU64,
}

/// The text names no partition.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("write hash:M/N, with M from 1 to N, such as hash:1/4")]
pub struct InvalidPartition;

impl Partition {
    /// Whether the scenario of this name belongs to it.
    #[must_use]
    pub fn holds(self, name: &str) -> bool {
        XxHash64::oneshot(0, name.as_bytes()) % self.parts == self.part.get() - 1
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hash:{}/{}", self.part, self.parts)
    }
}

impl FromStr for Partition {
    type Err = InvalidPartition;

    fn from_str(text: &str) -> Result<Self, InvalidPartition> {
        let (part, parts) = text
            .strip_prefix("hash:")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(InvalidPartition)?;
        let number = |text: &str| text.parse().map_err(|_| InvalidPartition);
        let (part, parts) = (number(part)?, number(parts)?);
        if part > parts {
            return Err(InvalidPartition);
        }
        Ok(Self { part, parts })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("hash:1/1", true)]
    #[case("hash:4/4", true)]
    #[case("hash:0/4", false)]
    #[case("hash:5/4", false)]
    #[case("hash:1/0", false)]
    #[case("hash:1", false)]
    #[case("hash:-1/2", false)]
    #[case("hash:1/2/3", false)]
    #[case("1/4", false)]
    #[case("count:1/4", false)]
    fn only_hash_m_of_n_is_a_partition(#[case] text: &str, #[case] is_one: bool) {
        match text.parse::<Partition>() {
            Ok(partition) => assert_eq!((partition.to_string().as_str(), true), (text, is_one)),
            Err(InvalidPartition) => assert!(!is_one, "{text}"),
        }
    }

    /// Machines of different builds share the work: these values never change.
    #[test]
    fn the_hash_is_the_documented_one() {
        assert_eq!(XxHash64::oneshot(0, b""), 0xEF46_DB37_51D8_E999);
        assert_eq!(XxHash64::oneshot(0, b"a"), 0xD24E_C4F1_A98C_6E5B);
        let part = |name: &str| {
            let mut parts = (1..=4_u64).map(|part| format!("hash:{part}/4").parse().unwrap());
            parts.position(|part: Partition| part.holds(name))
        };
        assert_eq!(part("seed/checkpoint-on-raw-disk-refused"), Some(1));
        assert_eq!(
            part("seed/redefine-validate-after-image-recreated"),
            Some(3)
        );
    }

    proptest! {
        #[test]
        fn parts_are_disjoint_and_complete(name in ".{0,40}", parts in 1_u64..50) {
            let holding = (1..=parts)
                .map(|part| format!("hash:{part}/{parts}").parse::<Partition>().unwrap())
                .filter(|part| part.holds(&name))
                .count();
            prop_assert_eq!(holding, 1);
        }
    }
}
