//! A short form for lists of ids and counts in rows of which there may be very many.

/// Bits of a count in each byte; the highest bit says that more follow.
const BITS: u32 = 7;

/// Writes ids and counts one after the other.
#[derive(Debug, Default)]
pub struct Packer(Vec<u8>);

impl Packer {
    /// Adds an id.
    pub fn id(&mut self, id: &[u8; 16]) -> &mut Self {
        self.0.extend_from_slice(id);
        self
    }

    /// Adds a count: one byte below 128, at most ten.
    pub fn count(&mut self, mut count: u64) -> &mut Self {
        while count >> BITS > 0 {
            self.0.push(0x80 | low(count));
            count >>= BITS;
        }
        self.0.push(low(count));
        self
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

fn low(count: u64) -> u8 {
    (count & 0x7f).to_le_bytes()[0]
}

/// Reads what a [`Packer`] wrote, in the same order. Each reading is `None` where the bytes are of no packer.
#[derive(Debug)]
pub struct Unpacker<'a>(&'a [u8]);

impl<'a> Unpacker<'a> {
    /// Reads from the start.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next id.
    pub fn id(&mut self) -> Option<[u8; 16]> {
        let (id, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*id)
    }

    /// The next count.
    pub fn count(&mut self) -> Option<u64> {
        let mut count = 0;
        for shift in (0..u64::BITS).step_by(BITS as usize) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            count |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(count);
            }
        }
        None
    }

    /// A list: how many there are, then each of them.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()?;
        // Each takes a byte at least: a wrong count ends soon.
        (0..count).map(|_| item(self)).collect()
    }

    /// Whether all was read.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_read_and_rubbish_is_not() {
        let counts = [0, 1, 127, 128, 10_000, u64::from(u32::MAX), u64::MAX];
        let mut packer = Packer::default();
        packer.count(counts.len() as u64);
        for count in counts {
            packer.count(count).id(&[7; 16]);
        }
        let bytes = packer.into_bytes();
        let mut unpacker = Unpacker::new(&bytes);
        let read = unpacker.list(|unpacker| Some((unpacker.count()?, unpacker.id()?)));
        assert_eq!(read, Some(counts.map(|count| (count, [7; 16])).to_vec()));
        assert!(unpacker.is_at_end());
        for length in 0..bytes.len() {
            let mut short = Unpacker::new(&bytes[..length]);
            assert_eq!(short.list(|short| Some((short.count()?, short.id()?))), None, "{length}");
        }
        assert_eq!(Unpacker::new(&[0xff; 32]).count(), None);
    }
}
