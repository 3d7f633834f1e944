//! In which order rows are locked: that of their ids, wherever they lie, so that no two services wait for each other.

use std::time::{Duration, Instant};

use ordersys_contract::order::OrderState;
use ordersys_postgres::Temporary;
use ordersys_testkit::shop::{a_product, a_user};
use ordersys_testkit::{LIMIT, order_of};

use super::services;

#[tokio::test(flavor = "multi_thread")]
async fn products_are_locked_in_the_order_of_their_ids_wherever_their_rows_lie() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let server = Temporary::shared();
    let (address, processes) = services(server).await;
    let database = address.database.clone();
    let run = move |sql: String| server.run(&database, &sql);
    let client = processes.client("admin.token").expect("a credential");
    let user = a_user(&client).await.expect("made");
    let (first, second) =
        (a_product(&client, 10).await.expect("made"), a_product(&client, 10).await.expect("made"));
    assert!(first.id < second.id, "ids grow");
    // Its row lies behind that of the second from now on.
    run(format!("UPDATE products.product SET name = 'Moved' WHERE id = '{}'", first.id)).expect("runs");
    // The server knows that the table is small, and goes through it as it lies.
    run("ANALYZE products.product".to_owned()).expect("runs");

    let hold =
        format!("SELECT 1 FROM products.product WHERE id = '{}' FOR UPDATE; SELECT pg_sleep(40)", first.id);
    let holding = tokio::task::spawn_blocking({
        let run = run.clone();
        move || run(hold)
    });
    let until = async |condition: &str| {
        let ask = format!(
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND {condition}"
        );
        let began = Instant::now();
        while run(ask.clone()).expect("runs") != "t" {
            assert!(began.elapsed() < LIMIT, "none is: {condition}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    until("wait_event = 'PgSleep'").await;
    let posting = tokio::spawn({
        let (client, order) = (client.clone(), order_of(&user, &[(&second, 1), (&first, 1)]));
        async move { client.place(&order, None).await }
    });
    until("application_name LIKE 'ordersys-%' AND wait_event_type = 'Lock'").await;
    let other = format!("SELECT 1 FROM products.product WHERE id = '{}' FOR UPDATE NOWAIT", second.id);
    let free = run(other);
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event = 'PgSleep'";
    run(end.to_owned()).expect("runs");
    holding.await.expect("no panic").expect_err("was ended");
    assert_eq!(free.expect("the second is not locked before the first"), "1");
    let placed = posting.await.expect("no panic").expect("places").order;
    assert!(matches!(placed.status, OrderState::Confirmed | OrderState::Pending), "{placed:?}");
}
