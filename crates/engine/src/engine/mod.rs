//! An engine that answers, and the versions of its API that will do.

pub(crate) mod discover;
pub(crate) mod discover_error;
pub(crate) mod endpoints;
pub(crate) mod error;

use bollard::Docker;

/// Oldest API that has all that is used here: that of Docker 20.10.
pub(crate) const OLDEST_API: Api = Api { major: 1, minor: 41 };
/// Newest API whose requests are known here.
pub(crate) const NEWEST_API: Api = Api { major: 1, minor: 53 };
/// A version of the engine's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Api {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl Api {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl std::fmt::Display for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// An engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Where it is.
    pub address: String,
    /// Why this one.
    pub reason: String,
    /// Its version.
    pub version: String,
    /// The oldest API it speaks.
    pub oldest_api: Api,
    /// The newest API it speaks.
    pub newest_api: Api,
    /// The architecture of its machine, in Go's words: `amd64`, `arm64`.
    pub arch: String,
    pub(crate) docker: Docker,
}

impl Engine {
    /// The host name of the engine's machine, if it is another one than this.
    #[must_use]
    pub fn remote_host(&self) -> Option<&str> {
        let rest = self.address.strip_prefix("tcp://").or_else(|| self.address.strip_prefix("http://"))?;
        let host = rest.split('/').next().unwrap_or(rest);
        let host = host.rsplit_once(':').map_or(host, |(host, _port)| host);
        let here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
        (!here).then_some(host)
    }

    pub(crate) fn supports(&self, minor: u32) -> bool {
        self.newest_api >= Api { major: 1, minor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_versions_compare_as_numbers() {
        let api = |text| Api::parse(text).expect("a version");
        assert!(api("1.9") < api("1.41"));
        assert_eq!(api("1.41"), OLDEST_API);
        assert_eq!(Api::parse("x"), None);
    }

    #[test]
    fn only_another_machine_is_remote() {
        let docker = Docker::connect_with_http("tcp://127.0.0.1:1", 1, bollard::API_DEFAULT_VERSION);
        let mut engine = Engine {
            address: String::new(),
            reason: String::new(),
            version: String::new(),
            oldest_api: OLDEST_API,
            newest_api: OLDEST_API,
            arch: String::new(),
            docker: docker.expect("made"),
        };
        for (address, remote) in [
            ("unix:///var/run/docker.sock", None),
            ("tcp://127.0.0.1:2375", None),
            ("tcp://localhost:2375", None),
            ("tcp://docker:2375", Some("docker")),
        ] {
            address.clone_into(&mut engine.address);
            assert_eq!(engine.remote_host(), remote, "{address}");
        }
    }
}
