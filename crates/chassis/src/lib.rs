//! How every service serves HTTP: request ids, problems, credentials, health, metrics, logs,
//! limits and a stop that loses nothing. What a service does is not known here.

pub mod auth;
pub mod http;
pub mod resilience;
pub mod telemetry;

pub use self::http::{
    Capacity, HostName, Hosts, InternalJson, Json, Listener, Network, Peer, Rejection, RequestIdOf,
    ServeError, Service, ShortJson, TaggedOrder, finish, quoted, serve, serve_shedding,
};
pub use auth::{
    AdminOnly, Authenticator, Caller, Credentials, Holder, Internal, InternalOrAdmin, KeySource, RemoteKeys,
    Tokens, smoothed_clock,
};
pub use prometheus_client;
pub use resilience::{
    Arrival, Breaker, BreakerMetrics, ConcurrencyLimit, Deadline, LoadShedder, RetryBudget, Route,
};
pub use telemetry::{ClockSkew, Counting, Health, Metrics};
