//! The invariants, checked from outside.
