//! What a stack is: its project, its services and their settings, what is recorded and what is observed of it.

pub mod command;
pub mod credentials;
pub mod observed;
pub mod program;
pub mod project;
pub mod record;
pub mod replicas;
pub mod spec;
pub mod started;
