//! What the order path asks of users, kept in memory: every order asks, and few users ever change.
//!
//! What is kept is never older than the last change that was answered: a change makes its user forgotten
//! before its caller is answered, and what was read while it happened is not kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ordersys_contract::UserId;
use ordersys_contract::user::UserSummary;

/// Users kept at most, about 10 MB; then all are forgotten and read anew.
const MOST: usize = 65_536;

/// The users that were asked for; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    summaries: HashMap<UserId, UserSummary>,
    changes: u64,
}

/// How many changes there had been when reading began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading(u64);

impl Known {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of these users, in order, if each of them is kept; else what reading them has to hand in later.
    pub(super) fn all(&self, ids: &[UserId]) -> Result<Vec<Option<UserSummary>>, Reading> {
        let state = self.state();
        let found = ids.iter().map(|id| state.summaries.get(id).cloned().map(Some)).collect();
        Option::ok_or(found, Reading(state.changes))
    }

    /// Keeps what was read, unless something changed meanwhile.
    pub(super) fn keep(&self, reading: Reading, found: &[Option<UserSummary>]) {
        let mut state = self.state();
        if reading != Reading(state.changes) {
            return;
        }
        for summary in found.iter().flatten() {
            if state.summaries.len() >= MOST {
                state.summaries.clear();
            }
            state.summaries.insert(summary.id, summary.clone());
        }
    }

    /// Forgets a user that was changed. To be called before the change is answered.
    pub(super) fn forget(&self, id: UserId) {
        let mut state = self.state();
        state.changes += 1;
        state.summaries.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use ordersys_contract::user::{UserKindName, UserStatus};

    use super::*;

    fn summary(id: UserId, epoch: u64) -> UserSummary {
        let (kind, status) = (UserKindName::Registered, UserStatus::Active);
        UserSummary { id, name: "Ada".to_owned(), kind, status, token_epoch: epoch }
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let (known, id) = (Known::default(), UserId::now());
        let early = known.all(&[id]).expect_err("no user is known");
        known.forget(id);
        known.keep(early, &[Some(summary(id, 0))]);
        let late = known.all(&[id]).expect_err("it was read before the change");
        known.keep(late, &[Some(summary(id, 1)), None]);
        assert_eq!(known.all(&[id]), Ok(vec![Some(summary(id, 1))]));
        known.all(&[id, UserId::now()]).expect_err("one of them is not known");
        known.forget(id);
        known.all(&[id]).expect_err("it was changed");
    }
}
