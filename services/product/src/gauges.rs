//! What the product service tells of its stock, once a second; less often if there are very many products.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use ordersys_chassis::Metrics;
use ordersys_chassis::prometheus_client::metrics::family::Family;
use ordersys_chassis::prometheus_client::metrics::gauge::Gauge;

use crate::NAME;
use crate::app::App;
use crate::store::StockTotals;

/// How often stock is summed up.
const INTERVAL: Duration = Duration::from_secs(1);
/// The pause after summing up many products, in times of what it took: a fiftieth of the time at most.
const IDLE_SHARE: u32 = 50;

type Label = [(&'static str, &'static str); 1];

/// The gauges of the stock; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct StockGauges {
    units: Family<Label, Gauge<f64, AtomicU64>>,
    unbalanced: Gauge,
}

impl StockGauges {
    pub(crate) fn registered(metrics: &Metrics) -> Self {
        let all = Self::default();
        metrics.register(|registry| {
            let registry = registry.sub_registry_with_prefix("stock");
            registry.register("units", "Units of all products, by where they are", all.units.clone());
            let help = "Products whose units do not add up, or fall below zero: always zero";
            registry.register("unbalanced_products", help, all.unbalanced.clone());
        });
        all
    }

    fn set(&self, totals: StockTotals) {
        let StockTotals { put_in, available, reserved, sold, unbalanced } = totals;
        for (place, units) in
            [("put_in", put_in), ("available", available), ("reserved", reserved), ("sold", sold)]
        {
            self.units.get_or_create(&[("place", place)]).set(units);
        }
        self.unbalanced.set(unbalanced);
    }
}

/// Keeps the gauges current; does not end by itself.
pub(crate) async fn measure(app: App, gauges: StockGauges) {
    loop {
        let began = Instant::now();
        match app.stock_totals().await {
            Ok(totals) => gauges.set(totals),
            Err(error) => tracing::warn!(service = NAME, %error, "the stock could not be summed up"),
        }
        tokio::time::sleep(INTERVAL.max(began.elapsed() * IDLE_SHARE)).await;
    }
}
