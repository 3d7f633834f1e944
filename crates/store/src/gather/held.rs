//! What is held back.

/// Bytes held back at most: about thirty pages.
const MOST: usize = 128 * 1024;

/// Bytes without a gap between them that are to be written to a file.
#[derive(Debug, Default)]
pub(super) struct Held {
    at: i64,
    bytes: Vec<u8>,
}

impl Held {
    /// Takes bytes for a place in the file that lies among those held or right behind them. Where it lies
    /// anywhere else, or there is no room, nothing is taken: the others have to be written first.
    pub(super) fn take(&mut self, at: i64, bytes: &[u8]) -> bool {
        if self.bytes.is_empty() {
            self.at = at;
        }
        let Some(from) = at.checked_sub(self.at).and_then(|from| usize::try_from(from).ok()) else {
            return false;
        };
        let to = from.saturating_add(bytes.len());
        if from > self.bytes.len() || to > MOST {
            return false;
        }
        let (over, behind) = bytes.split_at(bytes.len().min(self.bytes.len() - from));
        self.bytes[from..from + over.len()].copy_from_slice(over);
        self.bytes.extend_from_slice(behind);
        true
    }

    /// What is held, and where it belongs. `None` if nothing is.
    pub(super) fn pending(&self) -> Option<(i64, &[u8])> {
        (!self.bytes.is_empty()).then_some((self.at, self.bytes.as_slice()))
    }

    /// Forgets what is held.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A file as it is after all writes, with those held written last.
    fn written(writes: &[(u8, Vec<u8>)]) -> (Vec<u8>, usize) {
        let (mut file, mut held, mut calls) = (vec![0; 1024], Held::default(), 0);
        let mut write = |at: i64, bytes: &[u8]| {
            let at = usize::try_from(at).expect("a place");
            file[at..at + bytes.len()].copy_from_slice(bytes);
            calls += 1;
        };
        for (at, bytes) in writes {
            if !held.take(i64::from(*at), bytes) {
                held.pending().into_iter().for_each(|(at, bytes)| write(at, bytes));
                held.clear();
                assert!(held.take(i64::from(*at), bytes), "an empty one takes what there is room for");
            }
        }
        held.pending().into_iter().for_each(|(at, bytes)| write(at, bytes));
        (file, calls)
    }

    proptest! {
        #[test]
        fn a_file_is_the_same_however_many_writes_are_gathered(
            writes in prop::collection::vec((0..200u8, prop::collection::vec(any::<u8>(), 1..64)), 1..20)
        ) {
            let mut plain = vec![0; 1024];
            for (at, bytes) in &writes {
                plain[usize::from(*at)..usize::from(*at) + bytes.len()].copy_from_slice(bytes);
            }
            prop_assert_eq!(written(&writes).0, plain);
        }
    }

    #[test]
    fn what_follows_or_overwrites_is_one_write_and_a_gap_is_two() {
        let calls = |writes: &[(u8, Vec<u8>)]| written(writes).1;
        assert_eq!(calls(&[(10, vec![1; 4]), (14, vec![2; 4]), (18, vec![3; 4])]), 1);
        assert_eq!(calls(&[(10, vec![1; 8]), (12, vec![2; 4]), (12, vec![3; 9])]), 1);
        assert_eq!(calls(&[(10, vec![1; 4]), (15, vec![2; 4])]), 2, "a gap");
        assert_eq!(calls(&[(10, vec![1; 4]), (9, vec![2; 4])]), 2, "before the others");
    }

    #[test]
    fn no_more_than_the_most_is_held() {
        let mut held = Held::default();
        assert!(held.take(0, &vec![1; MOST]));
        assert!(!held.take(1, &vec![1; MOST]), "no room");
        held.clear();
        assert!(held.pending().is_none() && !held.take(0, &vec![1; MOST + 1]), "too much at once");
    }
}
