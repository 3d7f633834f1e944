//! Data that a service must not touch: it refuses to start, says why, and changes nothing.

use std::path::Path;
use std::process::{Command, Output};

use ordersys_contract::Role;
use ordersys_contract::order::{CANCEL, PAY, SHIP};
use ordersys_store::rusqlite::Connection;
use ordersys_testkit::{Stack, binary, order_of};

fn serve(data: &Path) -> Output {
    Command::new(binary())
        .args(["serve", "user", "--port", "0", "--log", "error", "--data-dir"])
        .arg(data)
        .output()
        .expect("runs")
}

#[track_caller]
fn assert_refused(data: &Path, expected: &[&str]) {
    let output = serve(data);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{text}");
    for part in expected {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
}

#[test]
fn data_that_is_not_its_own_is_refused() {
    let data = tempfile::tempdir().expect("a directory");
    let dir = data.path().join("user");
    std::fs::create_dir(&dir).expect("a directory");
    let file = dir.join("user.db");
    let name = file.to_string_lossy().into_owned();

    Connection::open(&file).and_then(|newer| newer.pragma_update(None, "user_version", 99)).expect("writes");
    assert_refused(data.path(), &[&name, "has schema 99", "start the newer program"]);

    let garbage = vec![0x5a; 8192];
    std::fs::write(&file, &garbage).expect("writes");
    assert_refused(data.path(), &[&name, "is damaged", "file is not a database", "restore the directory"]);
    assert_eq!(std::fs::read(&file).expect("reads"), garbage, "nothing is repaired");

    let lock = std::fs::File::options().read(true).write(true).open(dir.join("lock")).expect("is there");
    lock.lock().expect("is free");
    std::fs::write(dir.join("lock"), "4242\n").expect("writes");
    assert_refused(data.path(), &["in use by process 4242", "stop process 4242"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restock_beyond_what_can_be_counted_is_refused() {
    let stack = Stack::start().await;
    let product = stack.a_product(5).await;
    let path = format!("/products/{}/restock", product.id);
    for units in ["0", "1000000000001", "9223372036854775807", "18446744073709551615", "18446744073709551616"]
    {
        let body = format!(r#"{{"quantity":{units}}}"#);
        let answer = stack.send_as_admin(Role::Product, "POST", &path, Some(&body)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-field"), "{units}: {}", answer.body);
    }
    assert_eq!(stack.stock(&product).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipped_order_is_not_cancelled_and_the_answer_names_its_state() {
    let stack = Stack::start().await;
    let (user, product, admin) = (stack.a_user().await, stack.a_product(5).await, stack.admin());
    let id = admin.place(&order_of(&user, &[(&product, 2)]), None).await.expect("places").order.id;
    for step in [PAY, SHIP] {
        admin.step(id, step).await.expect("steps");
    }
    let path = CANCEL.replace("{id}", &id.to_string());
    let answer = stack.send_as_admin(Role::Order, "POST", &path, None).await;
    assert_eq!((answer.status, answer.code()), (409, "illegal-transition"), "{}", answer.body);
    assert_eq!(answer.body["state"], "shipped");
    assert_eq!(stack.stock(&product).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_at_most_128_characters() {
    let stack = Stack::start().await;
    let (user, product) = (stack.a_user().await, stack.a_product(5).await);
    let body = serde_json::to_string(&order_of(&user, &[(&product, 1)])).expect("serialises");
    for (length, status) in [(0, 400), (129, 400), (4000, 400), (128, 201)] {
        let key = "k".repeat(length);
        let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
        let answer = stack.send_with(Role::Order, "POST", "/orders", &headers, Some(body.clone())).await;
        assert_eq!(answer.status, status, "{length}: {}", answer.body);
    }
    assert_eq!(stack.stock(&product).await, 4);
}
