//! The workers and what each of their virtual users does.

pub mod closed;
pub mod open;
pub mod pacer;
pub mod pool;
pub mod recent_orders;
pub mod request;
pub mod retry;
pub mod state;
pub mod thread;
pub mod virtual_user;
