//! Removing test data that no order needs.
//!
//! An order begins with a look-up of its user. Of a user that is test data this is noted before the look-up is
//! answered, and only users of whom it is not noted are removed; neither happens during the other. So a user who is
//! gone was never found for an order, and one who was found stays.

use std::collections::HashSet;
use std::time::Duration;

use ordersys_contract::test_data::{CLEANUP_ROWS, Cleaned, Cleanup};
use ordersys_contract::user::UserSummary;
use ordersys_contract::{Timestamp, UserId};

/// A user that is test data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) id: UserId,
    /// Whether an order may have been made for this user.
    pub(super) used: bool,
    pub(super) made: Timestamp,
}

/// What becomes of candidates.
#[derive(Debug)]
pub(super) struct Sorted {
    pub(super) cleaned: Cleaned<UserId>,
    /// Those that are to be removed.
    pub(super) removed: Vec<UserId>,
}

/// Decides which of the next candidates go.
pub(super) fn sorted(candidates: &[Candidate], step: &Cleanup<UserId>, now: Timestamp) -> Sorted {
    let last = now.before(Duration::from_secs(step.older_than.into()));
    let mut cleaned = Cleaned { removed: 0, kept: 0, young: 0, next: None };
    let mut removed = Vec::new();
    for candidate in candidates {
        if candidate.used {
            cleaned.kept += 1;
        } else if candidate.made > last {
            cleaned.young += 1;
        } else {
            removed.push(candidate.id);
            cleaned.removed += 1;
        }
    }
    let is_full = candidates.len() == CLEANUP_ROWS as usize;
    cleaned.next = candidates.last().filter(|_| is_full).map(|candidate| candidate.id);
    Sorted { cleaned, removed }
}

/// Users that are gone by now were not found.
pub(super) fn take_gone(summaries: &mut [Option<UserSummary>], gone: &HashSet<UserId>) {
    for summary in summaries {
        summary.take_if(|summary| gone.contains(&summary.id));
    }
}
