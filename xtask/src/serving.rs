//! Single services that are started by hand instead of by `up`, their data, and containers.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ordersys_contract::Client;
use ordersys_contract::client::Endpoints;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::common::printed;
use crate::lab::{LIMIT, Lab};

/// A port where nothing listens, for a peer that is not needed.
const NOWHERE: &str = "http://127.0.0.1:9";
/// How long orders may take to be filled in.
const FILLING: Duration = Duration::from_mins(50);
/// How often a service is asked whether it is ready: as exactly as a start is timed.
const LOOK: Duration = Duration::from_millis(1);

/// A client of one service, whichever it is.
pub(crate) fn client_of(url: &str) -> Client {
    Client::new(Endpoints {
        user: url.to_owned(),
        product: url.to_owned(),
        order: url.to_owned(),
        ..Endpoints::default()
    })
}

/// A port that is free now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until a service is ready.
pub(crate) async fn ready(service: &mut Child, url: &str) -> anyhow::Result<()> {
    let (client, began) = (client_of(url), Instant::now());
    // The responder of the load tester knows this route as well.
    while !client.get_raw(url, "/health").await.is_ok_and(|(status, _)| status.is_success()) {
        let ended = service.try_wait()?;
        anyhow::ensure!(ended.is_none() && began.elapsed() < LIMIT, "{url} does not get ready: {ended:?}");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Asks a process to end and waits for it; its exit code.
pub(crate) async fn ended(mut process: Child, signal: Signal) -> anyhow::Result<Option<i32>> {
    let pid =
        process.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).context("it has ended before")?;
    kill_process(pid, signal)?;
    Ok(tokio::time::timeout(LIMIT, process.wait()).await.context("it does not end")??.code())
}

/// Milliseconds from the start of an order service with this data until it is ready.
pub(crate) async fn start_to_ready(lab: &Lab, data: &Path) -> anyhow::Result<f64> {
    let (port, data) = (free_port()?.to_string(), data.display().to_string());
    let began = Instant::now();
    let serve = ["serve", "order", "--port", &port, "--data-dir", &data];
    let peers = ["--user-url", NOWHERE, "--product-url", NOWHERE];
    let mut service = lab.beside(&[&serve[..], &peers].concat(), "serve.log")?;
    ready(&mut service, &format!("http://127.0.0.1:{port}")).await?;
    let took = began.elapsed().as_secs_f64() * 1e3;
    ended(service, Signal::TERM).await?;
    Ok(took)
}

/// Adds orders to the data of a stack that is down.
pub(crate) async fn fill(benches: &Path, data: &Path, orders: u64) -> anyhow::Result<()> {
    eprintln!("filling in {orders} orders");
    let mut fill = Command::new(benches);
    fill.args(["fill", "--orders", &orders.to_string(), "--data"]).arg(data);
    printed(&mut fill, FILLING).await.map(|_| ())
}

/// What the docker command prints.
pub(crate) async fn docker(args: &[&str]) -> anyhow::Result<String> {
    let text = printed(Command::new("docker").args(args), LIMIT).await?;
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}
