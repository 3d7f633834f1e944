//! The idempotency keys of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::plan::scramble::scramble;

/// The bits of a rising key that count the orders of its run.
const COUNT: u128 = (1 << 36) - 1;

/// How the keys of a run follow each other. A store has to find each one again: keys that rise with time,
/// as UUIDs of version 7 do, lie side by side in it, random ones all over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Keys {
    /// Each above the one before: the form of UUIDs of version 7.
    #[default]
    Rising,
    /// Without an order, as UUIDs of version 4 are.
    Random,
}

/// An idempotency key: 16 bytes as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Keys {
    /// The key of an order by its number, in the run of this UUID of version 7.
    #[must_use]
    pub fn of(self, run: u128, number: u64) -> Key {
        match self {
            Self::Rising => Key::new(Uuid::from_u128((run & !COUNT) + (u128::from(number) & COUNT))),
            Self::Random => {
                let (high, low) = Uuid::from_u128(run).as_u64_pair();
                Key::new(Uuid::from_u64_pair(scramble(high ^ number), scramble(low.wrapping_add(number))))
            }
        }
    }
}

impl Key {
    fn new(uuid: Uuid) -> Self {
        let mut digits = [0; 32];
        uuid.simple().encode_lower(&mut digits);
        Self(digits)
    }

    /// The digits.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_differ_by_number_and_run_and_rise_if_they_are_to() {
        let runs = [0x0199_0000_0001_7aaa_8bbb_0000_0000_0001, 0x0199_0000_0002_7aaa_8bbb_0000_0000_0001];
        for (order, rises) in [(Keys::Rising, true), (Keys::Random, false)] {
            let keys: Vec<_> =
                runs.iter().flat_map(|run| (0..1000).map(|number| order.of(*run, number))).collect();
            assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 2000, "{order:?}");
            assert_eq!(keys.is_sorted(), rises, "{order:?}");
            let halves: HashSet<_> = keys.iter().map(|key| &key.as_bytes()[..16]).collect();
            assert_eq!(halves.len(), if rises { 2 } else { 2000 }, "{order:?}: no pattern in either half");
        }
        let key = Keys::Rising.of(runs[0], 5).to_string();
        let uuid = Uuid::parse_str(&key).expect("a UUID");
        assert_eq!(
            (uuid.get_version_num(), uuid.get_timestamp()),
            (7, Uuid::from_u128(runs[0]).get_timestamp())
        );
    }
}
