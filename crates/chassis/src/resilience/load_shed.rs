//! Rejecting what gets no permit before any work is done for it: under overload most requests are
//! rejected, and each microsecond of a rejection is missing where orders are made. Even so a rejection takes a
//! good part of what an order takes, for the most part in the kernel. So rejections are paced: a client
//! that asks again at once waits longer for its next rejection the more of them there are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::response::Response;
use http::request::Parts;
use http::{Method, StatusCode};
use ordersys_contract::{Code, Problem};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio_util::sync::CancellationToken;

use crate::http::rejected_early;
use crate::telemetry::LogThrottle;
use crate::{Metrics, Rejection};

/// Time between two rejections, if there are many: 4000 a second take less than a tenth of one processor.
pub(crate) const REJECTION_INTERVAL: Duration = Duration::from_micros(250);
/// The longest a rejection is held back: as long as its `Retry-After` says.
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(1);

/// A route as requests name it: without parameters in its path.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: &'static str,
}

/// Rejects requests of one route while there is no permit for them.
#[derive(Clone)]
pub struct LoadShedder(Arc<Shared>);

struct Shared {
    service: &'static str,
    route: Route,
    is_full: Box<dyn Fn() -> bool + Send + Sync>,
    problem: Problem,
    rejected: Counter,
    held_back: Gauge,
    pace: Mutex<Pace>,
    /// A log line each would cost more than the rejection.
    log_throttle: LogThrottle,
}

/// Spreads rejections over time; the time is an argument.
#[derive(Debug)]
struct Pace {
    /// When the next rejection may go out.
    next: Instant,
}

impl Pace {
    /// How long the rejection of a request that came now is held back.
    fn hold(&mut self, now: Instant) -> Duration {
        let due = self.next.max(now);
        let hold = due.duration_since(now);
        if hold >= MAX_DELAY {
            return MAX_DELAY;
        }
        self.next = due + REJECTION_INTERVAL;
        hold
    }
}

/// Counts one rejection as held back, also if its client hangs up meanwhile.
struct Held<'a>(&'a Gauge);

impl<'a> Held<'a> {
    fn new(held_back: &'a Gauge) -> Self {
        held_back.inc();
        Self(held_back)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A rejection, and how long it is held back.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) response: Response,
    pub(crate) hold: Duration,
}

impl LoadShedder {
    /// Rejects requests of `route` with a problem that says `detail` while `is_full`.
    pub fn new(
        service: &'static str,
        route: Route,
        detail: &str,
        metrics: &Metrics,
        is_full: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let held_back = Gauge::default();
        metrics.register(|registry| {
            let registry = registry.sub_registry_with_prefix("admission");
            registry.register("held_back", "Refusals that are held back", held_back.clone());
        });
        let rejected = metrics.counter(route.path, &route.method, StatusCode::SERVICE_UNAVAILABLE);
        Self(Arc::new(Shared {
            service,
            route,
            is_full: Box::new(is_full),
            problem: Problem::new(Code::Overloaded, detail),
            rejected,
            held_back,
            pace: Mutex::new(Pace { next: Instant::now() }),
            log_throttle: LogThrottle::new(),
        }))
    }

    /// The rejection of a request with this head, if there is no permit for it.
    pub(crate) fn rejection(&self, head: &Parts) -> Option<Rejected> {
        let Route { method, path } = &self.0.route;
        if head.uri.path() != *path || head.method != method || !(self.0.is_full)() {
            return None;
        }
        self.0.rejected.inc();
        self.report();
        let response = rejected_early(&head.headers, Rejection(self.0.problem.clone()));
        let hold = self.0.pace.lock().unwrap_or_else(PoisonError::into_inner).hold(Instant::now());
        Some(Rejected { response, hold })
    }

    /// Holds a rejection back for its time, or until the service stops.
    pub(crate) async fn delay_rejection(&self, hold: Duration, stop: &CancellationToken) {
        if !hold.is_zero() {
            let _held = Held::new(&self.0.held_back);
            stop.run_until_cancelled(tokio::time::sleep(hold)).await;
        }
    }

    fn report(&self) {
        if let Some(rejected) = self.0.log_throttle.record() {
            let (service, route) = (self.0.service, self.0.route.path);
            tracing::warn!(service, route, refused = rejected, "overloaded: requests are refused");
        }
    }
}

