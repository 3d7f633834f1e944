//! What one stretch of a run measured: counters, answers by kind, times. Fixed size, cheap to merge.

use crate::measure::counters::Counters;
use crate::measure::distribution::Distribution;
use ordersys_workload::evidence::answer::{Ending, Judged};
use ordersys_workload::model::clock::Moment;

/// Kinds of answers told apart; what comes beyond shares one row.
const MAX_KINDS: usize = 64;
/// Most characters of an answer kept as an example.
const EXAMPLE_CHARS: usize = 240;

/// How often one kind of answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// How the requests ended.
    pub ending: Ending,
    /// The HTTP status, 0 where none came.
    pub status: u16,
    /// The problem code or kind of failure.
    pub code: Box<str>,
    /// How often.
    pub count: u64,
    /// One of them, for a person; empty for those answered as they should be.
    pub example: Box<str>,
}

impl Kind {
    fn same(&self, ending: Ending, status: u16, code: &str) -> bool {
        self.status == status && self.ending == ending && &*self.code == code
    }
}

/// The four instants of one request.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// When it should have left.
    pub planned: Moment,
    /// When the generator noticed.
    pub woken: Moment,
    /// When it left.
    pub sent: Moment,
    /// When the whole answer was there, or the waiting over.
    pub done: Moment,
}

/// What a stretch of a run measured.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// Where the requests that count went.
    pub counters: Counters,
    /// Requests answered as they should be, within the window by the time they finished: the throughput.
    pub finished: u64,
    /// Tries beyond the first of each request.
    pub retries: u64,
    /// Answers by kind.
    pub kinds: Vec<Kind>,
    /// From the plan to the answer of requests answered as they should be: free of coordinated omission.
    pub response: Distribution,
    /// From sending to that answer.
    pub service: Distribution,
    /// From waking to sending.
    pub wait: Distribution,
    /// From the plan to waking: the generator's fault.
    pub lag: Distribution,
    /// From sending to the answer of refusals.
    pub refusals: Distribution,
}

impl Recording {
    /// Counts the end of a request: in the counters, by kind and in the times.
    pub fn ended(&mut self, judged: &Judged<'_>, times: Times, example: impl FnOnce() -> String) {
        self.counters.ended(judged.ending);
        self.count(judged, example);
        let service = times.done.nanos_since(times.sent);
        match judged.ending {
            Ending::Ok => {
                self.response.record(times.done.nanos_since(times.planned));
                self.service.record(service);
            }
            Ending::TimedOut | Ending::Aborted => {
                self.response.record_at_least(times.done.nanos_since(times.planned));
                self.service.record_at_least(service);
            }
            Ending::Refused => self.refusals.record(service),
            Ending::Failed => {}
        }
        self.lag.record(times.woken.nanos_since(times.planned));
        self.wait.record(times.sent.nanos_since(times.woken));
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counters == Counters::default() && self.finished == 0
    }

    /// Counts a planned request that was still waiting for that long when the run ended.
    pub fn unsent(&mut self, waited: u64) {
        self.counters.unsent += 1;
        self.response.record_at_least(waited);
    }

    fn count(&mut self, judged: &Judged<'_>, example: impl FnOnce() -> String) {
        let (ending, status, code) = (judged.ending, judged.status, &*judged.code);
        if let Some(kind) = self.kinds.iter_mut().find(|kind| kind.same(ending, status, code)) {
            kind.count += 1;
            return;
        }
        let example = match ending {
            Ending::Ok => Box::from(""),
            _ => shown(&example()),
        };
        self.add_kind(Kind { ending, status, code: shown(code), count: 1, example });
    }

    fn add_kind(&mut self, kind: Kind) {
        let Kind { ending, status, code, .. } = &kind;
        if let Some(known) = self.kinds.iter_mut().find(|known| known.same(*ending, *status, code)) {
            known.count += kind.count;
        } else if self.kinds.len() < MAX_KINDS || &*kind.code == "other" {
            self.kinds.push(kind);
        } else {
            self.add_kind(Kind { status: 0, code: "other".into(), ..kind });
        }
    }

    /// Adds all of another recording.
    pub fn merge(&mut self, other: &Self) {
        self.counters.add(&other.counters);
        self.finished += other.finished;
        self.retries += other.retries;
        other.kinds.iter().for_each(|kind| self.add_kind(kind.clone()));
        for (mine, theirs) in self.distributions().into_iter().zip(other.all()) {
            mine.merge(theirs);
        }
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.counters = Counters::default();
        self.finished = 0;
        self.retries = 0;
        self.kinds.clear();
        self.distributions().into_iter().for_each(Distribution::clear);
    }

    fn distributions(&mut self) -> [&mut Distribution; 5] {
        [&mut self.response, &mut self.service, &mut self.wait, &mut self.lag, &mut self.refusals]
    }

    fn all(&self) -> [&Distribution; 5] {
        [&self.response, &self.service, &self.wait, &self.lag, &self.refusals]
    }
}

