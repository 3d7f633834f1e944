//! Users who register: their sessions, their orders, their logins on the command line, and what is secret of them.

mod addresses;
mod keys;
#[cfg(target_os = "linux")]
mod lockout;
mod login;
mod secrets;
mod sessions;
