//! How every service serves HTTP: request ids, problems, credentials, health, metrics, logs,
//! limits and a stop that loses nothing. What a service does is not known here.

pub mod auth;
pub mod body;
pub mod breaker;
pub mod budget;
pub mod credentials;
pub mod deadline;
mod docs;
mod document;
mod gate;
pub mod health;
pub mod limit;
pub mod log;
pub mod metrics;
pub mod network;
mod newest;
mod observe;
pub mod page;
pub mod params;
pub mod refusal;
mod routes;
pub mod serve;
mod shed;
pub mod steady;
pub mod tokens;

pub use auth::{AdminOnly, Caller, Holder, Internal, InternalOrAdmin};
pub use body::{InternalJson, Json, ShortJson};
pub use breaker::{Breaker, BreakerMetrics};
pub use budget::RetryBudget;
pub use credentials::Credentials;
pub use deadline::{Arrival, Deadline};
pub use gate::Gate;
pub use health::Health;
pub use limit::Limit;
pub use metrics::{Counting, Metrics};
pub use network::{Listener, Network};
pub use newest::NewestTime;
pub use observe::{RequestIdOf, TaggedOrder};
pub use prometheus_client;
pub use refusal::Refusal;
pub use routes::{Service, finish};
pub use serve::{Peer, ServeError, serve, serve_shedding};
pub use shed::Shedding;
pub use tokens::{KeySource, RemoteKeys, Tokens};
