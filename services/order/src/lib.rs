//! The order service: turns what a client wants into an order, through every crash, without
//! losing, doubling or overselling. It writes down what it wants; the product service decides.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use ::http::Method;
use ordersys_chassis::prometheus_client::metrics::gauge::Gauge;
use ordersys_chassis::resilience::breaker::Settings;
use ordersys_chassis::{
    Authenticator, ClockSkew, ConcurrencyLimit, Counting, Health, Hosts, Listener, LoadShedder, Metrics,
    Route, ServeError, Service,
};
use ordersys_contract::order::ORDERS;
use ordersys_contract::settings::DatabaseAddress;
use ordersys_contract::{IdempotencyKey, Secret};
use ordersys_spans::Tracer;
use ordersys_store::postgres::{Migrated, Postgres};
use ordersys_store::retention::{self, Retention};
use ordersys_store::{Location, OpenError};
use tokio_util::sync::CancellationToken;

use domain::order::StoredOrder;

mod app;
pub mod domain;
mod error;
mod http;
pub mod ports;
mod store;

pub use app::{Allowance, Ports};
use app::{App, BatcherMetrics, Breakers, Dependencies};
pub use error::OrderError;
#[cfg(feature = "defects")]
use store::DefectiveOrders as Orders;
#[cfg(not(feature = "defects"))]
use store::Orders;

/// The service's name in answers, logs and metrics.
pub const NAME: &str = "order";

/// How often gauges are measured.
const INTERVAL: Duration = Duration::from_secs(1);

/// Pause before unfinished orders that could not be loaded are loaded again.
const AGAIN: Duration = Duration::from_secs(1);

/// What the service needs to know.
#[derive(Clone)]
pub struct Config {
    /// Where its data lives.
    pub store: Location,
    /// How callers are authenticated.
    pub authenticator: Authenticator,
    /// When calls to the other services are refused at once.
    pub breaker: Settings,
    /// The host names it answers to.
    pub hosts: Hosts,
    /// Whether it counts its requests.
    pub counting: Counting,
    /// What records its spans.
    pub tracer: Tracer,
    /// How long refused orders are kept.
    pub retention: Retention,
    /// What callers without an account may do.
    pub allowance: Allowance,
}

/// An opened order service.
#[derive(Clone)]
pub struct OrderService {
    app: App,
    service: Service,
    oldest: Gauge<f64, AtomicU64>,
    shedding: LoadShedder,
    newest: ClockSkew,
    retention: Retention,
}

impl OrderService {
    /// Opens the service's data.
    pub async fn open(config: &Config, ports: Ports) -> Result<Self, OpenError> {
        let newest = ClockSkew::of(NAME);
        let orders = Orders::open(config, newest.clone()).await?;
        let metrics = Metrics::new(NAME, config.counting);
        let oldest = Gauge::<f64, AtomicU64>::default();
        metrics.register(|registry| {
            orders.register(registry);
            config.tracer.register(registry);
            let help = "Age of the oldest order whose outcome is not known yet, as this process saw it, zero if there is none";
            registry.register("oldest_unfinished_order_seconds", help, oldest.clone());
        });
        let health = Health::starting({
            let orders = orders.clone();
            move || orders.trouble()
        });
        let breakers = Breakers::new(config.breaker, &metrics);
        let health = health.with_clock_skew(newest.clone()).with_peers({
            let breakers = breakers.clone();
            move || breakers.report()
        });
        let (authenticator, hosts, tracer) =
            (config.authenticator.clone(), config.hosts.clone(), config.tracer.clone());
        let admission = ConcurrencyLimit::new(Instant::now(), &metrics);
        let batchers = BatcherMetrics::registered(&metrics);
        let shedding = LoadShedder::new(
            NAME,
            Route { method: Method::POST, path: ORDERS },
            &OrderError::Overloaded.to_string(),
            &metrics,
            {
                let admission = admission.clone();
                move || admission.is_full()
            },
        );
        let service = Service { name: NAME, authenticator, hosts, health, metrics, tracer };
        #[cfg(feature = "defects")]
        let ports = ports.defective();
        let allowance = config.allowance;
        let app = App::new(Dependencies { orders, ports, breakers, admission, batchers, allowance });
        Ok(Self { app, service, oldest, shedding, newest, retention: config.retention })
    }

    /// Stores finished orders and their keys in one commit, without calls to the other services: fills a store that is
    /// to be measured. Their reservations are the caller's business.
    #[doc(hidden)]
    pub async fn import(&self, orders: Vec<(StoredOrder, IdempotencyKey)>) -> Result<(), OrderError> {
        self.app.import(orders).await
    }

    /// Recovers what a crash left, serves until `shutdown`, then closes the data.
    pub async fn serve(
        self,
        listener: impl Into<Listener>,
        shutdown: CancellationToken,
    ) -> Result<(), ServeError> {
        let (health, tracer) = (self.service.health.clone(), self.service.tracer.clone());
        let routes = self.app.clone();
        let router = ordersys_chassis::finish(move || http::routes(routes.clone()), self.service);
        let stopping = shutdown.clone();
        let serving =
            ordersys_chassis::serve_shedding(router, self.shedding, listener, health.clone(), shutdown);
        let recovering = async {
            if self.app.see_newest().await.is_ok() {
                self.newest.warn_if_ahead();
            }
            recover(&self.app, &health, &stopping).await;
        };
        let taking_over = tokio::spawn(take_over(self.app.clone()));
        let forgetting = tokio::spawn({
            let app = self.app.clone();
            async move { retention::sweep(self.retention, NAME, || app.forget_refused()).await }
        });
        let measuring = tokio::spawn(measure(self.app.clone(), self.oldest));
        let (served, ()) = tokio::join!(serving, recovering);
        taking_over.abort();
        measuring.abort();
        forgetting.abort();
        self.app.close().await;
        tracer.close().await;
        served
    }
}

/// Drives on what a crash left, and says that the service serves. What keeps the orders from being loaded may
/// pass.
async fn recover(app: &App, health: &Health, stopping: &CancellationToken) {
    let mut is_logged = false;
    loop {
        match app.recover().await {
            Ok(0) => return health.serving(),
            Ok(recovered) => {
                tracing::info!(service = NAME, recovered, "driving unfinished orders on");
                return health.serving();
            }
            Err(error) if !is_logged => {
                tracing::error!(service = NAME, %error, "unfinished orders cannot be loaded yet");
                is_logged = true;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Goes on with the orders of instances that ended, as long as there may be others.
async fn take_over(app: App) {
    if !app.is_shared() {
        return;
    }
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match app.recover().await {
            Ok(0) => {}
            Ok(taken) => tracing::info!(service = NAME, taken, "driving orders on that nobody drove"),
            Err(error) => tracing::warn!(service = NAME, %error, "the lease of this instance is not renewed"),
        }
    }
}

/// Keeps the gauges of the oldest unfinished order and of the batchers' queues current.
async fn measure(app: App, oldest: Gauge<f64, AtomicU64>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        app.measure_batchers();
        match app.see_unfinished().await {
            Ok(age) => {
                oldest.set(age.as_secs_f64());
            }
            Err(error) => tracing::warn!(service = NAME, %error, "the oldest unfinished order is not known"),
        }
        if let Err(error) = app.see_newest().await {
            tracing::warn!(service = NAME, %error, "the newest stored time is not known");
        }
    }
}

/// Makes or migrates the tables of the service in a database, without serving.
pub async fn migrate(address: DatabaseAddress, password: Option<Secret>) -> Result<Migrated, OpenError> {
    Postgres::migrate(&store::postgres::options(address, password)).await
}
