//! Double-entry books of a run: what was planned is what was sent or not, what was sent is what ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ordersys_workload::evidence::answer::Ending;

/// Where every planned request went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Requests the plan asked for.
    pub planned: u64,
    /// Requests that left.
    pub sent: u64,
    /// Answered as it should be.
    pub ok: u64,
    /// Answered with a refusal.
    pub refused: u64,
    /// Sent without a usable answer.
    pub failed: u64,
    /// Sent without an answer in time.
    pub timed_out: u64,
    /// Sent, then given up because the run was interrupted.
    pub aborted: u64,
    /// Never sent: too many were waiting already.
    pub skipped: u64,
    /// Never sent: still waiting when the run ended.
    pub unsent: u64,
}

impl Counters {
    /// Counts the end of a request.
    pub fn ended(&mut self, ending: Ending) {
        *match ending {
            Ending::Ok => &mut self.ok,
            Ending::Refused => &mut self.refused,
            Ending::Failed => &mut self.failed,
            Ending::TimedOut => &mut self.timed_out,
            Ending::Aborted => &mut self.aborted,
        } += 1;
    }

    /// Adds all of other counters.
    pub fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.sent += other.sent;
        self.ok += other.ok;
        self.refused += other.refused;
        self.failed += other.failed;
        self.timed_out += other.timed_out;
        self.aborted += other.aborted;
        self.skipped += other.skipped;
        self.unsent += other.unsent;
    }

    /// Requests that ended, however they did.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.ok + self.refused + self.failed + self.timed_out + self.aborted
    }

    /// Requests that wait to be sent. Never below zero: a request is planned before anything else.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.planned - self.sent - self.skipped - self.unsent
    }

    /// Requests that wait for their answer.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.sent - self.done()
    }

    /// Whether every request is accounted for; what is wrong if not. True once a run is over.
    pub fn balance(&self) -> Result<(), String> {
        let left = self.sent + self.skipped + self.unsent;
        if self.planned != left {
            return Err(format!("{} requests planned, {left} sent, skipped or unsent", self.planned));
        }
        if self.sent != self.done() {
            return Err(format!("{} requests sent, {} ended", self.sent, self.done()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_balance_or_say_what_is_wrong() {
        let counters = Counters {
            planned: 10,
            sent: 7,
            skipped: 2,
            unsent: 1,
            ok: 6,
            aborted: 1,
            ..Counters::default()
        };
        assert_eq!(counters.balance(), Ok(()));
        assert!(Counters { skipped: 1, ..counters }.balance().is_err());
        assert!(Counters { ok: 5, ..counters }.balance().is_err());
    }

    #[test]
    fn each_end_has_its_counter_and_counters_are_added_one_by_one() {
        let mut counters = Counters { planned: 16, sent: 9, skipped: 3, unsent: 2, ..Counters::default() };
        let ends = [Ending::Ok, Ending::Refused, Ending::Failed, Ending::TimedOut, Ending::Aborted];
        for ending in ends {
            counters.ended(ending);
        }
        counters.ended(Ending::Ok);
        let expected = Counters { ok: 2, refused: 1, failed: 1, timed_out: 1, aborted: 1, ..counters };
        assert_eq!(counters, expected);
        assert_eq!((counters.done(), counters.waiting(), counters.in_flight()), (6, 2, 3));
        let mut sum = counters;
        sum.add(&counters);
        let Counters { planned, sent, ok, refused, failed, timed_out, aborted, skipped, unsent } = sum;
        assert_eq!((planned, sent, skipped, unsent), (32, 18, 6, 4));
        assert_eq!([ok, refused, failed, timed_out, aborted], [4, 2, 2, 2, 2]);
    }
}
