//! Fixed amounts of work for measurements, and what they share with the micro-benchmarks.
//!
//! Nothing here is part of the product, and nothing of the product depends on it.

pub mod connection;
pub mod doubles;
pub mod fill;
pub mod finished;
pub mod requests;
pub mod store;
pub mod system;
pub mod work;
