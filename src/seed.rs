//! Repeatable test data: the same seed makes the same users and products.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use ordersys_contract::product::{NewProduct, Product};
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Client, ClientError, Currency, Money};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// How much to make.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Users.
    pub users: u32,
    /// Products.
    pub products: u32,
    /// Units of each product.
    pub stock: u64,
    /// The same seed makes the same names and prices.
    pub seed: u64,
}

/// What was made.
#[derive(Debug, Serialize)]
pub struct Seeded {
    /// The users.
    pub users: Vec<User>,
    /// The products.
    pub products: Vec<Product>,
}

/// Requests on their way at a time.
const CONCURRENCY: usize = 32;

const FIRST: [&str; 12] =
    ["Ada", "Ben", "Chloe", "Dan", "Emre", "Fatima", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena"];
const LAST: [&str; 8] = ["Arslan", "Berg", "Costa", "Diaz", "Eriksen", "Fischer", "Grant", "Haddad"];
const ADJECTIVE: [&str; 8] =
    ["Compact", "Foldable", "Ergonomic", "Wireless", "Silent", "Rugged", "Slim", "Modular"];
const NOUN: [&str; 10] =
    ["Keyboard", "Mouse", "Monitor", "Hub", "Webcam", "Headset", "Dock", "Charger", "Microphone", "Lamp"];

/// Makes users and products, marked as test data; `count` is told of each. Once `stop` is cancelled no more are begun.
pub async fn run(
    client: &Client,
    plan: &Plan,
    stop: &CancellationToken,
    count: impl Fn(),
) -> Result<Seeded, ClientError> {
    let count = &count;
    let mut random = SmallRng::seed_from_u64(plan.seed);
    let users: Vec<_> = (0..plan.users).map(|number| new_user(&mut random, plan.seed, number)).collect();
    let products: Vec<_> = (0..plan.products).map(|number| new_product(&mut random, plan, number)).collect();
    let users = stream::iter(users).take_until(stop.cancelled()).map(|user| async move {
        let made = client.create_user(&user).await?;
        count();
        Ok(made)
    });
    let users = users.buffered(CONCURRENCY).try_collect().await?;
    let products = stream::iter(products).take_until(stop.cancelled()).map(|product| async move {
        let made = client.create_product(&product).await?;
        count();
        Ok(made)
    });
    let products = products.buffered(CONCURRENCY).try_collect().await?;
    Ok(Seeded { users, products })
}

fn pick<'a>(random: &mut SmallRng, words: &[&'a str]) -> &'a str {
    words[random.random_range(0..words.len())]
}

fn new_user(random: &mut SmallRng, seed: u64, number: u32) -> NewUser {
    let (first, last) = (pick(random, &FIRST), pick(random, &LAST));
    let email = format!("{}.{}.{seed}.{number}@example.com", first.to_lowercase(), last.to_lowercase());
    NewUser::guest(format!("{first} {last}"), email).for_test()
}

fn new_product(random: &mut SmallRng, plan: &Plan, number: u32) -> NewProduct {
    let name = format!("{} {} {}-{number}", pick(random, &ADJECTIVE), pick(random, &NOUN), plan.seed);
    let price = Money::from_minor(random.random_range(199..50_000)).unwrap_or_default();
    NewProduct { name, price, stock: plan.stock, currency: Currency::USD, test: true }
}
