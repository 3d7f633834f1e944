//! Places an order through the typed client: create a user, find a product, order it with an
//! idempotency key, and repeat the order to see that the key makes that safe.
//!
//! `cargo run --example typed_client -- http://127.0.0.1:3001 http://127.0.0.1:3002 http://127.0.0.1:3003`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use anyhow::Context as _;
use ordersys_contract::client::{Endpoints, ProductFilter};
use ordersys_contract::order::{NewLine, NewOrder};
use ordersys_contract::user::NewUser;
use ordersys_contract::{Client, IdempotencyKey, OrderId, Quantity};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let client = Client::new(endpoints()?);

    let new = NewUser::guest("Alice", "alice@example.com");
    let user = client.create_user(&new).await?;
    println!("user {} is {}", user.id, user.name);

    let page =
        client.products(&ProductFilter { text: Some("USB-C Hub"), ..ProductFilter::default() }).await?;
    let product = page.items.into_iter().next().context("no product is called \"USB-C Hub\"")?;
    println!("product {}: {} at {} {}", product.id, product.name, product.price, product.currency);

    let two = Quantity::new(2).context("2 is a quantity")?;
    let line = NewLine { product_id: product.id.to_string(), quantity: two };
    let order = NewOrder { user_id: user.id.to_string(), items: vec![line] };
    // One key for one intention: a caller that repeats it gets the first order again, never a second one.
    let key = IdempotencyKey::parse(&OrderId::random().to_string()).context("an id is a key")?;
    let placed = client.place(&order, Some(&key)).await?;
    let again = client.place(&order, Some(&key)).await?;
    println!(
        "order {}: {}, total {} {}",
        placed.order.id,
        placed.order.status.as_str(),
        placed.order.total,
        placed.order.currency
    );
    println!("repeated: the same order {}, replayed {}", again.order.id == placed.order.id, again.replayed);

    for event in client.events(placed.order.id).await? {
        println!("  {} {} at {}", event.seq, event.status.as_str(), event.at);
    }
    Ok(())
}

fn endpoints() -> anyhow::Result<Endpoints> {
    let mut urls = std::env::args().skip(1).map(|url| url.trim_end_matches('/').to_owned());
    let mut next = |which| urls.next().with_context(|| format!("name the URL of the {which} service"));
    Ok(Endpoints {
        user: next("user")?,
        product: next("product")?,
        order: next("order")?,
        ..Endpoints::default()
    })
}
