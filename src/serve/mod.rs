//! Runs the services in this process: one of them, or all three as a monolith.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ordersys_chassis::auth::tokens::RemoteKeys;
use ordersys_chassis::resilience::breaker::Settings;
use ordersys_chassis::{Authenticator, Counting, Credentials, HostName, Hosts, Listener, Network, Tokens};
use ordersys_contract::{Client, client::Endpoints};
use ordersys_order::ports::HttpPort;
use ordersys_order::{Allowance, Ports};
use ordersys_product::ProductError;
use ordersys_spans::Tracer;
use ordersys_store::OpenError;
use ordersys_store::retention::Retention;
use ordersys_user::StartError;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

use ordersys_command::{Exit, Failure, OrFail, Outcome};
use ordersys_contract::Role;
use ordersys_stack::state::trust::check_credentials;

mod exposure;
mod open_files;
mod ports;
mod stores;

pub use crate::serve::exposure::{Exposure, check_exposure};
pub use crate::serve::open_files::capacity;
use crate::serve::ports::{LocalInventory, LocalKeys, LocalUsers, Reached};
pub use crate::serve::stores::Stores;

/// What the system may hold of what a client has not read yet, in bytes; it doubles that for its own needs.
const SEND_BUFFER: u32 = 128 * 1024;
/// Connections that may wait to be accepted, as far as the system allows.
const BACKLOG: u32 = 4096;

/// What a service process needs to know.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// The address to listen on.
    pub bind: IpAddr,
    /// Where the data lives.
    pub store: Stores,
    /// Where the credentials are; without them every caller may do everything.
    pub secrets_dir: Option<PathBuf>,
    /// Names under which clients reach the services, besides loopback's and each service's own.
    pub allowed_hosts: Vec<HostName>,
    /// How long a key signs access tokens before the next one takes over.
    pub key_age: Duration,
    /// When the order service refuses at once because another service fails.
    pub breaker: Settings,
    /// Whether requests are counted.
    pub counting: Counting,
    /// What is traced and where it goes, if anywhere.
    pub tracing: Option<ordersys_spans::Settings>,
    /// How long refused orders are kept.
    pub retention: Retention,
    /// What callers without an account may order.
    pub allowance: Allowance,
    /// Guests that one address may make in a minute, if that is limited.
    pub guests_per_address: Option<NonZeroU32>,
}

impl ServeConfig {
    fn credentials(&self) -> Outcome<Credentials> {
        match &self.secrets_dir {
            Some(dir) => {
                check_credentials(dir)?;
                Credentials::read(dir)
                    .hint(format!("{} must hold service.token and admin.token", dir.display()))
            }
            None => Ok(Credentials::Open),
        }
    }

    fn tracer(&self, role: Role) -> Tracer {
        self.tracing.as_ref().map_or_else(Tracer::off, |settings| Tracer::start(role.name(), settings))
    }

    fn hosts(&self, role: Role) -> Hosts {
        Hosts::of(&role.host_name(), self.bind, &self.allowed_hosts)
    }
}

/// Opens the port a role listens on.
pub fn listen(bind: IpAddr, role: Role, port: u16) -> Outcome<TcpListener> {
    let address = SocketAddr::new(bind, port);
    open(address).map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address: choose another with --bind"
            }
            _ => "choose another port with --port, or stop what uses this one",
        };
        let what = format!("the {role} service cannot listen on {address}");
        Failure {
            exit: Exit::Environment,
            error: anyhow::Error::new(error).context(what),
            hint: Some(hint.to_owned()),
        }
    })
}

