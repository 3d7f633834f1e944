//! What is written down, compared with what is there: the architecture, the reference, arguments, the dashboard.

mod arguments;
mod arrows;
mod dashboard;
mod reference;
