//! What narrows lists, and sums, in both stores.

use ordersys_contract::{OrderId, ProductId, TestData};

/// What narrows a list of products.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Products whose name has this text in it, in either case.
    pub(crate) text: Option<String>,
    pub(crate) test: TestData,
    /// Products after this one only.
    pub(crate) after: Option<ProductId>,
    /// Most products that are of use.
    pub(crate) limit: u32,
}

/// Which reservations are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReservationFilter {
    /// Those older than this one only.
    pub(crate) before: Option<OrderId>,
    pub(crate) limit: u32,
}

/// Units of all products, by where they are. Sums may exceed 64 bits, so they are approximate from 2^53 on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StockTotals {
    /// Put in at first and by restocking.
    pub(crate) put_in: f64,
    /// Can be ordered.
    pub(crate) available: f64,
    /// Held for orders not yet decided.
    pub(crate) reserved: f64,
    /// Left with an order.
    pub(crate) sold: f64,
    /// Products with units that are not accounted for, or with less than none.
    pub(crate) unbalanced: i64,
}
