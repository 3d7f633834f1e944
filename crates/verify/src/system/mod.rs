//! The system under test as any client sees it: its answers, its contract, its stock meanwhile.

pub mod http;
pub mod stock_monitor;
pub mod wire;

/// Which contract a system keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiContract {
    /// Ours: idempotency keys, lists of orders, reservations of all lines in one step.
    Full,
    /// The article's: users, products, orders.
    Article,
}
