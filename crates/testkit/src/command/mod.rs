//! The command line and what it works on: a project of its own, logins, a database, the Docker engine, local processes, a terminal.

pub mod database;
pub mod engine;
pub mod login;
pub mod project;
pub mod stage;
pub mod terminal;
