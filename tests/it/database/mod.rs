//! Stacks whose data is in a PostgreSQL database.

mod replicas;
mod stack;
