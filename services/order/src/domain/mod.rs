//! What the order service decides. Pure: no clock, no storage, no network.

pub mod access;
pub mod draft;
pub mod lifecycle;
pub mod odd;
pub mod order;
pub mod saga;
