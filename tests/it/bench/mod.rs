//! The load tester: its commands, what it measures, how it ends, and the faults that it injects.

mod commands;
#[cfg(target_os = "linux")]
mod cpu;
mod faults;
#[cfg(target_os = "linux")]
mod interrupted;
#[cfg(target_os = "linux")]
mod live;
mod load;
mod out;
mod registered;
#[cfg(target_os = "linux")]
mod stall;
mod verdicts;
