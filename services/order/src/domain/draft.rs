//! An order as a client wants it, checked.

use ordersys_contract::order::{NewOrder, OrderLine};
use ordersys_contract::reservation::Line;
use ordersys_contract::{MAX_ORDER_LINES, UserId};

use crate::OrderError;

/// An order as a client wants it: everything in it has a form, nothing has been looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Who orders.
    pub user_id: UserId,
    /// What is ordered: 1 to 100 lines.
    pub lines: Vec<Line>,
}

impl Draft {
    /// Checks what a client sent. A text that is no id names a user or product that is unknown.
    pub fn new(new: &NewOrder) -> Result<Self, OrderError> {
        if !(1..=MAX_ORDER_LINES).contains(&new.items.len()) {
            return Err(OrderError::LineCount);
        }
        let user_id = new.user_id.parse().map_err(|_| OrderError::unknown_user(&new.user_id))?;
        let mut unknown = Vec::new();
        let mut lines = Vec::with_capacity(new.items.len());
        for item in &new.items {
            match item.product_id.parse() {
                Ok(product_id) => lines.push(Line { product_id, quantity: item.quantity }),
                Err(_) => unknown.push(item.product_id.chars().take(64).collect()),
            }
        }
        if unknown.is_empty() {
            Ok(Self { user_id, lines })
        } else {
            Err(OrderError::UnknownProducts(unknown))
        }
    }

    /// The lines of the order before stock is reserved: no names, no prices.
    #[must_use]
    pub fn order_lines(&self) -> Vec<OrderLine> {
        let line = |line: &Line| OrderLine {
            product_id: line.product_id,
            quantity: line.quantity,
            name: None,
            unit_price: None,
            line_total: None,
        };
        self.lines.iter().map(line).collect()
    }
}
