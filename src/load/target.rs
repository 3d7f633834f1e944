//! Where orders are posted, resolved and rendered once before the run.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::Uri;
use ordersys_contract::header::IDEMPOTENCY_KEY;
use ordersys_contract::order;

use super::plan::put_number;

/// The order service as the generator sees it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Addresses to try, in this order.
    pub addresses: Vec<SocketAddr>,
    /// What each request begins with, up to the value of its key.
    pub head: Box<[u8]>,
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

impl Target {
    /// Resolves the base URL of an order service.
    pub async fn resolve(base: &str, timeout: Duration) -> Result<Self, NotATarget> {
        let malformed = || NotATarget::Malformed { url: base.to_owned() };
        let uri: Uri = format!("{base}{}", order::ORDERS).parse().map_err(|_| malformed())?;
        if uri.scheme_str() != Some("http") {
            return Err(malformed());
        }
        let authority = uri.authority().ok_or_else(malformed)?;
        let addresses = resolve(authority.host(), authority.port_u16().unwrap_or(80))
            .await
            .map_err(|source| NotATarget::Unresolved { url: base.to_owned(), source })?;
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\naccept: application/json\r\n\
             user-agent: ordersys-bench/{}\r\n{IDEMPOTENCY_KEY}: ",
            uri.path(),
            env!("CARGO_PKG_VERSION")
        );
        Ok(Self { addresses, head: head.into_bytes().into(), timeout })
    }

    /// Appends a whole request.
    pub(super) fn render(&self, key: &[u8], body: &[u8], request: &mut Vec<u8>) {
        request.extend_from_slice(&self.head);
        request.extend_from_slice(key);
        request.extend_from_slice(b"\r\ncontent-length: ");
        put_number(u32::try_from(body.len()).unwrap_or(u32::MAX), request);
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(body);
    }
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
            let target = Target::resolve(url, Duration::from_secs(1)).await.ok();
            let found = target.as_ref().map(|target| {
                let mut request = Vec::new();
                target.render(b"key", b"{}", &mut request);
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
}
