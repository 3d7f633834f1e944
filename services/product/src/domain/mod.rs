//! What the product service decides. Pure: no clock, no storage, no network.

pub mod inventory;
pub mod stock;
pub mod transition;
