//! The names under which a service is reached. A browser that was made to believe that a foreign name is this
//! machine sends that name: on loopback it is rejected, or any page could read what only this machine may.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

/// Most bytes of a host name (RFC 1035).
const MAX_NAME_BYTES: usize = 253;

/// The name or address of a host, without a port, in the one form in which names are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    fn is_loopback(&self) -> bool {
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

/// The names a service answers to.
#[derive(Debug, Clone, Default)]
pub enum Hosts {
    /// Any: it is reached from elsewhere, and its names were not configured.
    #[default]
    Any,
    /// The names of loopback, and these.
    Known(Arc<[HostName]>),
}

impl Hosts {
    /// The names of a service that is called `own` and listens on `bind`: any, unless only this machine reaches it
    /// or names are configured.
    #[must_use]
    pub fn of(own: &str, bind: IpAddr, configured: &[HostName]) -> Self {
        if !bind.is_loopback() && configured.is_empty() {
            return Self::Any;
        }
        let own = own.parse().ok();
        let bound = (!bind.is_unspecified()).then(|| bind.into());
        Self::Known(own.into_iter().chain(bound).chain(configured.iter().cloned()).collect())
    }

    /// Whether the service answers to this name.
    #[must_use]
    pub(crate) fn include(&self, name: &HostName) -> bool {
        match self {
            Self::Any => true,
            Self::Known(names) => name.is_loopback() || names.contains(name),
        }
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

    #[test]
    fn on_loopback_only_known_names_are_answered_to() {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let hosts = Hosts::of("user-service", loopback, &[name("shop.example")]);
        for good in
            ["localhost", "x.localhost", "127.0.0.1", "127.9.9.9", "::1", "user-service", "Shop.example"]
        {
            assert!(hosts.include(&name(good)), "{good}");
        }
        for bad in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "order-service"]
        {
            assert!(!hosts.include(&name(bad)), "{bad}");
        }
    }

    #[test]
    fn elsewhere_only_configured_names_narrow() {
        let all = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        assert!(Hosts::of("user-service", all, &[]).include(&name("evil.example")));
        let hosts = Hosts::of("user-service", all, &[name("localhost")]);
        assert!(!hosts.include(&name("evil.example")) && !hosts.include(&name("0.0.0.0")));
        assert!(hosts.include(&name("user-service")));
        let bound =
            Hosts::of("user-service", IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7)), &[name("shop.example")]);
        assert!(bound.include(&name("10.0.0.7")) && !bound.include(&name("10.0.0.8")));
    }
}
