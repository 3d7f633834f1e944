//! Sessions that end at any moment, also in the middle of a commit.

use std::time::{Duration, Instant};

use ordersys_contract::Role;
use ordersys_postgres::Temporary;
use ordersys_testkit::busy;

use super::{Crowd, healed, services};

/// How long sessions are ended under the buyers.
const STORM: Duration = Duration::from_secs(4);
/// Pause between two strikes.
const CALM: Duration = Duration::from_millis(20);

/// Ends about every second session of the services, and returns how many that were.
fn strike(server: &Temporary, database: &str) -> usize {
    let strike = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = '{database}' AND application_name LIKE 'ordersys-%' AND random() < 0.5"
    );
    server.run("postgres", &strike).expect("strikes").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_sessions_lose_nothing_that_was_acknowledged() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let _turn = busy().await;
    let server = Temporary::shared();
    let (address, mut processes) = services(server).await;
    let second = processes.second(&[Role::Product, Role::Order]).await.expect("starts");
    let clients = [&processes, &second].map(|of| of.client("admin.token").expect("a credential"));
    let mut crowd = Crowd::begin(&clients, 8).await;
    crowd.buys(50).await;
    let (began, mut ended) = (Instant::now(), 0);
    while began.elapsed() < STORM {
        ended += strike(server, &address.database);
        tokio::time::sleep(CALM).await;
    }
    assert!(ended > 50, "{ended} sessions were ended");
    healed(&mut processes).await;
    crowd.buys(50).await;
    let orders = crowd.close().await;
    assert!(orders >= 100, "{orders} orders");
    let deadlocks = format!("SELECT deadlocks FROM pg_stat_database WHERE datname = '{}'", address.database);
    assert_eq!(server.run("postgres", &deadlocks).expect("runs"), "0", "rows are locked in one order");
}
