//! Where requests go, resolved and rendered once before the run.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::Uri;
use ordersys_contract::header::IDEMPOTENCY_KEY;
use ordersys_contract::{BaseUrl, Secret, order};

use ordersys_workload::plan::bearer::Bearer;

/// The services that answer requests of a run.
#[derive(Debug, Clone)]
pub struct Targets {
    /// The order service.
    pub orders: Target,
    /// The product service, where the mix needs it.
    pub products: Option<Target>,
}

/// A service as the generator sees it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Addresses to try, in this order.
    pub addresses: Vec<SocketAddr>,
    /// What each order begins with, up to the value of its key.
    pub head: Box<[u8]>,
    /// What the path of each other request begins with.
    prefix: Box<str>,
    /// What follows the path of each other request.
    rest: Box<[u8]>,
    /// Presents our credential.
    credential: Bearer,
    /// How long an answer, or a connection, may take.
    pub timeout: Duration,
}

/// Why an address cannot be a target.
#[derive(Debug, thiserror::Error)]
pub enum NotATarget {
    /// Not an address of the form the generator speaks.
    #[error("`{url}` is not of the form http://HOST[:PORT][/PATH]")]
    Malformed {
        /// What was given.
        url: String,
    },
    /// The host has no address.
    #[error("the host of {url} cannot be resolved")]
    Unresolved {
        /// What was given.
        url: String,
        /// What the resolver said.
        #[source]
        source: std::io::Error,
    },
}

/// A request that is no order.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    path: &'a str,
    /// What is posted; `None` only reads.
    body: Option<&'a [u8]>,
    /// Who calls, if not we.
    bearer: Option<&'a Bearer>,
}

impl<'a> Call<'a> {
    /// Reads what is at a path.
    #[must_use]
    pub fn read(path: &'a str) -> Self {
        Self { path, body: None, bearer: None }
    }

    /// Changes what is at a path, with our credential.
    #[must_use]
    pub fn change(path: &'a str, body: &'a [u8]) -> Self {
        Self { path, body: Some(body), bearer: None }
    }

    /// The same as a user who may have a credential of its own.
    #[must_use]
    pub fn by(self, bearer: &'a Bearer) -> Self {
        Self { bearer: Some(bearer), ..self }
    }
}

impl Target {
    /// Resolves the base URL of a service.
    pub async fn resolve(
        base: &str,
        credential: Option<&Secret>,
        timeout: Duration,
    ) -> Result<Self, NotATarget> {
        let malformed = || NotATarget::Malformed { url: base.to_owned() };
        let base_url: BaseUrl = base.parse().map_err(|_| malformed())?;
        let uri: Uri = format!("{base_url}{}", order::ORDERS).parse().map_err(|_| malformed())?;
        let authority = uri.authority().ok_or_else(malformed)?;
        let addresses = resolve(authority.host(), authority.port_u16().unwrap_or(80))
            .await
            .map_err(|source| NotATarget::Unresolved { url: base.to_owned(), source })?;
        let agent = concat!("ordersys-bench/", env!("CARGO_PKG_VERSION"));
        let common = format!(
            "host: {authority}\r\ncontent-type: application/json\r\naccept: application/json\r\nuser-agent: {agent}\r\n"
        );
        let head = format!("POST {} HTTP/1.1\r\n{common}{IDEMPOTENCY_KEY}: ", uri.path());
        Ok(Self {
            addresses,
            head: head.into_bytes().into(),
            prefix: uri.path().trim_end_matches(order::ORDERS).into(),
            rest: format!(" HTTP/1.1\r\n{common}").into_bytes().into(),
            credential: Bearer::of(credential),
            timeout,
        })
    }

    /// Appends a whole order of the user with this credential.
    pub fn render(&self, key: &[u8], bearer: &Bearer, body: &[u8], request: &mut Vec<u8>) {
        request.extend_from_slice(&self.head);
        request.extend_from_slice(key);
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(bearer.line());
        put_body(body, request);
    }

    /// Appends a whole request that is no order.
    pub fn call(&self, call: &Call<'_>, request: &mut Vec<u8>) {
        request.extend_from_slice(if call.body.is_some() { b"POST " } else { b"GET " });
        request.extend_from_slice(self.prefix.as_bytes());
        request.extend_from_slice(call.path.as_bytes());
        request.extend_from_slice(&self.rest);
        let none = Bearer::default();
        let bearer = call.bearer.unwrap_or(&none);
        if let Some(body) = call.body {
            request.extend_from_slice(bearer.or(&self.credential).line());
            put_body(body, request);
        } else {
            request.extend_from_slice(bearer.line());
            request.extend_from_slice(b"\r\n");
        }
    }
}

