//! The address of a collector.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use serde::{Deserialize, Serialize};

use crate::BaseUrl;
use crate::base_url::NotABaseUrl;

/// Where spans are sent: the base URL of an OTLP collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Collector(BaseUrl);

/// Not the address of a collector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} (collectors usually have port 4318; for https, run one near the services that sends on)")]
pub struct NotACollector(NotABaseUrl);

impl Collector {
    /// The URL that spans are posted to.
    #[must_use]
    pub fn traces(&self) -> String {
        format!("{}/v1/traces", self.0)
    }

    /// The same collector under another host, if it is on this machine.
    #[must_use]
    pub fn seen_from(&self, host: &str) -> Option<Self> {
        let uri: Uri = self.0.as_str().parse().ok()?;
        let own = uri.host()?;
        let address = own.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_here = own == "localhost" || address.is_ok_and(|address| address.is_loopback());
        is_here.then(|| self.0.as_str().replacen(own, host, 1).parse().ok().map(Self))?
    }
}

impl FromStr for Collector {
    type Err = NotACollector;

    fn from_str(text: &str) -> Result<Self, NotACollector> {
        text.parse().map(Self).map_err(NotACollector)
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Collector {
    type Error = NotACollector;

    fn try_from(text: String) -> Result<Self, NotACollector> {
        text.parse()
    }
}

impl From<Collector> for String {
    fn from(collector: Collector) -> Self {
        collector.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_has_a_plain_url() {
        let traces = |text: &str| text.parse().map(|collector: Collector| collector.traces());
        assert_eq!(traces("http://c:4318").as_deref(), Ok("http://c:4318/v1/traces"));
        assert_eq!(traces("http://c:4318/otlp/").as_deref(), Ok("http://c:4318/otlp/v1/traces"));
        for wrong in
            ["", "c:4318", "https://c:4318", "http://", "/x", "http://c/?q", "grpc://c", "http://u@c/"]
        {
            assert!(traces(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_collector_on_this_machine_has_another_name_elsewhere() {
        let seen = |text: &str| {
            let collector: Collector = text.parse().expect("a URL");
            collector.seen_from("host").map(|seen| seen.to_string())
        };
        for here in ["http://localhost:4318/a", "http://127.0.0.1:4318/a", "http://[::1]:4318/a"] {
            assert_eq!(seen(here).as_deref(), Some("http://host:4318/a"), "{here}");
        }
        assert_eq!(seen("http://collector:4318"), None);
        assert_eq!(seen("http://10.0.0.7:4318"), None);
    }
}
