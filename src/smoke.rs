//! The whole journey as one check.
