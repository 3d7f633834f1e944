//! The idempotency key of an order.

use super::digits::{hex, scramble};

/// An idempotency key: 16 bytes as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of an order by its number, in a run that has this mark.
    pub(super) fn of(run: u128, number: u64) -> Self {
        let bytes = run.to_be_bytes();
        let half = |at: usize| u64::from_be_bytes(std::array::from_fn(|index| bytes[at + index]));
        let mut digits = [0; 32];
        hex(scramble(half(0) ^ number), &mut digits[..16]);
        hex(scramble(half(8).wrapping_add(number)), &mut digits[16..]);
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
