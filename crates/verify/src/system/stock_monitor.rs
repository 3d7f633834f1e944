//! Looks at the stock while a run goes on: stock must not even be negative for a moment.

use std::sync::Arc;
use std::time::Duration;

use ordersys_contract::{Client, product};
use tokio::task::JoinHandle;

use crate::system::http::at;
use crate::system::wire;
use ordersys_workload::plan::Plan;

/// The pause between looks; each takes one product, in turn.
const PAUSE: Duration = Duration::from_millis(250);
/// Most negative readings that are kept.
const MAX_READINGS: usize = 100;

/// Looks until it is asked what it saw, or dropped.
#[derive(Debug)]
pub struct StockWatch {
    seen: Arc<std::sync::Mutex<Vec<(u32, i64)>>>,
    task: JoinHandle<()>,
}

impl StockWatch {
    /// Starts looking.
    #[must_use]
    pub fn start(client: Client, plan: Arc<Plan>) -> Self {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let task = tokio::spawn(look(client, plan, seen.clone()));
        Self { seen, task }
    }

    /// Stops; negative stock by the product's place in the plan.
    #[must_use]
    pub fn finish(&self) -> Vec<(u32, i64)> {
        self.task.abort();
        self.seen.lock().map(|seen| seen.clone()).unwrap_or_default()
    }
}

impl Drop for StockWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look(client: Client, plan: Arc<Plan>, seen: Arc<std::sync::Mutex<Vec<(u32, i64)>>>) {
    let places = 0..u32::try_from(plan.products().len()).unwrap_or(u32::MAX);
    for place in places.cycle() {
        tokio::time::sleep(PAUSE).await;
        let path = at(product::PRODUCT, &plan.products()[place as usize].id);
        // A read that fails proves nothing; services may be down on purpose.
        let Ok((_, body)) = client.get_raw(&client.endpoints().product, &path).await else { continue };
        let Ok(product) = serde_json::from_slice::<wire::Product>(&body) else { continue };
        if product.stock < 0
            && let Ok(mut seen) = seen.lock()
            && seen.len() < MAX_READINGS
        {
            seen.push((place, product.stock));
        }
    }
}
