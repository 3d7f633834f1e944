//! Who may call what, in an order system that is closed.

use ordersys_contract::Code;
use ordersys_contract::Role;
use ordersys_contract::reservation::{Action, Operation};
use ordersys_contract::{OrderId, RequestId};
use ordersys_testkit::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn internal_routes_do_not_exist_for_strangers() {
    let stack = Stack::start().await;
    for (role, method, path, body) in [
        (Role::User, "POST", "/internal/users/lookup", Some(r#"{"ids":[]}"#)),
        (Role::User, "GET", "/internal/users", None),
        (Role::User, "POST", "/internal/users/records", Some(r#"{"ids":[]}"#)),
        (Role::User, "GET", "/internal/sessions", None),
        (Role::User, "GET", "/internal/keys", None),
        (Role::Product, "GET", "/internal/products", None),
        (Role::Product, "POST", "/internal/reservations", Some(r#"{"operations":[]}"#)),
        (Role::Product, "GET", "/internal/invariants", None),
        (Role::Product, "GET", "/internal/reservations", None),
        (Role::Order, "GET", "/internal/orders", None),
        (Role::Order, "GET", "/internal/idempotency-keys", None),
    ] {
        let answer = stack.send(role, method, path, body).await;
        assert_eq!((answer.status, answer.code()), (404, "unknown-route"), "{path}");
    }
    let batch = vec![Operation {
        order_id: OrderId::now(),
        request_id: RequestId::random(),
        trace_parent: None,
        action: Action::Cancel,
    }];
    let refused = stack.admin().reservations(batch.clone()).await.expect_err("is not for the admin");
    assert_eq!(refused.problem().map(|problem| problem.code), Some(Code::UnknownRoute));
    assert_eq!(stack.service().reservations(batch).await.expect("is for services").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn administration_needs_the_admin() {
    let stack = Stack::start().await;
    let product = stack.a_product(1).await;
    let new = r#"{"name":"X","price":1,"stock":1}"#;
    for (role, method, path, body) in [
        (Role::Product, "POST", "/products".to_owned(), Some(new)),
        (Role::Product, "PATCH", format!("/products/{}", product.id), Some(r#"{"price":0}"#)),
        (Role::Product, "POST", format!("/products/{}/restock", product.id), Some(r#"{"quantity":9}"#)),
        (Role::User, "GET", "/users".to_owned(), None),
        (Role::Order, "GET", "/orders".to_owned(), None),
        (Role::Order, "POST", format!("/orders/{}/pay", OrderId::now()), None),
    ] {
        let answer = stack.send(role, method, &path, body).await;
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let reserve = format!("/products/{}/reserve", product.id);
    let answer = stack.send(Role::Product, "POST", &reserve, Some(r#"{"quantity":1}"#)).await;
    assert_eq!(answer.status, 404, "holding stock is for services and the admin");
    let wrong = [("authorization", "Bearer guess")];
    let answer = stack.send_with(Role::Order, "GET", "/orders", &wrong, None).await;
    assert_eq!((answer.status, answer.code()), (401, "unauthenticated"));
}
