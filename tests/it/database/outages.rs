//! A database that cannot be used for a while: refused within a moment, told, and found again by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use ordersys_contract::client::{Client, OrderFilter};
use ordersys_contract::order::{NewOrder, OrderState};
use ordersys_contract::settings::DatabaseAddress;
use ordersys_contract::{Code, ProductId, Role};
use ordersys_postgres::{Syncing, Temporary};
use ordersys_testkit::shop::{a_product, a_user};
use ordersys_testkit::{LIMIT, Processes, busy, order_of};
use serde_json::Value;

use super::{Crowd, audit, healed, role, services};

/// Within this time a new order is refused while there is no server.
const MOMENT: Duration = Duration::from_millis(1500);

/// Within this time two reads are answered, whatever happens to the server. Far more than it takes: the machine is busy.
const READ: Duration = Duration::from_secs(4);

/// What a service says of its readiness.
async fn readiness(processes: &Processes, role: Role) -> (u16, Value) {
    let url = format!("{}/readyz", processes.url(role));
    let answer = reqwest::Client::new().get(url).timeout(LIMIT).send().await.expect("answers");
    let status = answer.status().as_u16();
    let body = answer.text().await.expect("a body");
    (status, serde_json::from_str(&body).unwrap_or_default())
}

/// Waits until all services say that they are not ready, for this reason.
async fn all_red(processes: &Processes, why: &str) {
    let began = Instant::now();
    for role in Role::ALL {
        loop {
            let (status, body) = readiness(processes, role).await;
            if status == 503 && body["reason"].as_str().is_some_and(|reason| reason.contains(why)) {
                break;
            }
            assert!(began.elapsed() < LIMIT / 3, "{role} does not say `{why}`: {status} {body}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// What an order is answered while the database is away: nothing was written, come back.
async fn refused(client: &Client, order: &NewOrder) {
    let began = Instant::now();
    let error = client.place(order, None).await.expect_err("there is no database");
    assert!(began.elapsed() < MOMENT, "{error} after {:?}", began.elapsed());
    let problem = error.problem().unwrap_or_else(|| panic!("no answer: {error}"));
    let told = (problem.code.status().as_u16(), problem.retry_after.is_some());
    assert_eq!(told, (503, true), "{error}");
}

/// Places an order once the order service has found the others again.
async fn places(client: &Client, order: &NewOrder) {
    let began = Instant::now();
    loop {
        match client.place(order, None).await {
            Ok(placed) => return assert_eq!(placed.order.status, OrderState::Confirmed),
            Err(error) => {
                let code = error.problem().map(|problem| problem.code);
                assert_eq!(code, Some(Code::DependencyDown), "{error}");
                assert!(began.elapsed() < LIMIT, "{error}");
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Reads on and on until it is told to stop; the longest that an answer took.
async fn read_on(client: Client, product: ProductId, stop: Arc<AtomicBool>) -> Duration {
    let mut longest = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let _ = client.product(product).await;
        let _ = client.orders(&OrderFilter::default()).await;
        longest = longest.max(began.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    longest
}

/// What happens to the database, and how it is undone.
struct Trouble<'a> {
    begin: &'a str,
    why: &'a str,
    end: &'a str,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_the_database_from_being_used_is_told_and_passes() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let server = Temporary::shared();
    let address = server.database().expect("a database");
    let (shop, password) = role(server, &address, "shop", "LOGIN");
    let address = DatabaseAddress { user: shop.clone(), ..address };
    let mut processes = Processes::start_on(&address, &password).await.expect("starts");
    let client = processes.client("admin.token").expect("a credential");
    let user = a_user(&client).await.expect("made");
    let product = a_product(&client, 100).await.expect("made");
    let order = order_of(&user, &[(&product, 1)]);
    let troubles = [
        Trouble {
            begin: "ALTER ROLE shop SET default_transaction_read_only = on",
            why: "does not allow writes",
            end: "ALTER ROLE shop SET default_transaction_read_only = off",
        },
        Trouble {
            begin: "ALTER ROLE shop CONNECTION LIMIT 0",
            why: "too many connections for role",
            end: "ALTER ROLE shop CONNECTION LIMIT -1",
        },
        Trouble {
            begin: "ALTER ROLE shop NOLOGIN",
            why: "is not permitted to log in",
            end: "ALTER ROLE shop LOGIN",
        },
    ];
    for Trouble { begin, why, end } in troubles {
        places(&client, &order).await;
        server.run("postgres", &begin.replace("shop", &shop)).expect("runs");
        let end_all =
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{shop}'");
        server.run("postgres", &end_all).expect("runs");
        all_red(&processes, why).await;
        for _ in 0..5 {
            refused(&client, &order).await;
        }
        server.run("postgres", &end.replace("shop", &shop)).expect("runs");
        healed(&mut processes).await;
    }
    places(&client, &order).await;
    assert_eq!(client.product(product.id).await.expect("reads").stock, 100 - 4);
    audit(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_comes_back_loses_nothing_that_was_acknowledged() {
    const KILLS: usize = 3;
    const READERS: usize = 40;
    if !ordersys_postgres::is_here() {
        return;
    }
    let _turn = busy().await;
    let server = Temporary::start(Syncing::On).expect("starts");
    let (_address, mut processes) = services(&server).await;
    let client = processes.client("admin.token").expect("a credential");
    let user = a_user(&client).await.expect("made");
    let product = a_product(&client, 100).await.expect("made");
    let order = order_of(&user, &[(&product, 1)]);
    client.place(&order, None).await.expect("places");
    let mut crowd = Crowd::begin(std::slice::from_ref(&client), 12).await;
    let stop = Arc::<AtomicBool>::default();
    let reading = (0..READERS).map(|_| tokio::spawn(read_on(client.clone(), product.id, Arc::clone(&stop))));
    let reading: Vec<_> = reading.collect();
    for _ in 0..KILLS {
        crowd.buys(40).await;
        server.kill().expect("ran until now");
        all_red(&processes, "Connection refused").await;
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(500) {
            refused(&client, &order).await;
            let read = client.product(product.id).await.expect_err("there is no database");
            assert_eq!(read.problem().map(|problem| problem.code), Some(Code::StorageUnwritable), "{read}");
        }
        server.start_again().expect("starts again");
        healed(&mut processes).await;
    }
    crowd.buys(40).await;
    stop.store(true, Ordering::Relaxed);
    for longest in join_all(reading).await {
        let longest = longest.expect("no panic");
        assert!(longest < READ, "a reader waited {longest:?}");
    }
    crowd.close().await;
}
