//! Everything `ordersys` does besides serving: the command line, the orchestrator, the load tester
//! and the verifier. The three services are crates of their own.

pub mod accounts;
pub mod cli;
pub mod load;
pub mod seed;
pub mod serve;
pub mod smoke;
pub mod stack;
pub mod trace;
pub mod ui;
pub mod verify;
