//! Stacks whose data is in a PostgreSQL database.

mod stack;
