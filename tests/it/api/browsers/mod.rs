//! What a page of another site can do to services on this machine: nothing. In a real browser, and byte by byte.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ordersys::serve;
use ordersys::serve::{Listeners, ServeConfig, Stores};
use ordersys_contract::Role;
use ordersys_contract::client::{Client, Endpoints};
use ordersys_contract::user::{NewUser, User};
use ordersys_store::Durability;
use ordersys_testkit::stack::{url, wait_ready};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

mod bytes;
mod pages;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A name that is not ours.
const FOREIGN: &str = "evil.example";

/// All three services in one process and without credentials, as `serve all` runs them on loopback.
struct OpenStack {
    client: Client,
    endpoints: Endpoints,
    stop: CancellationToken,
    _dir: TempDir,
}

impl Drop for OpenStack {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl OpenStack {
    async fn start(bind: IpAddr, allowed: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let config = ServeConfig {
            bind,
            allowed_hosts: allowed.iter().map(|name| name.parse().expect("a name")).collect(),
            store: Stores::Directory { dir: dir.path().to_owned(), durability: Durability::Memory },
            secrets_dir: None,
            key_age: ordersys_user::KEY_AGE,
            breaker: ordersys_chassis::resilience::breaker::Settings::default(),
            counting: ordersys_chassis::Counting::On,
            tracing: None,
            retention: ordersys_store::retention::Retention::default(),
            allowance: ordersys_order::Allowance::default(),
            guests_per_address: None,
        };
        let bound = async || TcpListener::bind((LOCALHOST, 0)).await.expect("a free port");
        let listeners = Listeners {
            user: bound().await.into(),
            product: bound().await.into(),
            order: bound().await.into(),
        };
        let url_of = |listener: &TcpListener| format!("http://{}", listener.local_addr().expect("bound"));
        let endpoints = Endpoints {
            user: url_of(&listeners.user.socket),
            product: url_of(&listeners.product.socket),
            order: url_of(&listeners.order.socket),
            ..Endpoints::default()
        };
        let stop = CancellationToken::new();
        let shutdown = stop.clone();
        tokio::spawn(async move { serve::all(&config, listeners, shutdown).await.expect("serves") });
        for url in [&endpoints.user, &endpoints.product, &endpoints.order] {
            wait_ready(url).await;
        }
        Self { client: Client::new(endpoints.clone()), endpoints, stop, _dir: dir }
    }

    fn address(&self, role: Role) -> SocketAddr {
        url(&self.endpoints, role).trim_start_matches("http://").parse().expect("an address")
    }

    async fn a_user(&self) -> User {
        self.client.create_user(&NewUser::guest("Alice", "alice@example.com")).await.expect("creates")
    }
}
