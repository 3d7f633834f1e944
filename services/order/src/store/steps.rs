//! How many steps orders took, by the state they reached.

use ordersys_chassis::prometheus_client::metrics::counter::Counter;
use ordersys_chassis::prometheus_client::metrics::family::Family;
use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::order::OrderState;

/// Counts of committed steps; clones share them.
#[derive(Clone, Default)]
pub(super) struct Steps(Family<[(&'static str, &'static str); 1], Counter>);

impl Steps {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("order_steps", "Steps of orders, by the state reached", self.0.clone());
    }

    /// A step that was committed.
    pub(super) fn count(&self, reached: OrderState) {
        self.0.get_or_create(&[("state", reached.as_str())]).inc();
    }
}
