//! The user service
