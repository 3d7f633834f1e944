//! Which order is sent as the n-th: a pure function of the seed, so that a run can be repeated, checked
//! and resent without keeping its requests.

pub mod bearer;
pub mod key;
pub mod mix;
pub mod operation;
mod scramble;
pub mod skew;
pub mod user;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use ordersys_contract::Secret;

use crate::model::CountRange;
use crate::plan::bearer::Bearer;
use crate::plan::mix::Mix;
use crate::plan::scramble::scramble;
use crate::plan::skew::{Demand, Skew};
use crate::plan::user::{PlannedUser, quote};

pub use crate::plan::key::{Key, Keys};

/// Everything the requests of a run are made from.
#[derive(Debug)]
pub struct Plan {
    seed: u64,
    run: u128,
    users: Vec<PlannedUser>,
    products: Vec<Product>,
    lines: CountRange,
    quantity: CountRange,
    mix: Mix,
    demand: Demand,
    keys: Keys,
}

/// A product of the run as it was before the first order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: Box<str>,
    /// Its price in thousandths of the currency's unit.
    pub price: i64,
    /// Units that could be ordered.
    pub stock: i64,
    quoted: Box<str>,
}

impl Product {
    /// A product as it was read.
    #[must_use]
    pub fn new(id: &str, price: i64, stock: i64) -> Self {
        Self { id: id.into(), price, stock, quoted: quote(id) }
    }
}

/// The content of one order, by the places of its user and products in the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Draft {
    /// Who orders.
    pub user: u32,
    /// What is ordered, each product once.
    pub lines: Vec<Line>,
}

/// One line of a [`Draft`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line {
    /// Which product.
    pub product: u32,
    /// How many units.
    pub quantity: u32,
}

/// What orders look like.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The same seed plans the same orders.
    pub seed: u64,
    /// Lines of an order.
    pub lines: CountRange,
    /// Units of a line.
    pub quantity: CountRange,
    /// What share of the requests does what.
    pub mix: Mix,
    /// Which products are ordered more than others.
    pub skew: Skew,
    /// How idempotency keys follow each other.
    pub keys: Keys,
}

impl Default for Shape {
    /// Orders of one unit of any product.
    fn default() -> Self {
        let (mix, skew, keys) = (Mix::default(), Skew::Uniform, Keys::default());
        Self { seed: 1, lines: CountRange::ONE, quantity: CountRange::ONE, mix, skew, keys }
    }
}

impl Plan {
    /// A plan over these users and products; `run`, a UUID of version 7, keeps the keys of runs with one seed
    /// apart.
    ///
    /// # Panics
    /// Without a user, or with fewer products than the largest order has lines: the preparation
    /// makes sure of both.
    #[must_use]
    pub fn new(shape: Shape, run: u128, users: &[String], products: Vec<Product>) -> Self {
        assert!(!users.is_empty(), "a plan needs at least one user");
        assert!(products.len() >= shape.lines.most() as usize, "each line names another product");
        let users = users.iter().map(|id| PlannedUser::new(id)).collect();
        let Shape { seed, lines, quantity, mix, skew, keys } = shape;
        let demand = Demand::new(skew, count(products.len()));
        Self { seed, run, users, products, lines, quantity, mix, demand, keys }
    }

    /// The same with users who prove themselves with these access tokens, in their order.
    #[must_use]
    pub fn signed_in(mut self, tokens: &[Secret]) -> Self {
        for (user, token) in self.users.iter_mut().zip(tokens) {
            user.sign_in(token);
        }
        self
    }

    /// What the user at a place proves itself with, if it is registered.
    #[must_use]
    pub fn token(&self, place: u32) -> Option<&Secret> {
        self.users[place as usize].token.as_ref()
    }

    /// The header line with that.
    #[must_use]
    pub fn bearer(&self, place: u32) -> &Bearer {
        &self.users[place as usize].bearer
    }

    /// The header line of the user who placed the order of this number.
    pub fn bearer_of(&self, number: u64, draft: &mut Draft) -> &Bearer {
        if self.token(0).is_some() {
            self.draft(number, draft);
            return self.bearer(draft.user);
        }
        self.bearer(0)
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What share of the requests does what.
    #[must_use]
    pub fn mix(&self) -> &Mix {
        &self.mix
    }

    /// Which products are ordered more than others.
    #[must_use]
    pub fn demand(&self) -> &Demand {
        &self.demand
    }

    /// The users by place.
    #[must_use]
    pub fn users(&self) -> impl ExactSizeIterator<Item = &str> {
        self.users.iter().map(|user| &*user.plain)
    }

    /// The id of the user at a place.
    #[must_use]
    pub fn user(&self, place: u32) -> &str {
        &self.users[place as usize].plain
    }

    /// The id of the user at a place in JSON.
    #[must_use]
    pub fn user_json(&self, place: u32) -> &str {
        &self.users[place as usize].json
    }

    /// The id of the product at a place in JSON.
    #[must_use]
    pub fn product_json(&self, place: u32) -> &str {
        &self.products[place as usize].quoted
    }

    /// The products by place.
    #[must_use]
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// Fills in the content of order `number`.
    pub fn draft(&self, number: u64, draft: &mut Draft) {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(scramble(self.seed) ^ number);
        draft.user = random.random_range(0..count(self.users.len()));
        draft.lines.clear();
        let products = count(self.products.len());
        for _ in 0..random.random_range(self.lines.least()..=self.lines.most()) {
            let mut product = self.demand.draw(&mut random);
            while draft.lines.iter().any(|line| line.product == product) {
                product = (product + 1) % products;
            }
            let quantity = random.random_range(self.quantity.least()..=self.quantity.most());
            draft.lines.push(Line { product, quantity });
        }
    }

    /// Appends the JSON body of an order.
    pub fn render(&self, draft: &Draft, body: &mut Vec<u8>) {
        body.extend_from_slice(b"{\"userId\":");
        body.extend_from_slice(self.users[draft.user as usize].json.as_bytes());
        body.extend_from_slice(b",\"items\":[");
        for (index, line) in draft.lines.iter().enumerate() {
            body.extend_from_slice(if index == 0 { b"{\"productId\":" } else { b",{\"productId\":" });
            body.extend_from_slice(self.products[line.product as usize].quoted.as_bytes());
            body.extend_from_slice(b",\"quantity\":");
            body.extend_from_slice(itoa::Buffer::new().format(line.quantity).as_bytes());
            body.push(b'}');
        }
        body.extend_from_slice(b"]}");
    }

    /// The key of order `number`: different for every number and, but for chance, for every run.
    #[must_use]
    pub fn key(&self, number: u64) -> Key {
        self.keys.of(self.run, number)
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
