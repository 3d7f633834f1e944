//! What a service reports of itself: logs, metrics, health, and a clock that cannot be right.

mod clock_skew;
mod health;
pub mod log;
mod log_throttle;
#[cfg(test)]
pub(crate) mod logged;
mod metrics;

pub use clock_skew::ClockSkew;
pub use health::Health;
pub(crate) use log_throttle::LogThrottle;
pub use metrics::{Counting, Metrics};
