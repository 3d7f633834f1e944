//! The name or address of a host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most bytes of a host name (RFC 1035).
const MAX_NAME_BYTES: usize = 253;

/// The name or address of a host, without a port, in the one form in which names are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

/// A text is no host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a host is a name or an address without scheme, port and path, such as shop.example")]
pub struct NotAHost;

impl HostName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it means this machine, wherever it is resolved.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let name = self.0.as_str();
        name == "localhost"
            || name.ends_with(".localhost")
            || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            || name.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
    }
}

impl From<IpAddr> for HostName {
    fn from(address: IpAddr) -> Self {
        Self(address.to_string())
    }
}

impl TryFrom<String> for HostName {
    type Error = NotAHost;

    fn try_from(text: String) -> Result<Self, NotAHost> {
        text.parse()
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0
    }
}

impl FromStr for HostName {
    type Err = NotAHost;

    /// Reads a name in either case, with or without the final dot, or an address, with or without brackets.
    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        if let Some(address) = inside.or(Some(text)).and_then(|text| text.parse::<Ipv6Addr>().ok()) {
            return Ok(Self(address.to_string()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let fits = (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(allowed);
        let labels = name.split('.').all(|label| !label.is_empty());
        if fits && labels { Ok(Self(name.to_ascii_lowercase())) } else { Err(NotAHost) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HostName {
        text.parse().expect(text)
    }

    #[test]
    fn names_have_one_form() {
        assert_eq!(name("Shop.Example."), name("shop.example"));
        assert_eq!(name("[::1]"), name("0:0::1"));
        assert_eq!(name("user-service").as_str(), "user-service");
        let long = "x".repeat(254);
        for bad in ["", ".", "a..b", "http://a", "a:1", "a/b", "a b", "ä.example", "[::1", "*", &long] {
            assert_eq!(bad.parse::<HostName>(), Err(NotAHost), "{bad}");
        }
    }
}
