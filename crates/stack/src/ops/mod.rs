//! What is done to a stack that is there: looked at, taken down, restarted, put through faults.

pub mod chaos;
pub mod down;
pub mod projects;
pub mod status;
