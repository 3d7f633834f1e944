//! The one integration test binary: everything through the front door, real services on free
//! ports, real connections.

mod addresses;
mod article;
mod bad_input;
mod bad_peers;
mod chaos;
mod check;
#[path = "../harness/chromium.rs"]
mod chromium;
mod command;
mod container_logs;
mod crash;
mod drift;
mod engine;
mod faulty_peer;
#[path = "../harness/mod.rs"]
mod harness;
mod interrupted;
mod local_stack;
mod logs;
mod model;
mod orders;
mod policy;
mod processes;
mod refusals;
mod resilience;
mod stage;
mod support;
mod up_and_down;
