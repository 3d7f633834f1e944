//! The load generator: workers, each a thread with a runtime and connections of its own, send the requests of a
//! plan and measure them. Four moments of each request are kept: planned, released, sent, done.

pub mod conn;
pub mod engine;
pub mod measure;
pub mod noop;
pub mod worker;
