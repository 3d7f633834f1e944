//! Which keys sign and verify at a time. Pure.
//!
//! A key is published a while before it signs, so that every service knows it by then, and stays
//! published until the last token it signed has expired.

use std::time::Duration;

use ordersys_contract::Timestamp;
use ordersys_token::{CLOCK_SKEW, LIFETIME, PrivateKey};

/// How long a key is published before it signs, unless keys live shorter than twice that.
const LEAD: Duration = Duration::from_mins(5);

/// A key and when it was made.
#[derive(Debug, Clone)]
pub(crate) struct Aged {
    pub(crate) key: PrivateKey,
    pub(crate) made: Timestamp,
}

/// Whether a time can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// The clock has shown it for a while.
    Sure,
    /// The clock may just have jumped.
    Unsure,
}

/// The keys of the service, the oldest first; never none.
#[derive(Debug, Clone)]
pub(crate) struct Ring {
    keys: Vec<Aged>,
    age: Duration,
}

impl Ring {
    /// The ring of these keys, each of which signs for `age`.
    pub(crate) fn new(mut keys: Vec<Aged>, age: Duration) -> Self {
        keys.sort_by_key(|aged| aged.made);
        Self { keys, age }
    }

    fn lead(&self) -> Duration {
        LEAD.min(self.age / 2)
    }

    /// The ring as it should be now, if it should change: a new key when the newest is old, none that
    /// is not needed. What a time may only be that cannot be told for sure is enough for a new key, not for
    /// the end of one.
    pub(crate) fn turned(mut self, now: Timestamp, certainty: Certainty) -> Option<Self> {
        let before: Vec<_> = self.keys.iter().map(|aged| aged.made).collect();
        if certainty == Certainty::Sure {
            self.age(now);
        }
        let due = self.keys.last().is_none_or(|newest| newest.made.after(self.age) <= now);
        if due {
            self.keys.push(Aged { key: PrivateKey::random(), made: now });
        }
        let is_changed = !self.keys.iter().map(|aged| aged.made).eq(before);
        is_changed.then_some(self)
    }

    /// Forgets keys that are not needed any more. One that was made while the clock was ahead counts from now
    /// on: it would else be the newest, and never old, until then.
    fn age(&mut self, now: Timestamp) {
        for aged in &mut self.keys {
            if aged.made > now.after(CLOCK_SKEW) {
                aged.made = now;
            }
        }
        let superseded = |next: &Aged| {
            let last_use = next.made.after(self.lead() + LIFETIME + CLOCK_SKEW);
            last_use < now
        };
        let needless = self.keys.iter().skip(1).filter(|next| superseded(next)).count();
        self.keys.drain(..needless);
    }

    /// The key that signs now: the newest that has been published long enough.
    pub(crate) fn signer(&self, now: Timestamp) -> Option<&PrivateKey> {
        let known = |aged: &&Aged| aged.made.after(self.lead()) <= now;
        self.keys.iter().rev().find(known).or(self.keys.first()).map(|aged| &aged.key)
    }

    /// All keys, the oldest first.
    pub(crate) fn keys(&self) -> &[Aged] {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration::from_hours(24);
    const MINUTE: i64 = 60_000;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * MINUTE)
    }

    fn turned(ring: Ring, minutes: i64) -> Ring {
        ring.clone().turned(at(minutes), Certainty::Sure).unwrap_or(ring)
    }

    #[test]
    fn a_key_is_known_before_it_signs_and_after() {
        let day = 24 * 60;
        let first = turned(Ring::new(Vec::new(), AGE), 0);
        let old = first.signer(at(0)).expect("a first start signs at once").kid().to_owned();
        let same = turned(first, day - 1);
        assert_eq!(same.keys().len(), 1);
        let both = turned(same, day);
        assert_eq!(both.keys().len(), 2);
        assert_eq!(
            both.signer(at(day + 4)).map(PrivateKey::kid),
            Some(old.as_str()),
            "not known everywhere yet"
        );
        let new = both.signer(at(day + 5)).expect("signs").kid().to_owned();
        assert_ne!(new, old);
        let both = turned(both, day + 15);
        assert_eq!(both.keys().len(), 2, "a token of the old key may still be good");
        let one = turned(both, day + 16);
        assert_eq!(one.keys().len(), 1);
        assert_eq!(one.signer(at(day + 16)).map(PrivateKey::kid), Some(new.as_str()));
    }

    #[test]
    fn a_service_that_slept_long_makes_one_key() {
        let ring = turned(Ring::new(Vec::new(), AGE), 0);
        let ring = turned(ring, 1_000_000);
        assert_eq!(ring.keys().len(), 2, "the new one has to be published first");
        assert!(ring.turned(at(1_000_001), Certainty::Sure).is_none());
    }

    #[test]
    fn a_time_that_may_be_wrong_ends_no_key() {
        let day = 24 * 60;
        let both = turned(turned(Ring::new(Vec::new(), AGE), 0), day);
        assert!(
            both.clone().turned(at(day + 60), Certainty::Unsure).is_none(),
            "tokens of the first are good"
        );
        let three = both.turned(at(day * 3), Certainty::Unsure).expect("a key that may be due does no harm");
        assert_eq!(three.keys().len(), 3);
        let known = |ring: &Ring, minutes| ring.signer(at(minutes)).expect("signs").kid().to_owned();
        let right = turned(three.clone(), day + 6);
        assert_eq!(known(&right, day + 6), known(&three, day + 6), "a key from the future does not sign");
        let later = turned(right, day + 12);
        assert_eq!(known(&later, day + 12), later.keys().last().expect("some").key.kid(), "but soon it does");
    }

    #[test]
    fn keys_that_live_shortly_are_published_for_half_their_life() {
        let ring = turned(Ring::new(Vec::new(), Duration::from_mins(4)), 0);
        let both = turned(ring, 4);
        let signs = |millis| both.signer(Timestamp::from_millis(millis)).expect("signs").kid().to_owned();
        let [old, new] = both.keys() else { panic!("two keys") };
        assert_eq!(
            (signs(6 * MINUTE - 1).as_str(), signs(6 * MINUTE).as_str()),
            (old.key.kid(), new.key.kid())
        );
    }

    #[test]
    fn the_moment_at_which_a_key_ends_and_one_counts_as_of_the_future() {
        let skew = i64::try_from(CLOCK_SKEW.as_millis()).expect("few");
        let day = 24 * 60;
        let both = turned(turned(Ring::new(Vec::new(), AGE), 0), day);
        let last = (day + 15) * MINUTE + skew;
        let keys = |now| {
            both.clone().turned(Timestamp::from_millis(now), Certainty::Sure).map(|ring| ring.keys.len())
        };
        assert_eq!((keys(last), keys(last + 1)), (None, Some(1)), "its last token has expired");
        let key = |made| Aged { key: PrivateKey::random(), made: Timestamp::from_millis(made) };
        for (ahead, becomes) in [(skew, None), (skew + 1, Some(at(day)))] {
            let ring = Ring::new(vec![key(day * MINUTE + ahead)], AGE);
            let turned = ring.turned(at(day), Certainty::Sure);
            assert_eq!(turned.map(|ring| ring.keys[0].made), becomes, "made {ahead} ms ahead");
        }
    }
}
