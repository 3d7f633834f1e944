//! A user, a product, and an order of it.

use anyhow::{Context as _, Result};
use ordersys_contract::client::Client;
use ordersys_contract::order::{NewLine, NewOrder};
use ordersys_contract::product::{NewProduct, Product};
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Currency, Money, Quantity};

/// Makes a guest.
pub async fn a_user(client: &Client) -> Result<User> {
    let new = NewUser::guest("Bo", "bo@example.com");
    Ok(client.create_user(&new).await?)
}

/// Makes a product of which there is so much.
pub async fn a_product(client: &Client, stock: u64) -> Result<Product> {
    let price = Money::from_minor(250).context("not negative")?;
    let new = NewProduct { name: "Thing".to_owned(), price, stock, currency: Currency::USD, test: false };
    Ok(client.create_product(&new).await?)
}

/// An order of these products, so much of each.
pub fn order_of(user: &User, lines: &[(&Product, u64)]) -> NewOrder {
    let line = |(product, quantity): &(&Product, u64)| NewLine {
        product_id: product.id.to_string(),
        quantity: Quantity::new(*quantity).expect("from 1 to 10 000"),
    };
    NewOrder { user_id: user.id.to_string(), items: lines.iter().map(line).collect() }
}
