//! Connections to the system under test.

pub mod connection;
pub mod limits;
pub mod response_decoder;
pub mod target;
