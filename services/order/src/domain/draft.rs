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

#[cfg(test)]
mod tests {
    use ordersys_contract::order::NewLine;
    use ordersys_contract::{ProductId, Quantity};

    use super::*;

    fn order_for(user: &str, products: &[&str]) -> NewOrder {
        let line = |product: &&str| NewLine { product_id: (*product).to_owned(), quantity: Quantity::ONE };
        NewOrder { user_id: user.to_owned(), items: products.iter().map(line).collect() }
    }

    #[test]
    fn an_order_has_from_one_line_to_a_hundred() {
        let (user, product) = (UserId::now().to_string(), ProductId::now().to_string());
        for (count, fits) in [(0, false), (1, true), (MAX_ORDER_LINES, true), (MAX_ORDER_LINES + 1, false)] {
            let draft = Draft::new(&order_for(&user, &vec![product.as_str(); count]));
            assert_eq!(draft.is_ok(), fits, "{count} lines");
            assert!(fits || matches!(draft, Err(OrderError::LineCount)), "{count} lines");
        }
    }

    #[test]
    fn what_is_no_id_names_what_does_not_exist() {
        let (user, product) = (UserId::now(), ProductId::now());
        let (user_text, product_text) = (user.to_string(), product.to_string());
        let unknown = Draft::new(&order_for("alice", &[&product_text]));
        assert!(matches!(unknown, Err(OrderError::UnknownUser(name)) if name == "alice"));
        let long = "x".repeat(100);
        match Draft::new(&order_for(&user_text, &["book", &product_text, &long])) {
            Err(OrderError::UnknownProducts(names)) => assert_eq!(names, ["book", &long[..64]]),
            other => panic!("{other:?}"),
        }
        let draft = Draft::new(&order_for(&user_text, &[&product_text])).expect("ids");
        assert_eq!((draft.user_id, draft.lines.len()), (user, 1));
        let [line] = &draft.order_lines()[..] else { panic!("one line") };
        assert_eq!((line.product_id, line.quantity), (product, Quantity::ONE));
        assert_eq!((&line.name, line.unit_price, line.line_total), (&None, None, None));
    }
}
