//! The services in this process and on this thread, on free ports of the loopback device.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use ordersys_chassis::auth::credentials::{ADMIN_FILE, SERVICE_FILE};
use ordersys_chassis::resilience::breaker;
use ordersys_chassis::{Authenticator, Counting, Credentials, Hosts, RemoteKeys, ServeError, Tokens};
use ordersys_contract::client::Endpoints;
use ordersys_contract::product::NewProduct;
use ordersys_contract::user::NewUser;
use ordersys_contract::{Client, Currency, Money, Secret};
use ordersys_order::ports::HttpPort;
use ordersys_order::{OrderService, Ports};
use ordersys_product::ProductService;
use ordersys_spans::Tracer;
use ordersys_store::retention::Retention;
use ordersys_store::{Durability, Location};
use ordersys_user::UserService;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::doubles::{EveryProduct, EveryUser};
use crate::requests::Ids;

/// What the user is called.
pub const USER_NAME: &str = "Measured User";
/// Units of the product that is ordered.
const STOCK: u64 = 1_000_000_000;
/// The services' credential, and the admin's, as long as services ask for.
const SECRETS: [(&str, &str); 2] =
    [(SERVICE_FILE, "measured-service-0123456789abcdef"), (ADMIN_FILE, "measured-admin-0123456789abcdef-0")];

/// What the order service asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Neighbours {
    /// Doubles that answer at once.
    Doubles,
    /// The other two services over HTTP.
    Services,
}

impl Neighbours {
    fn ports(self, endpoints: &Endpoints, credentials: &Credentials) -> Ports {
        match self {
            Self::Doubles => Ports {
                users: Arc::new(EveryUser),
                inventory: Arc::new(EveryProduct),
                drivers: Arc::new(EveryProduct),
            },
            Self::Services => {
                let client = || Client::new(endpoints.clone()).with_credential(credentials.service());
                let port = || Arc::new(HttpPort(client()));
                Ports { users: port(), inventory: port(), drivers: port() }
            }
        }
    }
}

/// Running services.
pub struct System {
    /// The order service, for callers in the same process.
    pub order: OrderService,
    /// The product service's use cases.
    pub product: ordersys_product::App,
    /// The credential files last as long as the services.
    _secrets: TempDir,
    endpoints: Endpoints,
    credentials: Credentials,
    running: JoinSet<Result<(), ServeError>>,
    shutdown: CancellationToken,
}

impl System {
    /// Starts all three services with their data below `dir`.
    pub async fn start(dir: &Path, durability: Durability, neighbours: Neighbours) -> anyhow::Result<Self> {
        let secrets = tempfile::tempdir()?;
        for (file, secret) in SECRETS {
            std::fs::write(secrets.path().join(file), secret).with_context(|| format!("writing {file}"))?;
        }
        let credentials = Credentials::read(secrets.path())?;
        let [(user, user_url), (product, product_url), (order, order_url)] =
            [listen().await?, listen().await?, listen().await?];
        let endpoints =
            Endpoints { user: user_url, product: product_url, order: order_url, ..Endpoints::default() };
        let authenticator =
            || Authenticator::new(credentials.clone(), Tokens::new(RemoteKeys::new(endpoints.clone())));
        let user_service = UserService::open(&user_config(dir, durability, credentials.clone())).await?;
        let product_service = ProductService::open(&product_config(dir, durability, authenticator())).await?;
        let order_config = order_config(dir, durability, authenticator());
        let order_service =
            OrderService::open(&order_config, neighbours.ports(&endpoints, &credentials)).await?;

        let (product_app, order_app) = (product_service.app(), order_service.clone());
        let (mut running, shutdown) = (JoinSet::new(), CancellationToken::new());
        running.spawn(user_service.serve(user, shutdown.clone()));
        running.spawn(product_service.serve(product, shutdown.clone()));
        running.spawn(order_service.serve(order, shutdown.clone()));
        Ok(Self {
            order: order_app,
            product: product_app,
            _secrets: secrets,
            endpoints,
            credentials,
            running,
            shutdown,
        })
    }

    /// A client with the admin's credential.
    #[must_use]
    pub fn admin(&self) -> Client {
        Client::new(self.endpoints.clone()).with_credential(Secret::new(SECRETS[1].1))
    }

    /// The credential between services.
    pub fn service_credential(&self) -> anyhow::Result<Secret> {
        self.credentials.service().context("the services have credentials")
    }

    /// Makes a user, and products with more stock than is ever ordered.
    pub async fn seed(&self) -> anyhow::Result<Ids> {
        let client = self.admin();
        let user = client.create_user(&NewUser::guest(USER_NAME, "measured@example.com")).await?;
        let mut ids = Ids { user: user.id, ..Ids::fixed() };
        for product in &mut ids.products {
            let (name, price) =
                ("Measured Product".to_owned(), Money::from_minor(14_999).unwrap_or_default());
            let new = NewProduct { name, price, stock: STOCK, currency: Currency::USD, test: false };
            *product = client.create_product(&new).await?.id;
        }
        Ok(ids)
    }

    /// `HOST:PORT` of a service, given its URL in the endpoints.
    pub fn address(&self, of: impl Fn(&Endpoints) -> &String) -> &str {
        of(&self.endpoints).trim_start_matches("http://")
    }

    /// Stops all services and waits until their data is closed.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended??;
        }
        Ok(())
    }
}

async fn listen() -> anyhow::Result<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}

fn user_config(dir: &Path, durability: Durability, credentials: Credentials) -> ordersys_user::Config {
    ordersys_user::Config {
        store: Location::Directory { dir: dir.join("user"), durability },
        credentials,
        hosts: Hosts::Any,
        key_age: ordersys_user::KEY_AGE,
        counting: Counting::On,
        tracer: Tracer::off(),
        guests_per_address: None,
    }
}

fn product_config(
    dir: &Path,
    durability: Durability,
    authenticator: Authenticator,
) -> ordersys_product::Config {
    ordersys_product::Config {
        store: Location::Directory { dir: dir.join("product"), durability },
        authenticator,
        hosts: Hosts::Any,
        counting: Counting::On,
        tracer: Tracer::off(),
        retention: Retention::default(),
    }
}

fn order_config(dir: &Path, durability: Durability, authenticator: Authenticator) -> ordersys_order::Config {
    ordersys_order::Config {
        store: Location::Directory { dir: dir.join("order"), durability },
        authenticator,
        hosts: Hosts::Any,
        breaker: breaker::Settings::default(),
        counting: Counting::On,
        tracer: Tracer::off(),
        retention: Retention::default(),
        allowance: ordersys_order::Allowance::default(),
    }
}
