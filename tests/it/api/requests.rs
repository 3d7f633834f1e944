//! Conditional requests, parameters and headers: what is wrong is named, with what was given and what is taken.

use ordersys_contract::Role;
use ordersys_testkit::{Answer, Stack};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn fetch(stack: &Stack, role: Role, path: &str, header: (&str, &str)) -> Answer {
    stack.send_with(role, "GET", path, &[header], None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_the_current_version_is_told_so() {
    let stack = Stack::start().await;
    let product = stack.a_product(10).await;
    for role in Role::ALL {
        let mut paths = vec!["/openapi.json".to_owned(), "/docs".to_owned()];
        paths.extend((role == Role::Product).then(|| format!("/products/{}", product.id)));
        for path in paths {
            let first = stack.send(role, "GET", &path, None).await;
            let tag = first.header("etag");
            let known =
                [tag, &format!("W/{tag}"), "*", &format!("\"x\", \"a,b\",W/{tag} ")].map(str::to_owned);
            for tags in known {
                let answer = fetch(&stack, role, &path, ("if-none-match", &tags)).await;
                assert_eq!((answer.status, answer.header("etag")), (304, tag), "{path} {tags}");
                assert_eq!(answer.header("cache-control"), first.header("cache-control"), "{path} {tags}");
            }
            for tags in ["\"x\"", "W/\"x\"", "\"x\", \"y\""] {
                let answer = fetch(&stack, role, &path, ("if-none-match", tags)).await;
                assert_eq!((answer.status, answer.header("etag")), (200, tag), "{path} {tags}");
                let answer = fetch(&stack, role, &path, ("if-match", tags)).await;
                assert_eq!((answer.status, answer.code()), (412, "precondition-failed"), "{path} {tags}");
            }
            let answer = fetch(&stack, role, &path, ("if-match", &format!("\"x\",{tag}"))).await;
            assert_eq!(answer.status, 200, "{path}");
            for name in ["if-match", "if-none-match"] {
                let answer = fetch(&stack, role, &path, (name, "abc")).await;
                assert_eq!((answer.status, answer.code()), (400, "invalid-header"), "{path} {name}");
                let detail = answer.body["detail"].as_str().expect("a text");
                assert!(detail.contains(name) && detail.contains("`abc`"), "{detail}");
            }
            let two = [("if-none-match", "\"x\""), ("if-none-match", tag)];
            assert_eq!(
                stack.send_with(role, "GET", &path, &two, None).await.status,
                304,
                "{path}: two lines"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_names_the_versions_it_is_meant_for() {
    let stack = Stack::start().await;
    let path = format!("/products/{}", stack.a_product(10).await.id);
    let bearer = stack.admin_bearer();
    let edit = async |headers: &[(&str, &str)]| {
        let mut sent = vec![JSON, ("authorization", bearer.as_str())];
        sent.extend(headers);
        let body = Some(r#"{"name":"Other"}"#.to_owned());
        stack.send_with(Role::Product, "PATCH", &path, &sent, body).await
    };
    let tag = async || stack.send(Role::Product, "GET", &path, None).await.header("etag").to_owned();
    let old = tag().await;
    assert_eq!(edit(&[("if-match", &format!("\"x\", {old}"))]).await.status, 200, "one of a list is enough");
    assert_eq!(edit(&[("if-match", &old)]).await.code(), "precondition-failed");
    let current = tag().await;
    for (name, tags) in [
        ("if-match", format!("W/{current}")),
        ("if-match", format!("W/{current}, \"x\"")),
        ("if-match", "\"x\"".to_owned()),
        ("if-match", "\"\"".to_owned()),
        ("if-none-match", "*".to_owned()),
        ("if-none-match", format!("W/{current}")),
    ] {
        let answer = edit(&[(name, &tags)]).await;
        assert_eq!((answer.status, answer.code()), (412, "precondition-failed"), "{name} {tags}");
    }
    for wrong in ["2.10", "\"2.10", "*, \"x\"", "\"a\" \"b\""] {
        let answer = edit(&[("if-match", wrong)]).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-header"), "{wrong}");
    }
    assert_eq!(tag().await, current, "nothing was changed");
    assert_eq!(edit(&[("if-match", "*")]).await.status, 200);
    assert_eq!(
        edit(&[("if-match", "\"x\""), ("if-match", &tag().await)]).await.status,
        200,
        "two lines are a list"
    );
    assert_eq!(edit(&[("if-none-match", "\"x\"")]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_parameter_is_named_with_what_it_takes() {
    let stack = Stack::start().await;
    let page = "a whole number from 1 to 1000";
    let number = "a whole number from 0 to 4294967295";
    let cursor = "the one in the `Link` of the page before";
    let long = format!("limit={}", "9".repeat(500));
    for (role, path, query, parts) in [
        (Role::Product, "/products", "limit=abc", ["limit", "`abc`", page]),
        (Role::Product, "/products", "limit=", ["limit", "``", page]),
        (Role::Product, "/products", "limit=0", ["limit", "`0`", page]),
        (Role::Product, "/products", "limit=-1", ["limit", "`-1`", page]),
        (Role::Product, "/products", "limit=1001", ["limit", "`1001`", page]),
        (Role::Product, "/products", &long, ["limit", "9…`", page]),
        (Role::Product, "/products", "limit=%1b[31m", ["limit", "`\\u{1b}[31m`", page]),
        (Role::Product, "/products", "cursor=zz", ["cursor", "`zz`", cursor]),
        (Role::Product, "/products", "limit=1&limit=2", ["limit", "more than once", "once"]),
        (Role::Product, "/products", "q=a&q=a", ["q", "more than once", "once"]),
        (Role::Product, "/products", "limit=1&%6cimit=2", ["limit", "more than once", "once"]),
        (Role::Product, "/products", "Limit=1", ["`Limit`", "no parameter", "`limit`"]),
        (Role::Product, "/internal/invariants", "lines=yes", ["lines", "`yes`", "`true` or `false`"]),
        (Role::Product, "/internal/invariants", "x=1", ["`x`", "no parameter", "`lines`"]),
        (Role::Product, "/internal/reservations", "limit=1.5", ["limit", "`1.5`", page]),
        (Role::User, "/users", "limit=ten", ["limit", "`ten`", page]),
        (Role::User, "/users", "mail=a@b", ["`mail`", "no parameter", "`email`"]),
        (Role::Order, "/orders", "userId=abc", ["userId", "`abc`", "UUIDs"]),
        (Role::Order, "/orders", "status=done", ["status", "`done`", "`pending`"]),
        (Role::Order, "/orders", "limit=x", ["limit", "`x`", page]),
        (Role::Order, "/internal/orders", "olderThan=1h", ["olderThan", "`1h`", number]),
        (Role::Order, "/internal/orders", "state=a:%20b", ["state", "`a: b`", "`pending`"]),
        (Role::Order, "/internal/orders/by-key", "key=k", ["userId", "missing", "parameter"]),
        (Role::Order, "/internal/idempotency-keys", "cursor=00", ["cursor", "`00`", cursor]),
    ] {
        let answer = stack.send_as_admin(role, "GET", &format!("{path}?{query}"), None).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-query"), "{path}?{query}: {}", answer.body);
        let detail = answer.body["detail"].as_str().expect("a text");
        for part in parts {
            assert!(detail.contains(part), "{path}?{query}: `{part}` is not in `{detail}`");
        }
        assert!(detail.len() < 400, "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_id_in_a_path_is_shown() {
    let stack = Stack::start().await;
    for (role, path, detail) in [
        (Role::User, "/users/abc", "User not found: `abc` is no user id, which is a UUID"),
        (Role::Product, "/products/a%20b", "Product not found: `a b` is no product id, which is a UUID"),
        (Role::Order, "/orders/%1b", "Order not found: `\\u{1b}` is no order id, which is a UUID"),
        (Role::Product, "/products/00000000-0000-7000-8000-000000000000", "Product not found"),
    ] {
        let answer = stack.send(role, "GET", path, None).await;
        assert_eq!((answer.status, answer.body["error"].as_str()), (404, Some(detail)), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_header_is_named_with_what_it_takes() {
    let stack = Stack::start().await;
    let service = stack.service_bearer();
    let lookup = "/internal/users/lookup";
    for (role, path, headers, status, parts) in [
        (Role::Order, "/orders", vec![("idempotency-key", "a b")], 400, ["idempotency-key", "`a b`", "128"]),
        (
            Role::Order,
            "/orders",
            vec![("content-encoding", "gzip")],
            415,
            ["content-encoding", "`gzip`", "as it is"],
        ),
        (
            Role::User,
            "/users",
            vec![("content-encoding", "identity, br")],
            415,
            ["content-encoding", "br`", "as it is"],
        ),
        (
            Role::User,
            "/sessions",
            vec![("content-encoding", "deflate")],
            415,
            ["content-encoding", "`deflate`", "is"],
        ),
        (Role::User, lookup, vec![("content-encoding", "zstd")], 415, ["content-encoding", "`zstd`", "is"]),
        (Role::User, lookup, vec![("x-timeout-ms", "1s")], 400, ["x-timeout-ms", "`1s`", "milliseconds"]),
        (Role::User, lookup, vec![("x-timeout-ms", "-5")], 400, ["x-timeout-ms", "`-5`", "milliseconds"]),
    ] {
        let mut sent = vec![JSON, ("authorization", service.as_str())];
        sent.extend(headers);
        let answer = stack.send_with(role, "POST", path, &sent, Some("{}".to_owned())).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        let detail = answer.body["detail"].as_str().expect("a text");
        for part in parts {
            assert!(detail.contains(part), "{path}: `{part}` is not in `{detail}`");
        }
    }
    let typed = [("content-type", "text/plain")];
    let answer = stack.send_with(Role::Order, "POST", "/orders", &typed, Some("{}".to_owned())).await;
    let detail = answer.body["detail"].as_str().expect("a text");
    assert!(
        answer.status == 415 && detail.contains("`text/plain`") && detail.contains("application/json"),
        "{detail}"
    );
    let plain = [JSON, ("content-encoding", "Identity")];
    let body = Some(r#"{"name":"A","email":"a@b"}"#.to_owned());
    assert_eq!(stack.send_with(Role::User, "POST", "/users", &plain, body).await.status, 201);
}