fn open(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    #[cfg(unix)] // elsewhere it means that ports may be shared
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Runs one service until `shutdown`. The order service reaches its peers over HTTP, on the network it
/// listens on.
pub async fn one(
    role: Role,
    config: &ServeConfig,
    peers: Endpoints,
    listener: impl Into<Listener>,
    shutdown: CancellationToken,
) -> Outcome {
    let listener = listener.into();
    announce(role, &listener.socket);
    let credentials = config.credentials()?;
    let (store, hosts) = (config.store.of(role), config.hosts(role));
    let authenticator =
        || Authenticator::new(credentials.clone(), Tokens::new(RemoteKeys::new(peers.clone())));
    let tracer = || config.tracer(role);
    match role {
        Role::User => user(config, credentials).await?.serve(listener, shutdown).await?,
        Role::Product => {
            let config = ordersys_product::Config {
                store,
                authenticator: authenticator(),
                hosts,
                counting: config.counting,
                tracer: tracer(),
                retention: config.retention,
            };
            let opened = ordersys_product::ProductService::open(&config).await;
            refused_product(opened)?.serve(listener, shutdown).await?;
        }
        Role::Order => {
            let ports = over_http(&peers, &credentials, &listener.network);
            let (authenticator, breaker, tracer) = (authenticator(), config.breaker, tracer());
            let config = ordersys_order::Config {
                store,
                authenticator,
                hosts,
                breaker,
                counting: config.counting,
                tracer,
                retention: config.retention,
                allowance: config.allowance,
            };
            refused(ordersys_order::OrderService::open(&config, ports).await)?
                .serve(listener, shutdown)
                .await?;
        }
    }
    Ok(())
}

/// The three listeners of a monolith.
#[derive(Debug)]
pub struct Listeners {
    /// For the user service.
    pub user: Listener,
    /// For the product service.
    pub product: Listener,
    /// For the order service.
    pub order: Listener,
}

/// Runs all three services until `shutdown`. The order service calls its peers directly.
pub async fn all(config: &ServeConfig, listeners: Listeners, shutdown: CancellationToken) -> Outcome {
    announce(Role::User, &listeners.user.socket);
    announce(Role::Product, &listeners.product.socket);
    announce(Role::Order, &listeners.order.socket);
    let credentials = config.credentials()?;
    let user = user(config, credentials.clone()).await?;
    let authenticator = Authenticator::new(credentials, Tokens::new(LocalKeys(user.app())));
    let product_config = ordersys_product::Config {
        store: config.store.of(Role::Product),
        authenticator: authenticator.clone(),
        hosts: config.hosts(Role::Product),
        counting: config.counting,
        tracer: config.tracer(Role::Product),
        retention: config.retention,
    };
    let product = refused_product(ordersys_product::ProductService::open(&product_config).await)?;
    let inventory = Arc::new(LocalInventory(product.app()));
    let users = Arc::new(LocalUsers(user.app()));
    let ports = Ports { users, inventory: Arc::clone(&inventory) as _, drivers: inventory };
    let (store, breaker, tracer) = (config.store.of(Role::Order), config.breaker, config.tracer(Role::Order));
    let hosts = config.hosts(Role::Order);
    let order_config = ordersys_order::Config {
        store,
        authenticator,
        hosts,
        breaker,
        counting: config.counting,
        tracer,
        retention: config.retention,
        allowance: config.allowance,
    };
    let order = refused(ordersys_order::OrderService::open(&order_config, ports).await)?;

    // The order service stops first: its last requests still need the other two.
    let peers = CancellationToken::new();
    let peers_task = {
        let (user_stop, product_stop) = (peers.clone(), peers.clone());
        tokio::spawn(async move {
            tokio::join!(
                user.serve(listeners.user, user_stop),
                product.serve(listeners.product, product_stop)
            )
        })
    };
    let ordered = order.serve(listeners.order, shutdown).await;
    peers.cancel();
    let (user_ended, product_ended) = peers_task.await.context("a service panicked")?;
    ordered?;
    user_ended?;
    product_ended?;
    Ok(())
}

/// A store that does not open ends the service with what to do about it.
fn refused<T>(opened: Result<T, OpenError>) -> Outcome<T> {
    opened.map_err(|error| {
        let hint = error.hint();
        Failure { exit: Exit::Environment, error: error.into(), hint }
    })
}

async fn user(config: &ServeConfig, credentials: Credentials) -> Outcome<ordersys_user::UserService> {
    let user_config = ordersys_user::Config {
        store: config.store.of(Role::User),
        credentials,
        hosts: config.hosts(Role::User),
        key_age: config.key_age,
        counting: config.counting,
        tracer: config.tracer(Role::User),
        guests_per_address: config.guests_per_address,
    };
    match ordersys_user::UserService::open(&user_config).await {
        Ok(service) => Ok(service),
        Err(StartError::Store(error)) => refused(Err(error)),
        Err(StartError::Keys(error)) => Err(error)
            .exit(Exit::Environment)
            .hint("make the file readable; without it new keys are made, and users have to log in again"),
    }
}

fn refused_product<T>(opened: Result<T, ProductError>) -> Outcome<T> {
    match opened {
        Err(ProductError::Open(error)) => refused(Err(error)),
        other => Ok(other?),
    }
}

fn announce(role: Role, listener: &TcpListener) {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(service = role.name(), %address, version = env!("CARGO_PKG_VERSION"), "listening");
    }
}

fn over_http(peers: &Endpoints, credentials: &Credentials, network: &Network) -> Ports {
    // A client each: lanes share no connections, so none can hold up another.
    let port = || {
        let client = Client::new(peers.clone()).with_credential(credentials.service());
        Arc::new(Reached { port: HttpPort(client), network: network.clone() })
    };
    Ports { users: port(), inventory: port(), drivers: port() }
}
