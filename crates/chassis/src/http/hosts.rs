//! The names under which a service is reached. A browser that was made to believe that a foreign name is this
//! machine sends that name: on loopback it is rejected, or any page could read what only this machine may.

use std::net::IpAddr;
use std::sync::Arc;

pub use ordersys_contract::settings::HostName;

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
    use std::net::Ipv4Addr;

    use super::*;

    fn name(text: &str) -> HostName {
        text.parse().expect(text)
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
