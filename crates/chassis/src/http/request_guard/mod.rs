//! What the head of a request must be before anything looks at what it asks for: no header twice that may stand
//! once, addressed to this service by a name that it has, and no change on behalf of a page of another site.

use http::request::Parts;
use http::uri::{Authority, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use ordersys_contract::header::{IDEMPOTENCY_KEY, REQUEST_ID, TIMEOUT_MS, TRACEPARENT};
use ordersys_contract::{Code, Problem};

use crate::Hosts;
use crate::http::hosts::HostName;
use crate::http::quoted;

/// What a browser says of the page a request comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Headers that are no lists: of two of them only one could be meant.
static ONCE: [HeaderName; 20] = [
    header::HOST,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::ORIGIN,
    header::REFERER,
    header::USER_AGENT,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::MAX_FORWARDS,
    header::PROXY_AUTHORIZATION,
    IDEMPOTENCY_KEY,
    REQUEST_ID,
    TRACEPARENT,
    TIMEOUT_MS,
    FETCH_SITE,
    HeaderName::from_static("sec-fetch-mode"),
    HeaderName::from_static("sec-fetch-dest"),
    HeaderName::from_static("sec-fetch-user"),
];

/// Rejects a request that must not be looked at any further.
pub(crate) fn check(head: &Parts, hosts: &Hosts) -> Result<(), Problem> {
    check_single(&head.headers)?;
    let host = addressed(head)?;
    if let Some(host) = &host
        && !hosts.include(&host.name)
    {
        return Err(misdirected(host));
    }
    check_packing(&head.headers)?;
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&head.method);
    if reads { Ok(()) } else { check_site(&head.headers, host.as_ref()) }
}

/// Rejects bodies that are packed on their way: only whole ones in chunks are read.
fn check_packing(headers: &HeaderMap) -> Result<(), Problem> {
    let packed = |value: &&HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"chunked");
    let Some(value) = headers.get_all(header::TRANSFER_ENCODING).iter().find(packed) else { return Ok(()) };
    let why = format!("the header transfer-encoding is {}: it takes chunked alone", quoted(value.as_bytes()));
    Err(Problem::new(Code::UnsupportedMediaType, why))
}

fn check_single(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.len() == headers.keys_len() {
        return Ok(());
    }
    let is_twice = |name: &&HeaderName| headers.get_all(*name).iter().nth(1).is_some();
    let Some(name) = ONCE.iter().find(is_twice) else { return Ok(()) };
    Err(Problem::new(Code::InvalidHeader, format!("the header {name} stands more than once: send it once")))
}

/// A host and a port, as in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Host {
    name: HostName,
    port: Option<u16>,
}

impl Host {
    fn of(authority: &Authority) -> Option<Self> {
        let name = authority.host().parse().ok()?;
        let text = authority.as_str();
        let port = authority.port_u16();
        let named_port =
            text.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.contains(']'));
        // What is before an `@` is no part of a host, and a port must be one.
        (!text.contains('@') && named_port == port.is_some()).then_some(Self { name, port })
    }

    /// The same with the port that is meant where none is named.
    fn with_port_of(&self, scheme: &str) -> (HostName, u16) {
        let default = if scheme == "https" { 443 } else { 80 };
        (self.name.clone(), self.port.unwrap_or(default))
    }
}

/// The host that a request is addressed to: by its target, if that is a whole URL, and its `Host`, which have to agree.
fn addressed(head: &Parts) -> Result<Option<Host>, Problem> {
    let wrong = |detail: String| Problem::new(Code::InvalidHeader, detail);
    let target = head.uri.authority().map(|authority| {
        let unusable =
            || wrong(format!("the request's target names no usable host: {}", quoted(authority.as_str())));
        Host::of(authority).ok_or_else(unusable)
    });
    let target = target.transpose()?;
    let Some(value) = head.headers.get(header::HOST) else {
        return if head.version == Version::HTTP_11 {
            Err(wrong(
                "the header host is missing: HTTP/1.1 asks for the name and port of the service".to_owned(),
            ))
        } else {
            Ok(target)
        };
    };
    let named = Authority::try_from(value.as_bytes()).ok().and_then(|authority| Host::of(&authority));
    let unusable =
        || wrong(format!("the header host is {}: it takes one name and a port", quoted(value.as_bytes())));
    let named = named.ok_or_else(unusable)?;
    let scheme = head.uri.scheme_str().unwrap_or("http");
    match target {
        Some(target) if target.with_port_of(scheme) != named.with_port_of(scheme) => Err(wrong(format!(
            "the header host is {}, but the request's target names another host: {}",
            quoted(value.as_bytes()),
            quoted(head.uri.to_string()),
        ))),
        Some(_) | None => Ok(Some(named)),
    }
}

fn misdirected(host: &Host) -> Problem {
    let why = format!(
        "this service is not called {}: use localhost, or start the service with --allowed-host {}",
        quoted(host.name.as_str()),
        host.name.as_str()
    );
    Problem::new(Code::MisdirectedRequest, why)
}

/// Rejects a change that a browser sends for a page of another origin. Clients that are no browsers say nothing
/// of pages, and are let in.
fn check_site(headers: &HeaderMap, host: Option<&Host>) -> Result<(), Problem> {
    let reject = |name: &str, value: &[u8]| {
        let from = format!("the header {name} is {}", quoted(value));
        let why = format!("a page of another origin must not change anything here ({from})");
        Err(Problem::new(Code::CrossSiteRequest, why))
    };
    if let Some(site) = headers.get(FETCH_SITE)
        && ![b"same-origin".as_slice(), b"none"].contains(&site.as_bytes())
    {
        return reject("sec-fetch-site", site.as_bytes());
    }
    match headers.get(header::ORIGIN) {
        Some(origin) if !is_own(origin.as_bytes(), host) => reject("origin", origin.as_bytes()),
        Some(_) | None => Ok(()),
    }
}

/// Whether an origin is the one that the request is addressed to. A proxy in between may have taken off the
/// encryption, so the scheme may be either.
fn is_own(origin: &[u8], host: Option<&Host>) -> bool {
    let Ok(origin) = Uri::try_from(origin) else { return false };
    let scheme = origin.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
    let (Some(scheme), Some(authority), Some(host)) = (scheme, origin.authority(), host) else {
        return false;
    };
    Host::of(authority).is_some_and(|of| of.with_port_of(scheme) == host.with_port_of(scheme))
}

#[cfg(test)]
mod tests;
