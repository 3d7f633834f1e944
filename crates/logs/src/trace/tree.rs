//! The tree of a trace: requests and recoveries in the order of their times, below each what happened
//! on its behalf. Decides only; facts come from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::trace::fact::{Fact, What};

/// All that is known of one request or order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// What was asked for.
    pub id: String,
    /// The orders it is about.
    pub orders: Vec<String>,
    /// When the first root began; all times below count from here.
    #[serde(serialize_with = "as_text")]
    pub began: jiff::Timestamp,
    /// Requests and recoveries, by their beginning.
    pub roots: Vec<Root>,
    /// What could not be seen, and why.
    pub gaps: Vec<String>,
    /// Where was looked.
    pub looked_at: Vec<String>,
}

/// How a root came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A client's request that was answered.
    Request,
    /// The order service took an order up again after a crash.
    Recovery,
    /// A request of whose answer nothing is known.
    Unanswered,
}

/// A request or a recovery.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Root {
    /// How it came about.
    pub kind: Kind,
    /// Method and route, or what a recovery found.
    pub name: String,
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    /// Its request id.
    pub request_id: Option<String>,
    /// Who answered.
    pub service: String,
    /// Milliseconds from the beginning of the trace.
    pub start_ms: f64,
    /// Milliseconds it took, where known.
    pub duration_ms: Option<f64>,
    /// What happened on its behalf, in order.
    pub steps: Vec<Step>,
}

/// Something that happened on behalf of a root.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Where.
    pub service: String,
    /// What.
    pub name: String,
    /// Milliseconds from the beginning of the trace.
    pub start_ms: f64,
    /// Milliseconds it took, where known.
    pub duration_ms: Option<f64>,
    /// Operations that shared the work, where known.
    pub batch: Option<u64>,
    /// Whether it was tried or answered before.
    pub repeated: bool,
}

fn as_text<S: Serializer>(at: &jiff::Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

impl Trace {
    /// Whether nothing is known to be missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty() && !self.roots.is_empty()
    }

    /// How long ago the last of it was, at `now`; nothing if nothing is known.
    #[must_use]
    pub fn age(&self, now: jiff::Timestamp) -> Option<Duration> {
        let end = |start: f64, took: Option<f64>| start + took.unwrap_or(0.0);
        let of_steps = self.roots.iter().flat_map(|root| &root.steps);
        let ends = of_steps.map(|step| end(step.start_ms, step.duration_ms));
        let ends = ends.chain(self.roots.iter().map(|root| end(root.start_ms, root.duration_ms)));
        let last = ends.reduce(f64::max)?;
        let last = self.began.checked_add(Duration::try_from_secs_f64(last / 1e3).ok()?).ok()?;
        Some(now.duration_since(last).try_into().unwrap_or_default())
    }
}

/// Builds the tree of these facts; `gaps` are those known already.
pub(crate) fn build(id: &str, facts: Vec<Fact>, mut gaps: Vec<String>, looked_at: Vec<String>) -> Trace {
    let orders: BTreeSet<String> = facts.iter().filter_map(|fact| fact.order.clone()).collect();
    let mut groups = grouped(facts);
    groups.sort_by_key(Group::begin);
    gaps.extend(groups.iter().flat_map(Group::gaps));
    gaps.extend(orders.iter().filter_map(|order| undecided_gap(order, &groups)));
    let began = groups.first().map_or(jiff::Timestamp::UNIX_EPOCH, Group::begin);
    let mut answered = BTreeSet::new();
    let roots = groups.into_iter().map(|group| group.into_root(began, &mut answered)).collect();
    Trace { id: id.to_owned(), orders: orders.into_iter().collect(), began, roots, gaps, looked_at }
}

/// A root in the making: what opened it, if that is known, and the rest.
#[derive(Debug)]
struct Group {
    request: Option<String>,
    opening: Option<Fact>,
    facts: Vec<Fact>,
}

/// The facts by request. One id may have been sent more than once: each fact belongs to the last
/// request that had begun by then.
fn grouped(facts: Vec<Fact>) -> Vec<Group> {
    let mut by_request = BTreeMap::<Option<String>, Vec<Fact>>::new();
    for fact in facts {
        by_request.entry(fact.request.clone()).or_default().push(fact);
    }
    by_request.into_iter().flat_map(|(request, facts)| of_one_request(request.as_deref(), facts)).collect()
}

fn of_one_request(request: Option<&str>, facts: Vec<Fact>) -> Vec<Group> {
    let group = |opening, facts| Group { request: request.map(str::to_owned), opening, facts };
    let (mut openings, mut others): (Vec<Fact>, Vec<Fact>) = facts.into_iter().partition(Fact::opens);
    openings.sort_by_key(|fact| fact.at);
    others.sort_by_key(Fact::order_key);
    let mut groups = Vec::with_capacity(openings.len() + 1);
    for opening in openings.into_iter().rev() {
        let begin = opening.at.as_millisecond();
        let first = others.partition_point(|fact| fact.at.as_millisecond() < begin);
        groups.push(group(Some(opening), others.split_off(first)));
    }
    if !others.is_empty() {
        groups.push(group(None, others));
    }
    groups
}

