//! A service's metrics: its own registry, since several services may share a process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    status: u16,
}

/// The metrics of one service; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<Labels, Counter>,
    seconds: Family<Answered, Histogram>,
}

impl Metrics {
    /// Metrics whose names start with `ordersys` and carry the service's name.
    #[must_use]
    pub fn new(service: &'static str) -> Self {
        let labels = [("service".into(), service.into())];
        let mut registry = Registry::with_prefix_and_labels("ordersys", labels.into_iter());
        let requests = Family::default();
        let seconds = Family::<Answered, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.000_1, 2.0, 18))
        });
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register("http_request_seconds", "Time from request to answer", seconds.clone());
        Self { registry: Arc::new(Mutex::new(registry)), requests, seconds }
    }

    /// Adds metrics of the service's own.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        if let Ok(mut registry) = self.registry.lock() {
            add(&mut registry);
        }
    }

    pub(crate) fn count(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        // Unusual methods share a label: a client must not be able to grow the set.
        let method = match *method {
            Method::GET | Method::POST | Method::PATCH | Method::DELETE | Method::PUT | Method::HEAD => {
                method.as_str()
            }
            _ => "other",
        };
        let labels = Labels { method: method.to_owned(), route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        let answered = Answered { route: labels.route, status: labels.status };
        self.seconds.get_or_create(&answered).observe(took.as_secs_f64());
    }

    /// The counter of requests of one route, for callers that count very often.
    pub(crate) fn counter(&self, route: &str, method: &Method, status: StatusCode) -> Counter {
        let (method, route) = (method.as_str().to_owned(), route.to_owned());
        self.requests.get_or_create(&Labels { method, route, status: status.as_u16() }).clone()
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
