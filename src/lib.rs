//! The binary of `ordersys`: the command line, what it prints, the accounts it keeps, and the services it serves.
//! Everything else is in the crates below `crates/` and `services/`.

pub mod accounts;
pub mod cli;
pub mod doctor;
pub mod render;
pub mod seed;
pub mod serve;
pub mod smoke;
