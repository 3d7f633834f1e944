//! The user service: who orders. Accounts are kept here and nowhere else.

use std::num::NonZeroU32;
use std::time::Duration;

use domain::ring::Certainty;
use ordersys_chassis::{
    Authenticator, ClockSkew, Counting, Credentials, Health, Hosts, Listener, Metrics, ServeError, Service,
    Tokens, smoothed_clock,
};
use ordersys_contract::Secret;
use ordersys_contract::settings::DatabaseAddress;
use ordersys_spans::Tracer;
use ordersys_store::postgres::{Migrated, Postgres};
use ordersys_store::{Location, OpenError};
use tokio_util::sync::CancellationToken;

mod app;
mod domain;
mod error;
mod hasher;
mod http;
mod keys;
mod store;
mod throttle;

pub use app::App;
pub use error::{StartError, UserError};
pub use keys::KeysError;

/// The service's name in answers, logs and metrics.
pub const NAME: &str = "user";

/// How long a key signs access tokens unless the configuration says otherwise.
pub const KEY_AGE: Duration = Duration::from_hours(30 * 24);

/// How often keys and sessions are looked through for old ones.
const SWEEP: Duration = Duration::from_mins(1);

/// What the service needs to know.
#[derive(Clone)]
pub struct Config {
    /// Where its data lives.
    pub store: Location,
    /// How callers are authenticated.
    pub credentials: Credentials,
    /// How long a key signs access tokens before the next one takes over.
    pub key_age: Duration,
    /// The host names it answers to.
    pub hosts: Hosts,
    /// Whether it counts its requests.
    pub counting: Counting,
    /// What records its spans.
    pub tracer: Tracer,
    /// Guests that one address may make in a minute, if that is limited.
    pub guests_per_address: Option<NonZeroU32>,
}

/// An opened user service.
#[derive(Clone)]
pub struct UserService {
    app: App,
    service: Service,
}

impl UserService {
    /// Opens the service's data. The first start makes the first key for access tokens.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let users = store::Users::open(&config.store).await?;
        let keys = keys::Keys::open(users.home_of_keys(), config.key_age).await;
        let keys = keys.map_err(|error| match error {
            KeysError::Table(error) => StartError::Store(users.unusable(error)),
            KeysError::File { .. } => StartError::Keys(error),
        })?;
        let hasher = hasher::Hasher::start()?;
        let metrics = Metrics::new(NAME, config.counting);
        metrics.register(|registry| {
            users.register(registry);
            hasher.register(registry);
            config.tracer.register(registry);
        });
        let health = Health::starting({
            let users = users.clone();
            move || users.trouble()
        });
        let authenticator = Authenticator::new(config.credentials.clone(), Tokens::new(keys.clone()));
        let (hosts, tracer) = (config.hosts.clone(), config.tracer.clone());
        let newest = ClockSkew::of(NAME);
        let health = health.with_clock_skew(newest.clone());
        let throttle = throttle::Throttle::new(config.guests_per_address);
        let dependencies =
            app::Dependencies { users, hasher, throttle, keys, newest, tracer: tracer.clone() };
        let app = App::new(dependencies);
        Ok(Self { app, service: Service { name: NAME, authenticator, hosts, health, metrics, tracer } })
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
        let sweeper = tokio::spawn(sweep(self.app.clone()));
        if let Err(error) = self.app.see_newest().await {
            tracing::warn!(service = NAME, %error, "the newest stored time is not known");
        }
        complete_addresses(&self.app).await;
        health.serving();
        let served = ordersys_chassis::serve(router, listener, health, shutdown).await;
        sweeper.abort();
        self.app.close().await;
        tracer.close().await;
        served
    }
}

/// Until it is done, users of earlier versions are found by some forms of their address only.
async fn complete_addresses(app: &App) {
    if let Err(error) = app.complete_addresses().await {
        tracing::warn!(service = NAME, %error, "earlier addresses are not completed; the next sweep tries again");
    }
}

/// Makes and forgets keys, and forgets sessions, as time passes.
async fn sweep(app: App) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = smoothed_clock::now();
        let certainty = if smoothed_clock::is_settled() { Certainty::Sure } else { Certainty::Unsure };
        if let Err(error) = app.turn_keys(now, certainty).await {
            tracing::warn!(service = NAME, %error, "the keys stay as they are; the next sweep tries again");
        }
        complete_addresses(&app).await;
        if let Err(error) = app.forget_answers().await {
            tracing::warn!(service = NAME, %error, "kept answers stay for now; the next sweep tries again");
        }
        if certainty == Certainty::Sure
            && let Err(error) = app.forget_expired(now).await
        {
            tracing::warn!(service = NAME, %error, "ended sessions stay for now; the next sweep tries again");
        }
    }
}

/// Makes or migrates the tables of the service in a database, without serving.
pub async fn migrate(address: DatabaseAddress, password: Option<Secret>) -> Result<Migrated, OpenError> {
    Postgres::migrate(&store::postgres::options(address, password)).await
}
