//! What is written down, compared with what is there: the architecture, the reference, examples, arguments, the dashboard.

mod arguments;
mod arrows;
mod dashboard;
#[cfg(unix)]
mod examples;
mod habits;
mod reference;
mod variables;
