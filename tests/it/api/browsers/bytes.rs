//! The requests of pages, byte by byte: names, origins, and headers that stand twice.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ordersys_contract::Role;
use ordersys_contract::client::OrderFilter;
use ordersys_contract::order::OrderState;
use ordersys_testkit::{Stack, order_of};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{FOREIGN, LOCALHOST, OpenStack};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends these bytes and reads the whole answer.
async fn raw(address: SocketAddr, request: &str) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(request.as_bytes()).await.expect("sends");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("reads");
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(PATIENCE, exchange).await.expect("answers in time")
}

/// The status and the code of the answer to a request with this first line and these headers.
async fn asked(address: SocketAddr, line: &str, headers: &[&str]) -> (u16, String) {
    let headers = [&[line], headers, &["connection: close\r\n\r\n"]].concat().join("\r\n");
    let answer = raw(address, &headers).await;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    assert!(status < 400 || body["detail"] == body["error"], "{answer}");
    (status, body["code"].as_str().unwrap_or("").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_answers_to_its_names_only() {
    let stack = OpenStack::start(LOCALHOST, &["shop.example"]).await;
    stack.a_user().await;
    for role in Role::ALL {
        let address = stack.address(role);
        let port = address.port();
        for own in ["127.0.0.1", "localhost", "[::1]", "Shop.Example", &role.host_name()] {
            for host in [own.to_owned(), format!("{own}:{port}")] {
                let seen = asked(address, "GET /readyz HTTP/1.1", &[&format!("host: {host}")]).await;
                assert_eq!(seen.0, 200, "{role} {host}: {seen:?}");
            }
        }
        let other = Role::ALL.into_iter().find(|other| *other != role).expect("one").host_name();
        for foreign in [FOREIGN, "localhost.evil.example", "192.168.0.1", "0.0.0.0", &other] {
            for path in
                ["/readyz", "/health", "/metrics", "/docs", "/openapi.json", "/users", "/no-such-route"]
            {
                let line = format!("GET {path} HTTP/1.1");
                let seen = asked(address, &line, &[&format!("host: {foreign}:{port}")]).await;
                assert_eq!(seen, (421, "misdirected-request".to_owned()), "{role} {foreign} {path}");
            }
        }
        let whole = format!("GET http://{FOREIGN}/readyz HTTP/1.1");
        assert_eq!(asked(address, &whole, &[&format!("host: {FOREIGN}")]).await.0, 421, "the target counts");
        assert_eq!(asked(address, &whole, &["host: localhost"]).await.1, "invalid-header", "they disagree");
        let own = format!("GET http://localhost:{port}/readyz HTTP/1.1");
        assert_eq!(asked(address, &own, &[&format!("host: localhost:{port}")]).await.0, 200);
    }
}

/// A service that other machines reach by names that were not configured takes any, but still no changes for pages
/// of other sites.
#[tokio::test(flavor = "multi_thread")]
async fn elsewhere_any_name_will_do_until_one_is_configured() {
    let anywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let host = format!("host: {FOREIGN}");
    let stack = OpenStack::start(anywhere, &[]).await;
    let address = stack.address(Role::User);
    assert_eq!(asked(address, "GET /readyz HTTP/1.1", &[&host]).await.0, 200);
    let user = stack.a_user().await;
    let disable = format!("POST /users/{}/disable HTTP/1.1", user.id);
    let packed = format!(
        "POST /users HTTP/1.1\r\n{host}\r\ncontent-type: application/json\r\n\
         transfer-encoding: gzip, chunked\r\nconnection: close\r\n\r\n0\r\n\r\n"
    );
    let seen = raw(address, &packed).await;
    assert!(seen.starts_with("HTTP/1.1 415 "), "{seen}");
    let seen = asked(address, &disable, &[&host, "origin: http://other.example"]).await;
    assert_eq!(seen, (403, "cross-site-request".to_owned()));
    let configured = OpenStack::start(anywhere, &["shop.example"]).await;
    let address = configured.address(Role::User);
    assert_eq!(asked(address, "GET /readyz HTTP/1.1", &[&host]).await.0, 421);
    assert_eq!(asked(address, "GET /readyz HTTP/1.1", &["host: shop.example"]).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_for_a_foreign_page_is_refused() {
    let stack = Stack::start().await;
    let (user, product) = (stack.a_user().await, stack.a_product(10).await);
    let order = stack.anyone().place(&order_of(&user, &[(&product, 1)]), None).await.expect("places").order;
    let body =
        format!(r#"{{"userId":"{}","items":[{{"productId":"{}","quantity":1}}]}}"#, user.id, product.id);
    let bearer = stack.admin_bearer();
    let foreign: [&[(&str, &str)]; 5] = [
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost:1")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    for headers in foreign {
        let mut sent = vec![("content-type", "application/json"), ("authorization", bearer.as_str())];
        sent.extend(headers);
        for (role, path, body) in [
            (Role::Order, "/orders".to_owned(), Some(body.clone())),
            (Role::Order, format!("/orders/{}/cancel", order.id), None),
            (Role::Order, format!("/orders/{}/pay", order.id), None),
            (Role::User, "/users".to_owned(), Some(r#"{"name":"A","email":"a@b"}"#.to_owned())),
            (Role::User, format!("/users/{}/disable", user.id), None),
            (
                Role::Product,
                format!("/products/{}/restock", product.id),
                Some(r#"{"quantity":1}"#.to_owned()),
            ),
        ] {
            let answer = stack.send_with(role, "POST", &path, &sent, body).await;
            assert_eq!((answer.status, answer.code()), (403, "cross-site-request"), "{path} {headers:?}");
        }
        let read = stack.send_with(Role::Product, "GET", "/products", headers, None).await;
        assert_eq!((read.status, read.header("access-control-allow-origin")), (200, ""), "{headers:?}");
    }
    let orders = stack.admin().orders(&OrderFilter::default()).await.expect("lists").items;
    assert_eq!(orders.iter().map(|order| order.status).collect::<Vec<_>>(), [OrderState::Confirmed]);
    assert_eq!(stack.stock(&product).await, 9);
    let own = stack.url(Role::Order).to_owned();
    let own =
        [("content-type", "application/json"), ("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    let answer = stack.send_with(Role::Order, "POST", "/orders", &own, Some(body)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_stand_once_is_refused_when_it_stands_twice() {
    let stack = OpenStack::start(LOCALHOST, &[]).await;
    for role in Role::ALL {
        let address = stack.address(role);
        let ready = "GET /readyz HTTP/1.1";
        let invalid = (400, "invalid-header".to_owned());
        assert_eq!(asked(address, ready, &[]).await, invalid, "{role}: no host");
        assert_eq!(asked(address, "GET /readyz HTTP/1.0", &[]).await.0, 200, "{role}: older than the header");
        for twice in [
            "host: localhost",
            "authorization: Bearer x",
            "idempotency-key: k",
            "content-type: application/json",
            "x-request-id: r",
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "x-timeout-ms: 1000",
            "origin: http://localhost",
            "sec-fetch-site: same-origin",
        ] {
            let headers = ["host: localhost", twice, twice];
            assert_eq!(asked(address, ready, &headers).await, invalid, "{role}: {twice}");
        }
        for length in [["content-length: 1", "content-length: 2"], ["content-length: x", "accept: a"]] {
            let answer =
                raw(address, &format!("{ready}\r\nhost: localhost\r\n{}\r\n\r\n", length.join("\r\n"))).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{role}: {answer}");
        }
        // Of a length and chunks the chunks count, and nothing that follows is taken for a request.
        let both = "POST /readyz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n\
                    0\r\n\r\nGET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let answer = raw(address, both).await;
        assert!(
            answer.starts_with("HTTP/1.1 405 ") && answer.matches("HTTP/1.1 ").count() == 1,
            "{role}: {answer}"
        );
    }
}
