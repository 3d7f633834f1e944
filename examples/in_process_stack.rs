//! Starts the three services in this process on free ports, places an order, stops them again.
//!
//! `cargo run --example in_process_stack`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Context as _;
use ordersys::serve;
use ordersys::serve::{Listeners, ServeConfig, Stores};
use ordersys_chassis::resilience::breaker::Settings;
use ordersys_command::Failure;
use ordersys_contract::Role;
use ordersys_contract::client::{Endpoints, ProductFilter};
use ordersys_contract::order::{NewLine, NewOrder};
use ordersys_contract::user::NewUser;
use ordersys_contract::{Client, Quantity};
use ordersys_order::Allowance;
use ordersys_store::Durability;
use ordersys_store::retention::Retention;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let config = ServeConfig {
        bind: LOOPBACK,
        allowed_hosts: Vec::new(),
        store: Stores::Directory { dir: data.path().to_owned(), durability: Durability::Full },
        secrets_dir: None, // a loopback port, open for seconds only
        key_age: ordersys_user::KEY_AGE,
        breaker: Settings::default(),
        counting: ordersys_chassis::Counting::On,
        tracing: None,
        retention: Retention::default(),
        allowance: Allowance::default(),
        guests_per_address: None,
    };
    // Port 0: the system chooses. Connections wait in the listeners until the services accept them.
    let listen = |role| serve::listen(LOOPBACK, role, 0).map_err(told);
    let (user, product, order) = (listen(Role::User)?, listen(Role::Product)?, listen(Role::Order)?);
    let endpoints =
        Endpoints { user: url(&user)?, product: url(&product)?, order: url(&order)?, ..Endpoints::default() };
    println!("user {}, product {}, order {}", endpoints.user, endpoints.product, endpoints.order);

    let shutdown = CancellationToken::new();
    let stack = tokio::spawn({
        let shutdown = shutdown.clone();
        let listeners = Listeners { user: user.into(), product: product.into(), order: order.into() };
        async move { serve::all(&config, listeners, shutdown).await }
    });
    let ordered = place_one(&Client::new(endpoints)).await;
    shutdown.cancel();
    stack.await?.map_err(told)?;
    println!("stopped");
    ordered
}

async fn place_one(client: &Client) -> anyhow::Result<()> {
    let new = NewUser::guest("Alice", "alice@example.com");
    let user = client.create_user(&new).await?;
    let products =
        client.products(&ProductFilter { limit: Some(1), ..ProductFilter::default() }).await?.items;
    let product = products.first().context("a new store has products")?;
    let line = NewLine { product_id: product.id.to_string(), quantity: Quantity::ONE };
    let order = NewOrder { user_id: user.id.to_string(), items: vec![line] };
    let placed = client.place(&order, None).await?.order;
    println!(
        "{} bought a {} for {} {}: {}",
        user.name,
        product.name,
        placed.total,
        placed.currency,
        placed.status.as_str()
    );
    Ok(())
}

fn url(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

/// The error of a command without its exit code.
fn told(failure: Failure) -> anyhow::Error {
    failure.error
}
