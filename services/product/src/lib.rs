//! The product service: catalog and inventory. It alone decides whether stock suffices.

use std::time::{Duration, Instant};

use ordersys_chassis::{
    Authenticator, ClockSkew, Counting, Health, Hosts, Listener, Metrics, ServeError, Service,
};
use ordersys_contract::Secret;
use ordersys_contract::settings::DatabaseAddress;
use ordersys_spans::Tracer;
use ordersys_store::postgres::{Migrated, Postgres};
use ordersys_store::retention::{self, Retention};
use ordersys_store::{Location, OpenError};
use tokio_util::sync::CancellationToken;

mod app;
pub mod domain;
mod error;
mod gauges;
mod http;
mod store;

pub use app::App;
pub use error::ProductError;
#[cfg(feature = "defects")]
use store::DefectiveTables as Tables;
#[cfg(not(feature = "defects"))]
use store::Tables;

/// The service's name in answers, logs and metrics.
pub const NAME: &str = "product";

/// How often ended leases are looked for.
const SWEEP: Duration = Duration::from_millis(500);

/// What the service needs to know.
#[derive(Clone)]
pub struct Config {
    /// Where its data lives.
    pub store: Location,
    /// How callers are authenticated.
    pub authenticator: Authenticator,
    /// The host names it answers to.
    pub hosts: Hosts,
    /// Whether it counts its requests.
    pub counting: Counting,
    /// What records its spans.
    pub tracer: Tracer,
    /// How long what was refused is kept.
    pub retention: Retention,
}

/// An opened product service.
#[derive(Clone)]
pub struct ProductService {
    app: App,
    service: Service,
    gauges: gauges::StockGauges,
    retention: Retention,
}

impl ProductService {
    /// Opens the service's data. A new store starts with the article's three products.
    pub async fn open(config: &Config) -> Result<Self, ProductError> {
        let tables = Tables::open(config).await.map_err(ProductError::Open)?;
        let metrics = Metrics::new(NAME, config.counting);
        metrics.register(|registry| {
            tables.register(registry);
            config.tracer.register(registry);
        });
        let gauges = gauges::StockGauges::registered(&metrics);
        let health = Health::starting({
            let tables = tables.clone();
            move || tables.trouble()
        });
        let (authenticator, hosts, tracer) =
            (config.authenticator.clone(), config.hosts.clone(), config.tracer.clone());
        let newest = ClockSkew::of(NAME);
        let health = health.with_clock_skew(newest.clone());
        let opened = App::open(tables.clone(), newest, tracer.clone()).await;
        let app = opened.map_err(|error| match error {
            ProductError::Store(source) => ProductError::Open(tables.unusable(source)),
            other => other,
        })?;
        let service = Service { name: NAME, authenticator, hosts, health, metrics, tracer };
        Ok(Self { app, service, gauges, retention: config.retention })
    }

    /// The use cases, for callers in the same process.
    #[must_use]
    pub fn app(&self) -> App {
        self.app.clone()
    }

    /// Serves until `shutdown`, then closes the data.
    pub async fn serve(
        self,
        listener: impl Into<Listener>,
        shutdown: CancellationToken,
    ) -> Result<(), ServeError> {
        let (health, tracer) = (self.service.health.clone(), self.service.tracer.clone());
        let routes = self.app.clone();
        let router = ordersys_chassis::finish(move || http::routes(routes.clone()), self.service);
        let sweeper = tokio::spawn(sweep(self.app.clone(), shutdown.clone()));
        let forgetting = tokio::spawn({
            let app = self.app.clone();
            async move { retention::sweep(self.retention, NAME, || app.forget()).await }
        });
        let measuring = tokio::spawn(gauges::measure(self.app.clone(), self.gauges));
        health.serving();
        let served = ordersys_chassis::serve(router, listener, health, shutdown).await;
        sweeper.abort();
        forgetting.abort();
        measuring.abort();
        self.app.close().await;
        tracer.close().await;
        served
    }
}

/// Ends leases that are over.
async fn sweep(app: App, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !shutdown.is_cancelled() {
        ticks.tick().await;
        if let Err(error) = app.end_leases(Instant::now()).await {
            tracing::warn!(service = NAME, %error, "ended leases could not be swept; the next sweep tries again");
        }
    }
}

/// Makes or migrates the tables of the service in a database, without serving.
pub async fn migrate(address: DatabaseAddress, password: Option<Secret>) -> Result<Migrated, OpenError> {
    Postgres::migrate(&store::postgres::options(address, password)).await
}
