//! The services in this process and on this thread, on free ports of the loopback device.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use ordersys_chassis::credentials::{ADMIN_FILE, SERVICE_FILE};
use ordersys_chassis::{Credentials, Gate, RemoteKeys, Tokens, breaker};
use ordersys_contract::client::Endpoints;
use ordersys_contract::product::NewProduct;
use ordersys_contract::user::NewUser;
use ordersys_contract::{Cents, Client, Currency, Secret};
use ordersys_order::ports::HttpPort;
use ordersys_order::{OrderService, Ports};
use ordersys_product::ProductService;
use ordersys_spans::Tracer;
use ordersys_store::Durability;
use ordersys_user::UserService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::doubles::{EveryProduct, EveryUser};
use crate::requests::Ids;

/// Units of the product that is ordered.
const STOCK: u64 = 1_000_000_000;
/// The services' credential, and the admin's.
const SECRETS: [(&str, &str); 2] = [(SERVICE_FILE, "measured-service"), (ADMIN_FILE, "measured-admin")];

/// What the order service asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Neighbours {
    /// Doubles that answer at once.
    Doubles,
    /// The other two services over HTTP.
    Services,
}

/// Running services.
#[derive(Debug)]
pub struct System {
    endpoints: Endpoints,
    credentials: Credentials,
    running: JoinSet<anyhow::Result<()>>,
    shutdown: CancellationToken,
}

impl System {
    /// Starts all three services with their data below `dir`.
    pub async fn start(dir: &Path, durability: Durability, neighbours: Neighbours) -> anyhow::Result<Self> {
        for (file, secret) in SECRETS {
            std::fs::write(dir.join(file), secret).with_context(|| format!("writing {file}"))?;
        }
        let credentials = Credentials::read(dir)?;
        let [(user, user_url), (product, product_url), (order, order_url)] =
            [listen().await?, listen().await?, listen().await?];
        let endpoints = Endpoints { user: user_url, product: product_url, order: order_url };
        let mut system =
            Self { endpoints, credentials, running: JoinSet::new(), shutdown: CancellationToken::new() };
        system.start_user(dir.join("user"), durability, user)?;
        system.start_product(dir.join("product"), durability, product).await?;
        system.start_order(dir.join("order"), (durability, neighbours), order)?;
        Ok(system)
    }

    fn start_user(
        &mut self,
        data_dir: PathBuf,
        durability: Durability,
        listener: TcpListener,
    ) -> anyhow::Result<()> {
        let (credentials, key_age) = (self.credentials.clone(), ordersys_user::KEY_AGE);
        let config =
            ordersys_user::Config { data_dir, durability, credentials, key_age, tracer: Tracer::off() };
        let (service, shutdown) = (UserService::open(&config)?, self.shutdown.clone());
        self.running.spawn(async move { Ok(service.serve(listener, shutdown).await?) });
        Ok(())
    }

    async fn start_product(
        &mut self,
        data_dir: PathBuf,
        durability: Durability,
        listener: TcpListener,
    ) -> anyhow::Result<()> {
        let config =
            ordersys_product::Config { data_dir, durability, gate: self.gate(), tracer: Tracer::off() };
        let (service, shutdown) = (ProductService::open(&config).await?, self.shutdown.clone());
        self.running.spawn(async move { Ok(service.serve(listener, shutdown).await?) });
        Ok(())
    }

    fn start_order(
        &mut self,
        data_dir: PathBuf,
        (durability, neighbours): (Durability, Neighbours),
        listener: TcpListener,
    ) -> anyhow::Result<()> {
        let (gate, breaker) = (self.gate(), breaker::Settings::default());
        let config = ordersys_order::Config { data_dir, durability, gate, breaker, tracer: Tracer::off() };
        let (service, shutdown) =
            (OrderService::open(&config, self.ports(neighbours))?, self.shutdown.clone());
        self.running.spawn(async move { Ok(service.serve(listener, shutdown).await?) });
        Ok(())
    }

    fn gate(&self) -> Gate {
        Gate::new(self.credentials.clone(), Tokens::new(RemoteKeys::new(self.endpoints.clone())))
    }

    fn ports(&self, neighbours: Neighbours) -> Ports {
        match neighbours {
            Neighbours::Doubles => Ports {
                users: Arc::new(EveryUser),
                inventory: Arc::new(EveryProduct),
                drivers: Arc::new(EveryProduct),
            },
            Neighbours::Services => {
                let port = || Arc::new(HttpPort(self.client(self.credentials.service())));
                Ports { users: port(), inventory: port(), drivers: port() }
            }
        }
    }

    fn client(&self, credential: Option<Secret>) -> Client {
        Client::new(self.endpoints.clone()).with_credential(credential)
    }

    /// The credential between services.
    pub fn service_credential(&self) -> anyhow::Result<Secret> {
        self.credentials.service().context("the services have credentials")
    }

    /// Makes a user and a product with more stock than is ever ordered.
    pub async fn seed(&self) -> anyhow::Result<Ids> {
        let client = self.client(Secret::new(SECRETS[1].1));
        let user = client.create_user(&NewUser::guest("Measured User", "measured@example.com")).await?;
        let (name, price) = ("Measured Product".to_owned(), Cents::from_minor(14_999).unwrap_or_default());
        let new = NewProduct { name, price, stock: STOCK, currency: Currency::USD };
        Ok(Ids { user: user.id, product: client.create_product(&new).await?.id })
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
