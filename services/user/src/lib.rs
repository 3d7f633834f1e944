//! The user service: who orders. Accounts are kept here and nowhere else.

use std::path::PathBuf;

use ordersys_chassis::{Credentials, Health, Listener, Metrics, ServeError, Service};
use ordersys_store::{Durability, OpenError};
use tokio_util::sync::CancellationToken;

mod app;
mod domain;
mod error;
mod http;
mod store;

pub use app::App;
pub use error::UserError;

/// The service's name in answers, logs and metrics.
pub const NAME: &str = "user";

/// What the service needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where its data lives.
    pub data_dir: PathBuf,
    /// What a commit means.
    pub durability: Durability,
    /// Whom it lets in.
    pub credentials: Credentials,
}

/// An opened user service.
#[derive(Clone)]
pub struct UserService {
    app: App,
    service: Service,
}

impl UserService {
    /// Opens the service's data.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        let users = store::Users::open(config)?;
        let metrics = Metrics::new(NAME);
        metrics.register(|registry| users.register(registry));
        let health = Health::starting({
            let users = users.clone();
            move || users.is_writable()
        });
        let credentials = config.credentials.clone();
        let service = Service { name: NAME, credentials, health, metrics };
        Ok(Self { app: App::new(users), service })
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
        let health = self.service.health.clone();
        let router = ordersys_chassis::finish(http::routes(self.app.clone()), self.service);
        health.serving();
        let served = ordersys_chassis::serve(router, listener, health, shutdown).await;
        self.app.close().await;
        served
    }
}
