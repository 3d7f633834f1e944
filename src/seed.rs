//! Repeatable test data: the same seed makes the same users and products.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use ordersys_contract::product::{NewProduct, Product};
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Client, ClientError, Currency, Money};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use crate::render::Progress;

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

/// How much was made so far.
#[derive(Debug, Default)]
pub struct Made {
    users: AtomicU32,
    products: AtomicU32,
}

impl Made {
    /// In words, of what a plan has.
    #[must_use]
    pub fn of(&self, plan: &Plan) -> String {
        let (users, products) = (self.users.load(Relaxed), self.products.load(Relaxed));
        format!("created {users} of {} users and {products} of {} products", plan.users, plan.products)
    }
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

/// Makes users and products; `progress` counts them, `made` as well.
pub async fn run(
    client: &Client,
    plan: &Plan,
    progress: &Progress,
    made: &Made,
) -> Result<Seeded, ClientError> {
    let mut random = SmallRng::seed_from_u64(plan.seed);
    let users: Vec<_> = (0..plan.users).map(|number| new_user(&mut random, plan.seed, number)).collect();
    let products: Vec<_> = (0..plan.products).map(|number| new_product(&mut random, plan, number)).collect();
    let users = stream::iter(users).map(|user| async move {
        let user = client.create_user(&user).await?;
        made.users.fetch_add(1, Relaxed);
        progress.add(1);
        Ok(user)
    });
    let users = users.buffered(CONCURRENCY).try_collect().await?;
    let products = stream::iter(products).map(|product| async move {
        let product = client.create_product(&product).await?;
        made.products.fetch_add(1, Relaxed);
        progress.add(1);
        Ok(product)
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
    NewUser::guest(format!("{first} {last}"), email)
}

fn new_product(random: &mut SmallRng, plan: &Plan, number: u32) -> NewProduct {
    let name = format!("{} {} {}-{number}", pick(random, &ADJECTIVE), pick(random, &NOUN), plan.seed);
    let price = Money::from_minor(random.random_range(199..50_000)).unwrap_or_default();
    NewProduct { name, price, stock: plan.stock, currency: Currency::USD }
}
