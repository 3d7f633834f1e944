//! The batchers of calls to the other two services, and their metrics.

use std::sync::Arc;

use ordersys_chassis::prometheus_client::metrics::family::Family;
use ordersys_chassis::prometheus_client::metrics::gauge::Gauge;
use ordersys_chassis::prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use ordersys_chassis::{Breaker, Metrics};
use ordersys_contract::reservation::Operation;

use crate::ports::{Batcher, Inventory, UserQuery, Users};

type Label = [(&'static str, &'static str); 1];

/// Sizes of calls and depths of queues, by batcher; clones share them.
#[derive(Clone)]
pub(crate) struct BatcherMetrics {
    sizes: Family<Label, Histogram>,
    waiting: Family<Label, Gauge>,
}

impl BatcherMetrics {
    pub(crate) fn registered(metrics: &Metrics) -> Self {
        let sizes = Family::<Label, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(1.0, 2.0, 10))
        });
        let all = Self { sizes, waiting: Family::default() };
        metrics.register(|registry| {
            let registry = registry.sub_registry_with_prefix("lane");
            registry.register(
                "questions_per_call",
                "Questions in one call, probes not counted",
                all.sizes.clone(),
            );
            registry.register("waiting", "Questions that wait for a call", all.waiting.clone());
        });
        all
    }

    /// What is called with the size of each call of a batcher.
    fn size(&self, batcher: &'static str) -> impl Fn(usize) + Send + Sync + use<> {
        let sizes = self.sizes.get_or_create(&[("lane", batcher)]).clone();
        move |items| {
            if items > 0 {
                #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
                sizes.observe(items as f64);
            }
        }
    }

    /// Sets the depth of a batcher's queue.
    pub(super) fn set_waiting(&self, batcher: &'static str, items: usize) {
        self.waiting.get_or_create(&[("lane", batcher)]).set(i64::try_from(items).unwrap_or(i64::MAX));
    }
}

pub(super) fn user_batcher(
    users: Arc<dyn Users>,
    breaker: Breaker,
    metrics: &BatcherMetrics,
) -> Batcher<UserQuery> {
    let size = metrics.size(USERS);
    Batcher::start(Some(breaker), move |queries, until| {
        size(queries.len());
        let users = Arc::clone(&users);
        async move { users.lookup(queries, until).await }
    })
}

/// The batcher of user look-ups.
pub(super) const USERS: &str = "users";
/// The batcher of first tries of new orders.
pub(super) const REQUESTS: &str = "requests";
/// The batcher of everything that finishes orders.
pub(super) const DRIVERS: &str = "drivers";

pub(super) fn inventory_batcher(
    inventory: Arc<dyn Inventory>,
    breaker: Option<Breaker>,
    name: &'static str,
    metrics: &BatcherMetrics,
) -> Batcher<Operation> {
    let size = metrics.size(name);
    Batcher::start(breaker, move |operations, until| {
        size(operations.len());
        let inventory = Arc::clone(&inventory);
        async move { inventory.apply(operations, until).await }
    })
}
