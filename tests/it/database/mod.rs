//! Stacks whose data is in a PostgreSQL database.

mod scaling;
mod stack;
