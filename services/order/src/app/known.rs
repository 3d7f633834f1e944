//! Users by answers of the user service that still hold.
//!
//! In a crowd the same users order again and again, and each order would wait for the same answer. The user
//! service vouches for each one for a while: whoever changes a user is told so only after that
//! ([`LOOKUP_HOLDS`]). So what is read here is never older than the last change that was answered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ordersys_chassis::Metrics;
use ordersys_chassis::prometheus_client::metrics::counter::Counter;
use ordersys_contract::UserId;
use ordersys_contract::user::{LOOKUP_HOLDS, UserSummary};

/// Users kept at most; then all are forgotten and asked for anew.
const MOST: usize = 4096;

/// The users that were asked for lately.
pub(crate) struct Known {
    users: Mutex<HashMap<UserId, (UserSummary, Instant)>>,
    spared: Counter,
}

impl Known {
    pub(crate) fn registered(metrics: &Metrics) -> Self {
        let spared = Counter::default();
        let help = "Look-ups that were spared because an earlier answer still held";
        metrics.register(|registry| registry.register("lookups_spared", help, spared.clone()));
        Self { users: Mutex::default(), spared }
    }

    fn users(&self) -> MutexGuard<'_, HashMap<UserId, (UserSummary, Instant)>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user, if an answer holds and is `good` for what it is wanted for.
    pub(super) fn get(
        &self,
        id: UserId,
        now: Instant,
        good: impl FnOnce(&UserSummary) -> bool,
    ) -> Option<UserSummary> {
        let users = self.users();
        let (user, until) = users.get(&id)?;
        let known = (now < *until && good(user)).then(|| user.clone());
        self.spared.inc_by(known.is_some().into());
        known
    }

    /// Keeps the answer to what was asked at that time.
    pub(super) fn keep(&self, user: &UserSummary, asked: Instant) {
        let mut users = self.users();
        if users.len() >= MOST {
            users.clear();
        }
        users.insert(user.id, (user.clone(), asked + LOOKUP_HOLDS));
    }
}

#[cfg(test)]
mod tests {
    use ordersys_chassis::Counting;
    use ordersys_contract::user::{UserKindName, UserStatus};

    use super::*;

    #[test]
    fn an_answer_holds_from_when_it_was_asked_for_and_is_judged_by_who_needs_it() {
        let known = Known::registered(&Metrics::new("test", Counting::On));
        let (kind, status) = (UserKindName::Guest, UserStatus::Active);
        let user = UserSummary { id: UserId::now(), name: "Ada".to_owned(), kind, status, token_epoch: 0 };
        let asked = Instant::now();
        known.keep(&user, asked);
        let (late, over) = (asked + LOOKUP_HOLDS.mul_f64(0.99), asked + LOOKUP_HOLDS);
        assert_eq!(known.get(user.id, late, |_| true), Some(user.clone()));
        assert_eq!(known.get(user.id, over, |_| true), None, "it is over");
        assert_eq!(known.get(user.id, asked, |_| false), None, "it is not good enough");
        assert_eq!(known.get(UserId::now(), asked, |_| true), None, "somebody else");
        assert_eq!(known.spared.get(), 1);
    }
}
