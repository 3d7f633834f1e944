//! Values that no version of the services ever wrote, whatever the rest of the row says.

use ordersys_contract::Money;
use ordersys_contract::product::MAX_PRICE_MINOR;

use crate::audit::report::Mismatch;

/// Columns that a service reports as never written like this.
pub(crate) fn unwritten(columns: &[String]) -> Option<Mismatch> {
    let expected = "only what the service writes".to_owned();
    (!columns.is_empty()).then(|| (expected, format!("something else in {}", columns.join(" and "))))
}

/// A name that is empty.
pub(crate) fn no_name(name: &str) -> Option<Mismatch> {
    name.trim().is_empty().then(|| ("a name".to_owned(), format!("`{name}`")))
}

/// A price that could not be set.
pub(crate) fn no_price(price: Money) -> Option<Mismatch> {
    let expected = || format!("a price of at most {MAX_PRICE_MINOR} minor units");
    (price.minor() > MAX_PRICE_MINOR).then(|| (expected(), format!("{} minor units", price.minor())))
}