impl Group {
    fn begin(&self) -> jiff::Timestamp {
        let first = self.opening.iter().chain(self.facts.first());
        first.map(|fact| fact.at).next().unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// What is missing of it.
    fn gaps(&self) -> Vec<String> {
        let name = self.request.as_deref().unwrap_or("without an id");
        let mut gaps = Vec::new();
        if self.opening.is_none() {
            gaps.push(format!(
                "request {name} has no line of its answer: it is under way, or the service died before it, or \
                 its log is gone"
            ));
        }
        let stored = self.facts.iter().any(|fact| matches!(fact.what, What::Stored { seq: 1, .. }));
        let looked_up = self.facts.iter().any(|fact| matches!(fact.what, What::LookUp { .. }));
        if stored && !looked_up {
            gaps.push(format!(
                "request {name} stored an order, and no line tells of the user look-up before it"
            ));
        }
        gaps
    }

    fn into_root(self, began: jiff::Timestamp, answered: &mut BTreeSet<(Option<String>, String)>) -> Root {
        let since = |at: jiff::Timestamp| millis(at.duration_since(began).try_into().unwrap_or_default());
        let start_ms = since(self.begin());
        let mut steps = Vec::<Step>::with_capacity(self.facts.len());
        for fact in self.facts {
            let floor = steps.last().map_or(start_ms, |last| last.start_ms + last.duration_ms.unwrap_or(0.0));
            let begins = since(fact.at);
            steps.push(step(fact, begins, floor, answered));
        }
        let (kind, name, status) = match self.opening.as_ref().map(|fact| &fact.what) {
            Some(What::Answered { name, status }) => (Kind::Request, name.clone(), Some(*status)),
            Some(What::Recovered { state }) => (Kind::Recovery, format!("recovery of a {state} order"), None),
            _ => (Kind::Unanswered, "a request without an answer".to_owned(), None),
        };
        let took = self.opening.as_ref().and_then(|fact| fact.took);
        let service = self.opening.map_or_else(|| "order".to_owned(), |fact| fact.service);
        let duration_ms = took.map(millis);
        Root { kind, name, status, request_id: self.request, service, start_ms, duration_ms, steps }
    }
}

/// A step that began at `start_ms`; `floor` is when the step before was done. Stored steps are known to the
/// millisecond only, so one that seems to be earlier within that was not.
fn step(
    fact: Fact,
    mut start_ms: f64,
    floor: f64,
    answered: &mut BTreeSet<(Option<String>, String)>,
) -> Step {
    let (mut batch_size, mut repeated) = (None, false);
    let name = match fact.what {
        What::Stored { state, seq } => {
            if start_ms < floor && floor - start_ms < 1.0 {
                start_ms = round(floor);
            }
            format!("commit {seq}: {}", state.as_str())
        }
        What::LookUp { known: true } => "user looked up".to_owned(),
        What::LookUp { known: false } => "user looked up: unknown".to_owned(),
        What::Reservation { outcome, batch } => {
            batch_size = batch;
            repeated = !answered.insert((fact.order, outcome.clone()));
            format!("stock {outcome}")
        }
        What::Retry { message, attempt } => {
            repeated = true;
            format!("{message}, attempt {attempt}")
        }
        What::Recovered { state } => format!("recovered {state}"),
        What::Answered { name, .. } => name,
        What::Said(message) => message,
    };
    let duration_ms = fact.took.map(millis);
    Step { service: fact.service, name, start_ms, duration_ms, batch: batch_size, repeated }
}

/// An order whose outcome is stored, but of whose stock no line tells.
fn undecided_gap(order: &str, groups: &[Group]) -> Option<String> {
    let facts = || groups.iter().flat_map(|group| &group.facts);
    let of_it = || facts().filter(|fact| fact.order.as_deref() == Some(order));
    let decided = of_it().any(|fact| matches!(fact.what, What::Stored { seq, .. } if seq > 1));
    let reserved = of_it().any(|fact| matches!(fact.what, What::Reservation { .. }));
    let missing = decided && !reserved;
    missing.then(|| format!("no line of the product service tells of the stock of order {order}"))
}

fn millis(duration: Duration) -> f64 {
    round(duration.as_secs_f64() * 1e3)
}

/// To the microsecond.
fn round(millis: f64) -> f64 {
    (millis * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_trace_is_that_of_its_last_step() {
        let at = |millis| jiff::Timestamp::from_millisecond(millis).expect("a time");
        let fact = |began: i64, took: u64, what: What| Fact {
            at: at(began),
            took: Some(Duration::from_millis(took)),
            service: "order".to_owned(),
            request: Some("r-1".to_owned()),
            order: None,
            what,
        };
        let answered = What::Answered { name: "POST /orders".to_owned(), status: 201 };
        let facts = vec![fact(1000, 50, answered), fact(1010, 70, What::LookUp { known: true })];
        let trace = build("r-1", facts, Vec::new(), Vec::new());
        assert_eq!(trace.age(at(2000)), Some(Duration::from_millis(920)));
        assert_eq!(trace.age(at(1000)), Some(Duration::ZERO), "a clock that goes back makes nothing old");
        assert_eq!(build("r-1", Vec::new(), Vec::new(), Vec::new()).age(at(2000)), None);
    }
}
