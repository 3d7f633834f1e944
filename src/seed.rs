//! Repeatable test data.
