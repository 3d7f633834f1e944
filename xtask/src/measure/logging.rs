//! What logging at info and counting requests cost the order path: three services that do both against three that do
//! neither. The counts of commits, of coalesced calls and of steps of orders stay on in both.

use std::path::PathBuf;

use ordersys_bench::result::Core;
use ordersys_contract::Role;
use tokio::process::Child;

use crate::common::Common;
use crate::lab::Lab;
use crate::machine::conditions;
use crate::serving::{client_of, free_port, ready};
use crate::turns::{Medians, verdict};

/// How many percent of the orders a second both may cost.
const MOST_COST: f64 = 10.0;

/// Three services of one side.
struct Side {
    name: &'static str,
    services: Vec<Child>,
    urls: [String; 3],
}

pub(crate) async fn run(args: &Common) -> anyhow::Result<()> {
    let (rounds, seconds) = (args.rounds.unwrap_or(7), args.seconds.unwrap_or(5));
    let lab = args.lab().await?;
    let with = Side::start(&lab, "with", &["--log", "info"]).await?;
    let without = Side::start(&lab, "without", &["--log", "off", "--no-metrics"]).await?;
    let mut turns = args.turns("logging")?;
    for round in 0..=rounds {
        eprintln!("round {round} of {rounds}");
        let sides = if round % 2 == 0 { [&with, &without] } else { [&without, &with] };
        for side in sides {
            let run = side.load(&lab, seconds).await?;
            if round > 0 {
                turns.add(side.name, 0, run)?; // the first is a warm-up
            }
        }
    }
    differ(&lab, &with, &without).await?;
    let what =
        format!("orders of 1 line, 64 connections, durability full, {seconds} s a turn, medians of {rounds}");
    println!("{}", conditions(&lab, &what).await?);
    println!("| logs and counts | orders/s | p50 ms | p99 ms |\n|---|---:|---:|---:|");
    for side in [&without, &with] {
        let Medians { rate, p50, p99, .. } = turns.medians(side.name, 0);
        println!("| {} | {rate:.0} | {p50:.2} | {p99:.2} |", side.name);
    }
    let cost = 100.0 * (1.0 - turns.medians("with", 0).rate / turns.medians("without", 0).rate);
    println!(
        "\ncost: {cost:.1} % of the orders a second (at most {MOST_COST} %): {}",
        verdict(cost <= MOST_COST)
    );
    turns.check()?;
    anyhow::ensure!(cost <= MOST_COST, "logs and counts cost too much");
    Ok(())
}

/// Nothing against nothing would be no comparison.
async fn differ(lab: &Lab, with: &Side, without: &Side) -> anyhow::Result<()> {
    let log = |side: &Side| std::fs::read_to_string(lab.dir().join(side.log(Role::Order)));
    anyhow::ensure!(log(with)?.contains("\"message\":\"request\""), "the side that logs logged no request");
    anyhow::ensure!(log(without)?.is_empty(), "the side without logs logged");
    anyhow::ensure!(with.counts().await?, "the side that counts counted no order");
    anyhow::ensure!(!without.counts().await?, "the side without counts counted");
    Ok(())
}

impl Side {
    async fn start(lab: &Lab, name: &'static str, flags: &[&str]) -> anyhow::Result<Self> {
        let ports = [free_port()?, free_port()?, free_port()?];
        let urls = ports.map(|port| format!("http://127.0.0.1:{port}"));
        let mut side = Self { name, services: Vec::new(), urls };
        let data = lab.dir().join(name).display().to_string();
        for ((role, port), url) in Role::ALL.into_iter().zip(ports).zip(&side.urls) {
            let port = port.to_string();
            let serve = ["serve", role.name(), "--port", &port, "--data-dir", &data, "--log-format", "json"];
            let peers = ["--user-url", &side.urls[0], "--product-url", &side.urls[1]];
            let mut service = lab.beside(&[&serve[..], &peers, flags].concat(), side.log(role))?;
            ready(&mut service, url).await?;
            side.services.push(service);
        }
        Ok(side)
    }

    fn log(&self, role: Role) -> PathBuf {
        PathBuf::from(format!("{}-{}.log", self.name, role.name()))
    }

    async fn load(&self, lab: &Lab, seconds: u64) -> anyhow::Result<Core> {
        let state = lab.dir().join("state").display().to_string();
        let [user, product, order] = &self.urls;
        let at = ["--state-dir", &state, "--user-url", user, "--product-url", product, "--order-url", order];
        lab.load(&at.map(str::to_owned), seconds, &["--sell-existing"]).await
    }

    /// Whether the order service has counted orders.
    async fn counts(&self) -> anyhow::Result<bool> {
        let (_, text) = client_of(&self.urls[2]).get_raw(&self.urls[2], "/metrics").await?;
        let parts = ["ordersys_http_requests_total{", "route=\"/orders\"", "status=\"201\""];
        Ok(String::from_utf8_lossy(&text).lines().any(|line| parts.iter().all(|part| line.contains(part))))
    }
}