#[cfg(test)]
impl LoadShedder {
    /// How many rejections are held back.
    pub(crate) fn held(&self) -> i64 {
        self.0.held_back.get()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::BodyExt;

    use super::*;
    use crate::telemetry::logged::logged;

    fn orders() -> Route {
        Route { method: Method::POST, path: "/orders" }
    }

    #[tokio::test]
    async fn a_rejection_is_a_problem_like_any_other_and_only_for_its_route() {
        let metrics = Metrics::new("test", crate::Counting::On);
        let shedder = LoadShedder::new("test", orders(), "too many", &metrics, || true);
        let head = |method: Method, path: &str| {
            let request = Request::builder().method(method).uri(path).header("x-request-id", "r-1");
            request.body(()).expect("a request").into_parts().0
        };
        assert!(shedder.rejection(&head(Method::GET, "/orders")).is_none());
        assert!(shedder.rejection(&head(Method::POST, "/orders/1/cancel")).is_none());
        let rejected = shedder.rejection(&head(Method::POST, "/orders?x=1")).expect("rejected").response;
        assert_eq!(
            (rejected.status().as_u16(), &rejected.headers()["retry-after"]),
            (503, &"1".parse().expect("a value"))
        );
        assert_eq!(rejected.headers()["x-request-id"], "r-1");
        let body = rejected.into_body().collect().await.expect("a body").to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body, Problem::new(Code::Overloaded, "too many").body("r-1"));
        assert!(metrics.encode().contains(r#"status="503""#), "{}", metrics.encode());
        let next = shedder.rejection(&head(Method::POST, "/orders")).expect("rejected");
        assert!(next.hold <= REJECTION_INTERVAL, "{:?}", next.hold);
        let idle = LoadShedder::new("test", orders(), "too many", &metrics, || false);
        assert!(idle.rejection(&head(Method::POST, "/orders")).is_none());
    }

    #[test]
    fn the_first_rejection_goes_out_at_once_and_none_is_held_back_longer_than_it_says() {
        let now = Instant::now();
        let mut pace = Pace { next: now };
        assert_eq!(pace.hold(now), Duration::ZERO);
        assert_eq!(pace.hold(now), REJECTION_INTERVAL);
        assert_eq!(pace.hold(now + REJECTION_INTERVAL), REJECTION_INTERVAL);
        let holds: Vec<_> = (0..5000).map(|_| pace.hold(now + REJECTION_INTERVAL)).collect();
        assert!(holds.is_sorted() && holds.last() == Some(&MAX_DELAY), "{:?}", holds.last());
        let later = now + 3 * MAX_DELAY;
        assert_eq!((pace.hold(later), pace.hold(later)), (Duration::ZERO, REJECTION_INTERVAL));
    }

    #[tokio::test]
    async fn a_rejection_is_held_back_for_its_time_or_until_the_service_stops() {
        let metrics = Metrics::new("test", crate::Counting::On);
        let shedder = LoadShedder::new("test", orders(), "too many", &metrics, || true);
        let stop = CancellationToken::new();
        let (hold, began) = (Duration::from_millis(20), Instant::now());
        shedder.delay_rejection(hold, &stop).await;
        assert!(began.elapsed() >= hold, "{:?}", began.elapsed());
        stop.cancel();
        tokio::join!(shedder.delay_rejection(MAX_DELAY * 60, &stop), shedder.delay_rejection(hold, &stop));
        assert!(began.elapsed() < MAX_DELAY * 30, "{:?}", began.elapsed());
        assert_eq!(shedder.held(), 0, "none is held back any more");
    }

    #[test]
    fn rejections_are_logged_a_few_times_only() {
        let metrics = Metrics::new("test", crate::Counting::On);
        let shedder = LoadShedder::new("test", orders(), "too many", &metrics, || true);
        let head = Request::post("/orders").body(()).expect("a request").into_parts().0;
        let lines = logged(|| (0..100).for_each(|_| drop(shedder.rejection(&head))));
        assert!(lines.contains("overloaded: requests are refused"), "{lines}");
        assert!(lines.lines().count() < 10, "{lines}");
    }
}
