//! HTTP: connections, the layer around all routes, what requests may say and how answers say it.

pub mod body;
pub mod conditional;
mod hosts;
mod middleware;
mod network;
mod openapi;
pub mod page;
pub mod params;
mod quote;
mod rejection;
mod request_guard;
mod routes;
pub mod serve;

pub use body::{InternalJson, Json, ShortJson};
pub use hosts::{HostName, Hosts};
pub(crate) use middleware::rejected_early;
pub use middleware::{RequestIdOf, TaggedOrder};
pub use network::{Listener, Network};
pub use quote::quoted;
pub use rejection::Rejection;
pub use routes::{Service, finish};
pub use serve::{Capacity, Peer, ServeError, serve, serve_shedding};
