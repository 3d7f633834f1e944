//! How ids that follow time are made: UUIDs of version 7 that a clock which jumped does no lasting harm to.
//!
//! The usual ways of making them never go back: after a clock was an hour ahead for a moment, all ids of an hour
//! are of that moment, and count on in it. Here they go back with the clock.

use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// By how much the clock may go back, in milliseconds, before ids go back with it. Less is made up by counting.
const TREMOR: u64 = 100;
/// Ids of one millisecond: as many as the last 15 bits of their count tell apart, by which orders are placed.
const MOST: u32 = 1 << 15;
/// Bits of the count in an id. The first one is spared at the beginning, so that it never overflows.
const COUNT_BITS: u32 = 42;

/// What the last id was made of.
#[derive(Debug)]
pub(super) struct Maker {
    millis: u64,
    count: u64,
    /// Ids made of this millisecond.
    made: u32,
}

static MAKER: Mutex<Maker> = Mutex::new(Maker { millis: 0, count: 0, made: MOST });

/// The next id of this process, at this time in milliseconds since the Unix epoch.
pub(super) fn next(now: u64) -> Uuid {
    let random = Uuid::new_v4().as_u128();
    MAKER.lock().unwrap_or_else(PoisonError::into_inner).next(now, random)
}

impl Maker {
    /// Of a random number, the lowest 32 and the highest 41 bits are used.
    fn next(&mut self, now: u64, random: u128) -> Uuid {
        let went_back = now.saturating_add(TREMOR) < self.millis;
        if now > self.millis || went_back {
            self.begin(now, random);
        } else if self.made == MOST {
            self.begin(self.millis + 1, random);
        } else {
            self.count += 1;
            self.made += 1;
        }
        let count = u128::from(self.count);
        let (high, low) = ((count >> 30) & 0xfff, count & 0x3fff_ffff);
        let time = u128::from(self.millis) << 80;
        // No two parts have a bit in common.
        Uuid::from_u128(time + (7 << 76) + (high << 64) + (0b10 << 62) + (low << 32) + (random & 0xffff_ffff))
    }

    fn begin(&mut self, millis: u64, random: u128) {
        let count = random >> (128 - (COUNT_BITS - 1));
        *self = Self { millis, count: u64::try_from(count).unwrap_or_default(), made: 1 };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NOW: u64 = 1_700_000_000_000;
    const HOUR: u64 = 3_600_000;

    fn made(maker: &mut Maker, now: u64) -> Uuid {
        maker.next(now, Uuid::new_v4().as_u128())
    }

    fn millis(id: Uuid) -> u64 {
        u64::try_from(id.as_u128() >> 80).expect("48 bits")
    }

    fn new() -> Maker {
        Maker { millis: 0, count: 0, made: MOST }
    }

    #[test]
    fn ids_are_of_version_7_and_rise_while_the_clock_does_or_trembles() {
        let mut maker = new();
        let mut last = made(&mut maker, NOW);
        for step in 0..200_000 {
            let id = made(&mut maker, NOW + step / 50_000 * 3 - step % 3);
            assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
            assert!(id > last, "{id} after {last}");
            last = id;
        }
        assert!(millis(last) <= NOW + 9 + 7, "and stay near the clock: {last}");
    }

    #[test]
    fn a_clock_that_was_ahead_leaves_no_trace_in_the_ids_after_it() {
        let mut maker = new();
        made(&mut maker, NOW);
        assert_eq!(millis(made(&mut maker, NOW + HOUR)), NOW + HOUR);
        // By far more than one millisecond has room for.
        let mut places = HashSet::new();
        for step in 0..100_000 {
            let id = made(&mut maker, NOW + 2_000 + step / 10);
            assert_eq!(millis(id), NOW + 2_000 + step / 10);
            places.insert((millis(id), (id.as_u128() >> 32) & 0x7fff));
        }
        assert_eq!(places.len(), 100_000);
    }

    /// The count in an id.
    fn count(id: Uuid) -> u128 {
        let bits = id.as_u128();
        (((bits >> 64) & 0xfff) << 30) + ((bits >> 32) & 0x3fff_ffff)
    }

    #[test]
    fn an_id_holds_the_time_its_count_and_what_is_random() {
        for before in [0, 0x3fff_ffff, 0x123_4567_89ab, (1 << 41) - 2] {
            let mut maker = Maker { millis: NOW, count: before, made: 1 };
            let id = maker.next(NOW, 0xdead_beef_0123_4567);
            assert_eq!((millis(id), count(id)), (NOW, u128::from(before + 1)));
            assert_eq!(id.as_u128() & 0xffff_ffff, 0x0123_4567);
        }
    }

    #[test]
    fn counting_begins_at_random_with_room_for_all_ids_of_a_millisecond() {
        let first = |random| count(new().next(NOW, random));
        assert_eq!((first(0), first(u128::MAX)), (0, (1 << 41) - 1), "one bit is spared");
        let mut maker = new();
        let mut places = HashSet::new();
        for _ in 0..3 * MOST {
            let id = made(&mut maker, NOW);
            assert!(places.insert((millis(id), count(id) & 0x7fff)), "{id} has the place of an earlier one");
        }
        assert_eq!(millis(made(&mut maker, NOW)), NOW + 3, "each millisecond was used up");
    }

    #[test]
    fn ids_follow_the_clock_once_it_goes_back_by_more_than_it_trembles() {
        for (back, is_followed) in [(TREMOR, false), (TREMOR + 1, true)] {
            let mut maker = new();
            made(&mut maker, NOW);
            let expected = if is_followed { NOW - back } else { NOW };
            assert_eq!(millis(made(&mut maker, NOW - back)), expected, "back by {back} ms");
        }
    }
}