/// The beginning of what a system said, with all that could steer a terminal escaped.
fn shown(text: &str) -> Box<str> {
    let mut shown = String::new();
    for letter in text.chars().take(EXAMPLE_CHARS) {
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    if text.chars().nth(EXAMPLE_CHARS).is_some() {
        shown.push('…');
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use ordersys_workload::evidence::answer::judge;

    fn times() -> Times {
        let at = |millis| Moment::at(Duration::from_millis(millis));
        Times { planned: at(0), woken: at(1), sent: at(3), done: at(10) }
    }

    #[test]
    fn every_interval_goes_to_its_own_distribution() {
        let mut recording = Recording::default();
        recording.ended(&judge(201, br#"{"id":"a"}"#), times(), String::new);
        let longest = |distribution: &Distribution| distribution.quantile(1.0).nanos / 1_000_000;
        assert_eq!(longest(&recording.lag), 1);
        assert_eq!(longest(&recording.wait), 2);
        assert_eq!(longest(&recording.service), 7);
        assert_eq!(longest(&recording.response), 10);
    }

    #[test]
    fn unanswered_requests_bound_the_response_and_refusals_stay_apart() {
        let mut recording = Recording::default();
        recording.ended(&Judged::unanswered(Ending::TimedOut, "timeout"), times(), String::new);
        recording.ended(&judge(409, b"{}"), times(), String::new);
        recording.ended(&Judged::unanswered(Ending::Failed, "reset"), times(), String::new);
        assert_eq!(recording.response.len(), 1);
        assert!(recording.response.quantile(0.5).at_least);
        assert_eq!(recording.refusals.len(), 1);
        assert_eq!(
            (recording.counters.timed_out, recording.counters.refused, recording.counters.failed),
            (1, 1, 1)
        );
    }

    #[test]
    fn kinds_are_bounded_and_nothing_is_lost() {
        let mut recording = Recording::default();
        for status in 400..500 {
            recording.ended(&judge(status, b"{}"), times(), || "why".to_owned());
        }
        assert_eq!(recording.kinds.len(), MAX_KINDS + 1);
        assert_eq!(recording.kinds.iter().map(|kind| kind.count).sum::<u64>(), 100);
        assert_eq!(&*recording.kinds[0].example, "why");
        let mut sum = Recording::default();
        sum.merge(&recording);
        sum.merge(&recording);
        assert_eq!(sum.kinds.iter().map(|kind| kind.count).sum::<u64>(), 200);
    }

    #[test]
    fn what_a_system_says_cannot_steer_a_terminal() {
        let mut recording = Recording::default();
        let code = "\u{1b}[2J";
        let refused = Judged { code: code.into(), ..judge(409, b"{}") };
        for _ in 0..2 {
            recording.ended(&refused, times(), || "bell \u{7} and \u{9b}1m".to_owned());
        }
        let kinds: Vec<_> =
            recording.kinds.iter().map(|kind| (&*kind.code, &*kind.example, kind.count)).collect();
        assert_eq!(kinds, [("\\u{1b}[2J", "bell \\u{7} and \\u{9b}1m", 2)]);
    }

    #[test]
    fn a_request_that_was_never_sent_bounds_the_response() {
        let mut recording = Recording::default();
        assert!(recording.is_empty());
        recording.unsent(7_000_000);
        let bound = recording.response.quantile(1.0);
        assert_eq!((recording.counters.unsent, bound.nanos, bound.at_least), (1, 7_000_000, true));
        assert!(!recording.is_empty());
        assert!(!Recording { finished: 1, ..Recording::default() }.is_empty());
    }

    #[test]
    fn answers_of_one_kind_are_counted_together_and_an_example_is_bounded() {
        let mut recording = Recording::default();
        let timed_out = Judged::unanswered(Ending::TimedOut, "reset");
        let failed = Judged::unanswered(Ending::Failed, "reset");
        for judged in
            [judge(409, b"{}"), judge(409, b"{}"), failed.clone(), timed_out, judge(201, br#"{"id":"a"}"#)]
        {
            recording.ended(&judged, times(), || "x".repeat(EXAMPLE_CHARS + 1));
        }
        let counts: Vec<_> = recording
            .kinds
            .iter()
            .map(|kind| (kind.status, kind.count, kind.example.chars().count()))
            .collect();
        let most = EXAMPLE_CHARS + 1; // what was left out is shown
        assert_eq!(counts, [(409, 2, most), (0, 1, most), (0, 1, most), (201, 1, 0)]);
        let mut sum = Recording { finished: 2, retries: 3, ..Recording::default() };
        sum.merge(&Recording { finished: 5, retries: 7, ..recording });
        assert_eq!((sum.finished, sum.retries, sum.kinds.len(), sum.counters.ok), (7, 10, 4, 1));
        assert_eq!(
            (sum.response.len(), sum.service.len(), sum.wait.len(), sum.lag.len(), sum.refusals.len()),
            (2, 2, 5, 5, 2)
        );
        sum.clear();
        assert!(sum.is_empty() && sum.kinds.is_empty() && sum.retries == 0 && sum.lag.is_empty());
    }
}
