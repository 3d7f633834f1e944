//! Rubbish on every route: a problem answer, nothing written.

use ordersys_contract::Role;
use ordersys_contract::client::OrderFilter;
use ordersys_testkit::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_orders_are_refused_and_leave_nothing() {
    let stack = Stack::start().await;
    let (user, product) = (stack.a_user().await, stack.a_product(100).await);
    let (u, p) = (user.id, product.id);
    let quantity = |q: &str| format!(r#"{{"userId":"{u}","items":[{{"productId":"{p}","quantity":{q}}}]}}"#);
    let many = vec![format!(r#"{{"productId":"{p}","quantity":1}}"#); 101].join(",");
    let cases = [
        ("", 400, "malformed-json"),
        ("{", 400, "malformed-json"),
        (&format!("{}}}", quantity("1")), 400, "malformed-json"),
        ("null", 400, "invalid-field"),
        ("[]", 400, "invalid-field"),
        ("{}", 400, "missing-field"),
        (&format!(r#"{{"userId":"{u}"}}"#), 400, "missing-field"),
        (&format!(r#"{{"userId":"{u}","items":[]}}"#), 400, "invalid-field"),
        (&format!(r#"{{"userId":"{u}","items":{{}}}}"#), 400, "invalid-field"),
        (&format!(r#"{{"userId":"{u}","items":[["{p}",1]]}}"#), 400, "invalid-field"),
        (&format!(r#"{{"userId":"{u}","items":[{many}]}}"#), 400, "invalid-field"),
        (&format!(r#"{{"userId":7,"items":[{{"productId":"{p}","quantity":1}}]}}"#), 400, "invalid-field"),
        (&format!(r#"{{"userId":"{u}","items":[{{"quantity":1}}]}}"#), 400, "missing-field"),
        (&quantity("0"), 400, "invalid-field"),
        (&quantity("-1"), 400, "invalid-field"),
        (&quantity("1.5"), 400, "invalid-field"),
        (&quantity("1e9"), 400, "invalid-field"),
        (&quantity("10001"), 400, "invalid-field"),
        (&quantity("\"2\""), 400, "invalid-field"),
        (&quantity("null"), 400, "invalid-field"),
        (&quantity("1,\"price\":0"), 400, "unknown-field"),
        (&quantity("1").replace("{\"userId\"", "{\"total\":1,\"userId\""), 400, "unknown-field"),
        (&quantity("1").replace("{\"userId\"", "{\"userId\":\"x\",\"userId\""), 400, "invalid-field"),
        (&quantity("1").replace(&u.to_string(), "abc-123"), 422, "unknown-user"),
        (&quantity("1").replace(&u.to_string(), &p.to_string()), 422, "unknown-user"),
        (&quantity("1").replace(&p.to_string(), "xyz-456"), 422, "unknown-product"),
        (&quantity("1").replace(&p.to_string(), &u.to_string()), 422, "unknown-product"),
        (&quantity("101"), 409, "insufficient-stock"),
    ];
    for (body, status, code) in cases {
        let answer = stack.send(Role::Order, "POST", "/orders", Some(body)).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}: {}", answer.body);
        assert_eq!(answer.body["error"], answer.body["detail"]);
        assert_eq!(answer.body["status"], status);
    }
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    let answer = stack.send(Role::Order, "POST", "/orders", Some(&deep)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(stack.stock(&product).await, 100);
    let orders = stack.admin().orders(&OrderFilter::default()).await.expect("lists").items;
    let kept: Vec<_> = orders.iter().map(|order| order.status.as_str()).collect();
    assert_eq!(kept, ["rejected", "rejected"], "only what the product service refused is on record");
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_types_and_keys_have_limits() {
    let stack = Stack::start().await;
    let huge = format!(r#"{{"userId":"{}"}}"#, "x".repeat(70_000));
    let answer = stack.send(Role::Order, "POST", "/orders", Some(&huge)).await;
    assert_eq!((answer.status, answer.code()), (413, "body-too-large"));
    let plain = [("content-type", "text/plain")];
    let answer = stack.send_with(Role::Order, "POST", "/orders", &plain, Some("{}".to_owned())).await;
    assert_eq!((answer.status, answer.code()), (415, "unsupported-media-type"));
    let key = [("content-type", "application/json"), ("idempotency-key", "with space")];
    let answer = stack.send_with(Role::Order, "POST", "/orders", &key, Some("{}".to_owned())).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    for (role, path) in [
        (Role::User, "/users/abc-123"),
        (Role::Product, "/products/xyz"),
        (Role::Product, "/products/00000000-0000-0000-0000-000000000000"),
        (Role::Order, "/orders/%00"),
        (Role::Order, "/orders/00000000-0000-0000-0000-000000000000/events"),
    ] {
        let answer = stack.send(role, "GET", path, None).await;
        assert_eq!((answer.status, answer.code()), (404, "not-found"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_users_and_products_are_refused() {
    let stack = Stack::start().await;
    for body in [
        "{}",
        r#"{"name":"A"}"#,
        r#"{"name":"","email":"a@b"}"#,
        r#"{"name":"A","email":"ab"}"#,
        r#"{"name":1,"email":"a@b"}"#,
        r#"{"name":"A","email":"a@b","role":"admin"}"#,
    ] {
        let answer = stack.send(Role::User, "POST", "/users", Some(body)).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    }
    for body in [
        "{}",
        r#"{"name":"A","price":1.005,"stock":1}"#,
        r#"{"name":"A","price":-1,"stock":1}"#,
        r#"{"name":"A","price":"1","stock":1}"#,
        r#"{"name":"A","price":1e3,"stock":1}"#,
        r#"{"name":"A","price":99999999999999999999,"stock":1}"#,
        r#"{"name":"A","price":1,"stock":-1}"#,
        r#"{"name":"A","price":1,"stock":1.5}"#,
        r#"{"name":"A","price":1,"stock":18446744073709551615}"#,
        r#"{"name":" ","price":1,"stock":1}"#,
        r#"{"name":"A","price":1,"stock":1,"currency":"usd"}"#,
        r#"{"name":"A","price":1,"stock":1,"sold":1}"#,
    ] {
        let answer = stack.send_as_admin(Role::Product, "POST", "/products", Some(body)).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    }
    for query in ["limit=0", "limit=1001", "limit=x", "cursor=zz", "surprise=1"] {
        let answer = stack.send(Role::Product, "GET", &format!("/products?{query}"), None).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-query"), "{query}: {}", answer.body);
    }
}
