//! A service's metrics: its own registry, since several services may share a process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: String,
    status: u16,
}

impl Labels {
    fn of(route: &str, method: &'static str, status: StatusCode) -> Self {
        Self { method, route: route.to_owned(), status: status.as_u16() }
    }
}

/// Unusual methods share a label: a client must not be able to grow the set.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::PUT => "PUT",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    status: u16,
}

/// Whether requests are counted and timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counting {
    /// They are.
    #[default]
    On,
    /// They are not: to measure what it costs.
    Off,
}

/// The metrics of one service; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    counting: Counting,
    requests: Family<Labels, Counter>,
    seconds: Family<Answered, Histogram>,
    kept: Kept,
}

/// The metrics of each kind of request that was seen, by route: finding them by their labels would copy
/// the labels each time. Clones share them.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<HashMap<Box<str>, Vec<OfKind>>>>);

/// What requests are counted by.
#[derive(Debug, Clone, Copy)]
struct RequestKind<'a> {
    route: &'a str,
    method: &'static str,
    status: StatusCode,
}

/// The metrics of one kind of request of a route.
#[derive(Debug, Clone)]
struct OfKind {
    method: &'static str,
    status: StatusCode,
    requests: Counter,
    seconds: Histogram,
}

impl Kept {
    /// Calls `found` with the metrics of that kind, after making them if it is the first of its kind.
    fn with(
        &self,
        RequestKind { route, method, status }: RequestKind<'_>,
        make: impl FnOnce() -> OfKind,
        found: impl FnOnce(&OfKind),
    ) {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !routes.contains_key(route) {
            routes.insert(route.into(), Vec::new());
        }
        let Some(kinds) = routes.get_mut(route) else { return };
        let known = kinds.iter().position(|kind| kind.status == status && kind.method == method);
        let index = known.unwrap_or_else(|| {
            kinds.push(make());
            kinds.len() - 1
        });
        found(&kinds[index]);
    }
}

impl Metrics {
    /// Metrics whose names start with `ordersys` and carry the service's name.
    #[must_use]
    pub fn new(service: &'static str, counting: Counting) -> Self {
        let labels = [("service".into(), service.into())];
        let mut registry = Registry::with_prefix_and_labels("ordersys", labels.into_iter());
        let requests = Family::default();
        let seconds = Family::<Answered, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.000_1, 2.0, 18))
        });
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register("http_request_seconds", "Time from request to answer", seconds.clone());
        let registry = Arc::new(Mutex::new(registry));
        Self { registry, counting, requests, seconds, kept: Kept::default() }
    }

    /// Adds metrics of the service's own.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        if let Ok(mut registry) = self.registry.lock() {
            add(&mut registry);
        }
    }

    pub(crate) fn count(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        if self.counting == Counting::Off {
            return;
        }
        let method = label(method);
        let make = || OfKind {
            method,
            status,
            requests: self.requests.get_or_create(&Labels::of(route, method, status)).clone(),
            seconds: self
                .seconds
                .get_or_create(&Answered { route: route.to_owned(), status: status.as_u16() })
                .clone(),
        };
        self.kept.with(RequestKind { route, method, status }, make, |kind| {
            kind.requests.inc();
            kind.seconds.observe(took.as_secs_f64());
        });
    }

    /// The counter of requests of one route, for callers that count very often.
    pub(crate) fn counter(&self, route: &str, method: &Method, status: StatusCode) -> Counter {
        self.requests.get_or_create(&Labels::of(route, label(method), status)).clone()
    }

    /// The metrics as Prometheus text.
    pub(crate) fn encode(&self) -> String {
        let mut text = String::new();
        if let Ok(registry) = self.registry.lock()
            && let Err(error) = text::encode(&mut text, &registry)
        {
            tracing::error!(%error, "the metrics cannot be written");
        }
        text
    }
}
