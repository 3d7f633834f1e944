//! `kill -9` of real processes under load: nothing acknowledged is lost, stock is conserved.

use std::time::Duration;

use ordersys_testkit::crash::kill_loop;
use ordersys_testkit::{binary, busy};

const KILLS: usize = 50;
const SEED: u64 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn killed_services_lose_nothing_they_acknowledged() {
    let _turn = busy().await;
    let killing = kill_loop::run(binary(), KILLS, SEED);
    let judged = tokio::time::timeout(Duration::from_mins(3), killing).await.expect("ends in time");
    println!("{}", judged.expect("no violation"));
}
