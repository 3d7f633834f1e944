//! Refusing what finds no place before any work is done for it: under overload most requests are
//! refused, and each microsecond of a refusal is missing where orders are made. Even so a refusal takes a
//! good part of what an order takes, for the most part in the kernel. So refusals are paced: a client
//! that asks again at once waits longer for its next refusal the more of them there are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::response::Response;
use http::request::Parts;
use http::{Method, StatusCode};
use ordersys_contract::{Code, Problem};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio_util::sync::CancellationToken;

use crate::observe::refused_early;
use crate::seldom::Seldom;
use crate::{Metrics, Refusal};

/// Time between two refusals, if there are many: 4000 a second take less than a tenth of one processor.
pub(crate) const BETWEEN: Duration = Duration::from_micros(250);
/// The longest a refusal is held back: as long as its `Retry-After` says.
pub(crate) const LONGEST: Duration = Duration::from_secs(1);

/// Refuses requests of one route while there is no place for them.
#[derive(Clone)]
pub struct Shedding(Arc<Shared>);

struct Shared {
    service: &'static str,
    route: (Method, &'static str),
    is_full: Box<dyn Fn() -> bool + Send + Sync>,
    problem: Problem,
    refused: Counter,
    held_back: Gauge,
    pace: Mutex<Pace>,
    /// A log line each would cost more than the refusal.
    seldom: Seldom,
}

/// Spreads refusals over time; the time is an argument.
#[derive(Debug)]
struct Pace {
    /// When the next refusal may go out.
    next: Instant,
}

impl Pace {
    /// How long the refusal of a request that came now is held back.
    fn hold(&mut self, now: Instant) -> Duration {
        let due = self.next.max(now);
        let hold = due.duration_since(now);
        if hold >= LONGEST {
            return LONGEST;
        }
        self.next = due + BETWEEN;
        hold
    }
}

/// Counts one refusal as held back, also if its client hangs up meanwhile.
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

/// A refusal, and how long it is held back.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) response: Response,
    pub(crate) hold: Duration,
}

impl Shedding {
    /// Refuses requests of `route` with a problem that says `detail` while `is_full`.
    pub fn new(
        service: &'static str,
        route: (Method, &'static str),
        detail: &str,
        metrics: &Metrics,
        is_full: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let held_back = Gauge::default();
        metrics.register(|registry| {
            let registry = registry.sub_registry_with_prefix("admission");
            registry.register("held_back", "Refusals that are held back", held_back.clone());
        });
        let refused = metrics.counter(route.1, &route.0, StatusCode::SERVICE_UNAVAILABLE);
        Self(Arc::new(Shared {
            service,
            route,
            is_full: Box::new(is_full),
            problem: Problem::new(Code::Overloaded, detail),
            refused,
            held_back,
            pace: Mutex::new(Pace { next: Instant::now() }),
            seldom: Seldom::new(),
        }))
    }

    /// The refusal of a request with this head, if there is no place for it.
    pub(crate) fn refusal(&self, head: &Parts) -> Option<Refused> {
        let (method, path) = &self.0.route;
        if head.uri.path() != *path || head.method != method || !(self.0.is_full)() {
            return None;
        }
        self.0.refused.inc();
        self.tell();
        let response = refused_early(&head.headers, Refusal(self.0.problem.clone()));
        let hold = self.0.pace.lock().unwrap_or_else(PoisonError::into_inner).hold(Instant::now());
        Some(Refused { response, hold })
    }

    /// Holds a refusal back for its time, or until the service stops.
    pub(crate) async fn hold_back(&self, hold: Duration, stop: &CancellationToken) {
        if !hold.is_zero() {
            let _held = Held::new(&self.0.held_back);
            stop.run_until_cancelled(tokio::time::sleep(hold)).await;
        }
    }

    fn tell(&self) {
        if let Some(refused) = self.0.seldom.count() {
            let route = self.0.route.1;
            tracing::warn!(service = self.0.service, route, refused, "overloaded: requests are refused");
        }
    }
}

#[cfg(test)]
impl Shedding {
    /// How many refusals are held back.
    pub(crate) fn held(&self) -> i64 {
        self.0.held_back.get()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_refusal_is_a_problem_like_any_other_and_only_for_its_route() {
        let metrics = Metrics::new("test", crate::Counting::On);
        let shedding = Shedding::new("test", (Method::POST, "/orders"), "too many", &metrics, || true);
        let head = |method: Method, path: &str| {
            let request = Request::builder().method(method).uri(path).header("x-request-id", "r-1");
            request.body(()).expect("a request").into_parts().0
        };
        assert!(shedding.refusal(&head(Method::GET, "/orders")).is_none());
        assert!(shedding.refusal(&head(Method::POST, "/orders/1/cancel")).is_none());
        let refusal = shedding.refusal(&head(Method::POST, "/orders?x=1")).expect("refused").response;
        assert_eq!(
            (refusal.status().as_u16(), &refusal.headers()["retry-after"]),
            (503, &"1".parse().expect("a value"))
        );
        assert_eq!(refusal.headers()["x-request-id"], "r-1");
        let body = refusal.into_body().collect().await.expect("a body").to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body, Problem::new(Code::Overloaded, "too many").body("r-1"));
        assert!(metrics.encode().contains(r#"status="503""#), "{}", metrics.encode());
        let next = shedding.refusal(&head(Method::POST, "/orders")).expect("refused");
        assert!(next.hold <= BETWEEN, "{:?}", next.hold);
        let nobody = Shedding::new("test", (Method::POST, "/orders"), "too many", &metrics, || false);
        assert!(nobody.refusal(&head(Method::POST, "/orders")).is_none());
    }

    #[test]
    fn the_first_refusal_goes_out_at_once_and_none_is_held_back_longer_than_it_says() {
        let now = Instant::now();
        let mut pace = Pace { next: now };
        assert_eq!(pace.hold(now), Duration::ZERO);
        assert_eq!(pace.hold(now), BETWEEN);
        assert_eq!(pace.hold(now + BETWEEN), BETWEEN);
        let holds: Vec<_> = (0..5000).map(|_| pace.hold(now + BETWEEN)).collect();
        assert!(holds.is_sorted() && holds.last() == Some(&LONGEST), "{:?}", holds.last());
        let later = now + 3 * LONGEST;
        assert_eq!((pace.hold(later), pace.hold(later)), (Duration::ZERO, BETWEEN));
    }
}
