//! What accounts cost the order path: orders of registered users against those of guests, and orders of guests while
//! passwords are tried against the same without, with the memory of the user service meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use ordersys_contract::Password;
use ordersys_contract::session::NewSession;
use tokio::task::JoinSet;

use crate::common::Common;
use crate::machine::{conditions, kib};
use crate::serving::client_of;
use crate::stack::{Stack, USUAL};
use crate::turns::{Turns, verdict};

/// What each may cost of the orders a second, in percent.
const MOST_LOSS: f64 = 10.0;
/// What a flood may take of memory: the pool of the hasher, and what 200 connections need.
const MOST_GROWTH_KIB: u64 = (19 + 16) * 1024;
/// Connections that try passwords.
const FLOOD: u32 = 200;

pub(crate) async fn run(args: &Common) -> anyhow::Result<()> {
    let (rounds, seconds) = (args.rounds.unwrap_or(5), args.seconds.unwrap_or(4));
    let lab = args.lab().await?;
    let stack = Stack::new(&lab, "accounts");
    stack.up(&USUAL).await?;
    let services = stack.status().await?.services;
    let user = services.iter().find(|service| service.name == "user").context("a user service")?;
    let pid = user.pid.context("a process")?;
    let mut turns = args.turns("accounts")?;
    stack.load(seconds, &[]).await?; // warm-up
    for round in 1..=rounds {
        eprintln!("tokens, round {round} of {rounds}");
        turns.add("guests", 0, stack.load(seconds, &[]).await?)?;
        turns.add("tokens", 0, stack.load(seconds, &["--registered"]).await?)?;
    }
    let before = kib(pid, "status", "VmRSS")?;
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5")?; // the highest memory from here on
    let mut tries = 0;
    for round in 1..=rounds {
        eprintln!("flood, round {round} of {rounds}");
        turns.add("quiet", 0, stack.load(seconds, &[]).await?)?;
        let (flood, tried) = flood(&user.url);
        turns.add("flooded", 0, stack.load(seconds, &[]).await?)?;
        drop(flood);
        tries += tried.load(Ordering::Relaxed);
    }
    let grown = kib(pid, "status", "VmHWM")?.saturating_sub(before);

    let what = format!("64 connections, orders of 1 line; {seconds} s a turn, medians of {rounds}");
    println!("{}\n| what | orders/s without | with | loss % | limit % | |", conditions(&lab, &what).await?);
    println!("|---|---:|---:|---:|---:|---|");
    let kept = [
        report("access tokens", &turns, ["guests", "tokens"]),
        report("login flood", &turns, ["quiet", "flooded"]),
    ];
    println!("\nthe floods, on {FLOOD} connections: {tries} tries");
    println!(
        "memory of the user service: {before} KiB before, {grown} more during it (at most {MOST_GROWTH_KIB})"
    );
    turns.check()?;
    anyhow::ensure!(kept == [true, true] && grown <= MOST_GROWTH_KIB, "a limit is missed");
    Ok(())
}

/// Prints what one side lost against the other; whether that is little enough.
fn report(what: &str, turns: &Turns, sides: [&str; 2]) -> bool {
    let [without, with] = sides.map(|side| turns.medians(side, 0).rate);
    let loss = 100.0 * (1.0 - with / without);
    let kept = loss <= MOST_LOSS;
    println!("| {what} | {without:.0} | {with:.0} | {loss:.1} | {MOST_LOSS} | {} |", verdict(kept));
    kept
}

/// Tries passwords of ever new accounts until this is dropped; counts the tries.
fn flood(url: &str) -> (JoinSet<()>, Arc<AtomicU64>) {
    let (mut connections, tries) = (JoinSet::new(), Arc::new(AtomicU64::new(0)));
    for connection in 0..FLOOD {
        let (client, tries) = (client_of(url), Arc::clone(&tries));
        connections.spawn(async move {
            for number in 0_u64.. {
                let email = format!("nobody-{connection}-{number}@example.com");
                let session = NewSession { email, password: Password::new("guess guess") };
                let _ = client.log_in(&session).await; // none is let in
                tries.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    (connections, tries)
}
