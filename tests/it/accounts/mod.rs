//! Users who register: their sessions, their orders, their logins on the command line, and what is secret of them.

use ordersys_contract::order::{NewLine, NewOrder};
use ordersys_contract::product::Product;
use ordersys_contract::{ClientError, Code, Quantity, UserId};

mod addresses;
mod keys;
#[cfg(target_os = "linux")]
mod lockout;
mod login;
mod ownership;
mod passwords;
mod secrets;
mod sessions;

fn order(user: UserId, product: &Product) -> NewOrder {
    let quantity = Quantity::new(1).expect("in range");
    let items = vec![NewLine { product_id: product.id.to_string(), quantity }];
    NewOrder { user_id: user.to_string(), items }
}

fn code<T>(result: Result<T, ClientError>) -> Code {
    let error = result.err().expect("is refused");
    error.problem().unwrap_or_else(|| panic!("{error}")).code
}
