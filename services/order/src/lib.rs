//! The order service
