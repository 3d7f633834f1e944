//! The one integration test binary: everything through the front door, real services on free
//! ports, real connections.

mod accounts;
mod addresses;
mod addresses_of_users;
mod api;
mod arguments;
mod arrows;
mod article;
mod bad_input;
mod bad_peers;
mod bench_commands;
#[cfg(target_os = "linux")]
mod bench_cpu;
#[cfg(target_os = "linux")]
mod bench_interrupted;
#[cfg(target_os = "linux")]
mod bench_live;
mod bench_registered;
mod browsers;
mod chaos;
mod check;
#[path = "../harness/chromium.rs"]
mod chromium;
mod clock;
mod collector;
mod command;
mod container_logs;
mod crash;
mod dashboard;
mod drift;
mod endless_lists;
mod engine;
mod everywhere;
mod faults;
mod faulty_peer;
#[path = "../harness/mod.rs"]
mod harness;
mod interrupted;
mod keys;
#[cfg(target_os = "linux")]
mod limits;
mod load;
mod local_stack;
#[cfg(target_os = "linux")]
mod lockout;
mod login;
mod logs;
mod matrix;
mod mistakes;
mod model;
mod money;
mod openapi;
mod orders;
mod parsers;
mod policy;
mod processes;
mod reference;
mod refusals;
mod refused;
mod requests;
mod resilience;
mod sabotage;
mod searches;
mod secrets;
#[path = "../harness/site.rs"]
mod site;
mod stage;
#[cfg(target_os = "linux")]
mod stall;
mod state_dirs;
mod state_full;
mod state_looks;
mod storage;
mod support;
mod trace;
mod tracing;
mod up_and_down;
