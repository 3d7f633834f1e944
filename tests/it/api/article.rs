//! The article's walk-through, as its curl calls send it.

use ordersys_contract::Role;
use ordersys_testkit::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_through_works_verbatim() {
    let stack = Stack::start().await;
    let alice = r#"{"name": "Alice", "email": "alice@example.com"}"#;
    let user = stack.send(Role::User, "POST", "/users", Some(alice)).await;
    assert_eq!(user.status, 201);
    assert_eq!((&user.body["name"], &user.body["email"]), (&"Alice".into(), &"alice@example.com".into()));
    let id = user.body["id"].as_str().expect("an id");
    assert_eq!(user.header("location"), format!("/users/{id}"));
    let read = stack.send(Role::User, "GET", &format!("/users/{id}"), None).await;
    assert_eq!((read.status, &read.body), (200, &user.body));

    let products = stack.send(Role::Product, "GET", "/products", None).await;
    let names: Vec<_> = products.body.as_array().expect("a bare array").iter().collect();
    let shown: Vec<_> =
        names.iter().map(|p| (p["name"].clone(), p["price"].to_string(), p["stock"].clone())).collect();
    assert_eq!(
        shown,
        [
            ("Mechanical Keyboard".into(), "149.99".to_owned(), 50.into()),
            ("USB-C Hub".into(), "49.99".to_owned(), 200.into()),
            ("27\" Monitor".into(), "399.99".to_owned(), 30.into()),
        ]
    );

    let product = names[0]["id"].as_str().expect("an id");
    let body = format!(r#"{{"userId": "{id}", "items": [{{"productId": "{product}", "quantity": 2}}]}}"#);
    let order = stack.send(Role::Order, "POST", "/orders", Some(&body)).await;
    assert_eq!(order.status, 201, "{}", order.body);
    assert_eq!(order.body["total"].to_string(), "299.98");
    assert_eq!(order.body["status"], "confirmed");
    assert_eq!((&order.body["userId"], &order.body["userName"]), (&id.into(), &"Alice".into()));
    assert_eq!(order.body["items"][0]["quantity"], 2);
    assert!(order.body["createdAt"].as_str().is_some_and(|at| at.ends_with('Z')));
    let path = order.header("location").to_owned();
    let read = stack.send(Role::Order, "GET", &path, None).await;
    assert_eq!((read.status, &read.body), (200, &order.body));
    let left = stack.send(Role::Product, "GET", &format!("/products/{product}"), None).await;
    assert_eq!(left.body["stock"], 48);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_has_the_common_routes() {
    let stack = Stack::start().await;
    for role in Role::ALL {
        let health = stack.send(role, "GET", "/health", None).await;
        assert_eq!(health.status, 200);
        assert_eq!(health.body["status"], "ok");
        assert_eq!(health.body["service"], role.name());
        assert_eq!(stack.send(role, "GET", "/livez", None).await.status, 200);
        assert_eq!(stack.send(role, "GET", "/readyz", None).await.status, 200);
        let metrics = stack.send(role, "GET", "/metrics", None).await;
        let text = metrics.body.as_str().unwrap_or("");
        assert!(text.contains("ordersys_http_requests_total"), "{text}");
        let unknown = stack.send(role, "GET", "/nowhere", None).await;
        assert_eq!((unknown.status, unknown.code()), (404, "unknown-route"));
        assert_eq!(unknown.header("content-type"), "application/problem+json");
        assert_eq!(unknown.body["requestId"], unknown.header("x-request-id"));
        let method = stack.send(role, "DELETE", "/health", None).await;
        assert_eq!((method.status, method.code()), (405, "method-not-allowed"));
        assert!(method.header("allow").contains("GET"), "{}", method.header("allow"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_kept_and_stored() {
    let stack = Stack::start().await;
    let (user, product) = (stack.a_user().await, stack.a_product(5).await);
    let body =
        format!(r#"{{"userId":"{}","items":[{{"productId":"{}","quantity":1}}]}}"#, user.id, product.id);
    let headers = [("content-type", "application/json"), ("x-request-id", "find-me.1")];
    let order = stack.send_with(Role::Order, "POST", "/orders", &headers, Some(body)).await;
    assert_eq!((order.status, order.header("x-request-id")), (201, "find-me.1"));
    let id = order.body["id"].as_str().expect("an id");
    let events = stack.send(Role::Order, "GET", &format!("/orders/{id}/events"), None).await;
    let steps: Vec<_> = events.body.as_array().expect("an array").iter().collect();
    let shown: Vec<_> =
        steps.iter().map(|e| (e["seq"].clone(), e["status"].clone(), e["requestId"].clone())).collect();
    let request = || "find-me.1".into();
    assert_eq!(shown, [(1.into(), "pending".into(), request()), (2.into(), "confirmed".into(), request())]);
    let rubbish = [("x-request-id", "not an id!")];
    let made = stack.send_with(Role::Order, "GET", "/livez", &rubbish, None).await;
    assert_ne!(made.header("x-request-id"), "not an id!");
}
