//! The one integration test binary: everything through the front door, real services on free
//! ports, real connections.

mod article;
mod bad_input;
mod check;
#[path = "../harness/chromium.rs"]
mod chromium;
mod command;
mod crash;
#[path = "../harness/mod.rs"]
mod harness;
mod local_stack;
mod login;
mod logs;
mod model;
mod orders;
mod parsers;
mod policy;
mod processes;
mod refusals;
mod secrets;
mod stage;
mod support;
mod up_and_down;
