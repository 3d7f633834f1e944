//! Names become addresses anew for each connection. In Docker a service that is made again may get
//! another address, or that of a sibling, while the answer with the old one is good for ten minutes.
//! In pure Rust, since a static binary has no resolver of the system.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Asks the name servers of this machine, and keeps no answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolver(Arc<OnceLock<TokioResolver>>);

impl Resolver {
    /// Made with the first question: it needs a running runtime.
    fn asked(&self) -> Result<&TokioResolver, NetError> {
        if let Some(made) = self.0.get() {
            return Ok(made);
        }
        let made = made()?;
        Ok(self.0.get_or_init(|| made))
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.asked()?.lookup_ip(name.as_str()).await?;
            let addresses: Vec<SocketAddr> = found.iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The names of hosts, asked anew each time; clones share the resolver.
#[derive(Debug, Clone, Default)]
pub struct Names(Resolver);

/// A name has no address that can be found.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct NameError(#[from] NetError);

impl Names {
    /// The addresses of a host.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NameError> {
        Ok(self.0.asked()?.lookup_ip(name).await?.iter().collect())
    }
}

fn made() -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|_| {
        // No name servers are known: what the hosts file names can still be reached.
        TokioResolver::builder_with_config(ResolverConfig::default(), TokioRuntimeProvider::default())
    });
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
    options.positive_max_ttl = Some(Duration::ZERO);
    options.negative_max_ttl = Some(Duration::ZERO);
    builder.build()
}
