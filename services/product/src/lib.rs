//! The product service
