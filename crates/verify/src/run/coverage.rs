//! How much of a system could be read, and which checks that leaves.

use crate::finding::{Check, Samples};
use crate::system::wire;

/// What a stored order's status means for its stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its units are sold to it.
    Live,
    /// Not decided yet.
    Open,
    /// It never had any units.
    Refused,
    /// It may have had units and gave them back.
    GaveBack,
}

impl Stage {
    /// Reads the status of a stored order; without one an order stands.
    #[must_use]
    pub fn of(order: &wire::Order) -> Self {
        match order.status.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("pending" | "aborting" | "cancelling") => Self::Open,
            Some("rejected" | "failed") => Self::Refused,
            Some("expired" | "aborted" | "cancelled" | "canceled") => Self::GaveBack,
            _ => Self::Live,
        }
    }
}

/// Which orders of the run's users could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// All of them.
    All,
    /// Those that were acknowledged, since orders cannot be listed for this reason.
    Acknowledged(String),
    /// None, for this reason.
    Nothing(String),
}

/// What sending acknowledged keys again showed.
#[derive(Debug, Default)]
pub struct Replays {
    /// Keys that were answered with another order.
    pub differing: Samples,
    /// Why no key was sent again.
    pub skipped: Option<String>,
}

/// Why a check that found nothing wrong could not be made, if it could not.
#[must_use]
pub fn skip_reason(
    check: Check,
    coverage: &Coverage,
    no_replays: Option<&str>,
    unresolved: Option<&str>,
) -> Option<String> {
    let no_list = match coverage {
        Coverage::All => None,
        Coverage::Acknowledged(reason) | Coverage::Nothing(reason) => Some(reason.as_str()),
    };
    let nothing = no_list.filter(|_| matches!(coverage, Coverage::Nothing(_)));
    let reason = match check {
        Check::NothingLost | Check::TotalsAddUp => nothing,
        Check::NoPhantom | Check::RefusalLeavesNoTrace => no_list,
        Check::NoDuplicate => no_replays,
        Check::WholeOrNothing => unresolved.or(nothing),
        Check::StockBalances
        | Check::NoNegativeStock
        | Check::NoOversell
        | Check::OutOfStockWasTrue
        | Check::MixAsAsked
        | Check::SkewAsAsked
        | Check::ArrivalsAsAsked => None,
    };
    reason.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_became_of_the_stock() {
        let of = |status: Option<&str>| {
            let status = status.map(str::to_owned);
            Stage::of(&wire::Order {
                id: "o".to_owned(),
                user_id: None,
                items: Vec::new(),
                total: None,
                status,
            })
        };
        for (stage, statuses) in [
            (Stage::Open, vec!["pending", "Aborting", "cancelling"]),
            (Stage::Refused, vec!["rejected", "FAILED"]),
            (Stage::GaveBack, vec!["expired", "aborted", "cancelled", "canceled"]),
            (Stage::Live, vec!["confirmed", "paid", "anything"]),
        ] {
            for status in statuses {
                assert_eq!(of(Some(status)), stage, "{status}");
            }
        }
        assert_eq!(of(None), Stage::Live);
    }

    #[test]
    fn what_cannot_be_read_is_skipped_and_nothing_else() {
        let skipped = |coverage: &Coverage, keys: Option<&str>, unknown: Option<&str>| {
            let all = Check::ALL.into_iter();
            let skipped = all.filter(|check| skip_reason(*check, coverage, keys, unknown).is_some());
            skipped.map(Check::id).collect::<Vec<_>>().join(" ")
        };
        let why = || "why".to_owned();
        assert_eq!(skipped(&Coverage::All, None, None), "");
        assert_eq!(skipped(&Coverage::All, Some("keys"), None), "V6");
        assert_eq!(skipped(&Coverage::All, None, Some("unknown")), "V7");
        assert_eq!(skipped(&Coverage::Acknowledged(why()), None, None), "V5 V8");
        assert_eq!(skipped(&Coverage::Nothing(why()), None, None), "V4 V5 V7 V8 V10");
    }
}