fn put_body(body: &[u8], request: &mut Vec<u8>) {
    request.extend_from_slice(b"content-length: ");
    request.extend_from_slice(itoa::Buffer::new().format(body.len()).as_bytes());
    request.extend_from_slice(b"\r\n\r\n");
    request.extend_from_slice(body);
}

async fn resolve(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = plain.parse::<IpAddr>() {
        return Ok(vec![(ip, port).into()]);
    }
    if plain == "localhost" {
        // By definition, and a static binary may have no resolver.
        return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
    }
    let found: Vec<_> = tokio::net::lookup_host((plain, port)).await?.collect();
    if found.is_empty() { Err(std::io::ErrorKind::NotFound.into()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn urls_become_addresses_paths_and_host_headers() {
        let cases = [
            ("http://127.0.0.1:3003", Some(("127.0.0.1:3003", "/orders", "127.0.0.1:3003"))),
            ("http://[::1]:80/shop", Some(("[::1]:80", "/shop/orders", "[::1]:80"))),
            ("http://localhost", Some(("127.0.0.1:80", "/orders", "localhost"))),
            ("https://127.0.0.1", None),
            ("127.0.0.1:3003", None),
            ("http://", None),
        ];
        for (url, expected) in cases {
            let target = Target::resolve(url, None, Duration::from_secs(1)).await.ok();
            let found = target.as_ref().map(|target| {
                let mut request = Vec::new();
                target.render(b"key", &Bearer::default(), b"{}", &mut request);
                (target.addresses[0].to_string(), String::from_utf8(request).expect("text"))
            });
            let expected = expected.map(|(address, path, host)| {
                let rest = concat!("ordersys-bench/", env!("CARGO_PKG_VERSION"));
                let request = format!(
                    "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
                     accept: application/json\r\nuser-agent: {rest}\r\nidempotency-key: key\r\n\
                     content-length: 2\r\n\r\n{{}}"
                );
                (address.to_owned(), request)
            });
            assert_eq!(found, expected, "{url}");
        }
    }

    #[tokio::test]
    async fn only_changes_carry_the_credential() {
        let secret = Secret::random();
        let base = "http://127.0.0.1:3002/shop";
        let target = Target::resolve(base, Some(&secret), Duration::from_secs(1)).await.expect("resolves");
        let text = |call: &Call<'_>| {
            let mut request = Vec::new();
            target.call(call, &mut request);
            String::from_utf8(request).expect("text")
        };
        let (read, change) =
            (text(&Call::read("/products/7")), text(&Call::change("/products/7/restock", b"{}")));
        assert!(read.starts_with("GET /shop/products/7 HTTP/1.1\r\nhost: 127.0.0.1:3002\r\n"), "{read}");
        assert!(read.ends_with("\r\n\r\n") && !read.contains("authorization"), "{read}");
        assert!(change.starts_with("POST /shop/products/7/restock HTTP/1.1\r\n"), "{change}");
        let end = format!("authorization: Bearer {}\r\ncontent-length: 2\r\n\r\n{{}}", secret.expose());
        assert!(change.ends_with(&end), "{change}");
    }

    #[tokio::test]
    async fn a_call_with_a_credential_of_its_own_sends_that_and_no_other() {
        let (ours, own) = (Secret::random(), Secret::random());
        let target = Target::resolve("http://127.0.0.1:1", Some(&ours), Duration::from_secs(1)).await;
        let (target, bearer) = (target.expect("resolves"), Bearer::of(Some(&own)));
        for call in [Call::read("/orders/7").by(&bearer), Call::change("/orders/7/cancel", b"").by(&bearer)] {
            let mut request = Vec::new();
            target.call(&call, &mut request);
            let text = String::from_utf8(request).expect("text");
            assert_eq!(text.matches("authorization").count(), 1, "{text}");
            assert!(text.contains(&format!("\r\nauthorization: Bearer {}\r\n", own.expose())), "{text}");
        }
        assert!(!format!("{target:?} {bearer:?}").contains(own.expose()));
    }
}
