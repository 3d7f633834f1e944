//! What keeps a service answering while its callers ask too much or its peers fail: admission, load shedding,
//! rates, deadlines, circuit breakers and a budget for retries.

pub mod breaker;
mod concurrency_limit;
mod deadline;
pub(crate) mod load_shed;
pub mod rate_limit;
mod retry_budget;

pub use breaker::{Breaker, BreakerMetrics};
pub use concurrency_limit::{ConcurrencyLimit, Permit};
pub use deadline::{Arrival, Deadline};
pub use load_shed::{LoadShedder, Route};
pub use retry_budget::RetryBudget;
