//! The order system behind the test responder: correct, or wrong in one way.

use std::collections::HashMap;

use serde_json::{Value, json};

/// What the shop does wrong, to every so-many-th order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    None,
    /// Acknowledges an order and forgets it.
    Lose,
    /// Takes stock twice.
    TakeTwice,
    /// Does not look at the stock.
    Oversell,
    /// Stores an order twice.
    StoreTwice,
    /// Takes each key for a new one.
    IgnoreKeys,
    /// Answers and stores a wrong total.
    WrongTotal,
    /// Stores an order that no client sent.
    Phantom,
    /// Refuses though there is stock.
    FalselyOut,
    /// Stores an order and refuses it.
    RefuseAndKeep,
    /// Cancels an order and keeps its units.
    CancelAndKeep,
    /// Acknowledges added units and adds none.
    LoseRestock,
    /// Takes orders that have to be refused.
    TakeBad,
}

/// Every so-many-th order meets the defect.
const EVERY: usize = 50;

#[derive(Debug, Clone)]
struct Product {
    price: i64,
    stock: i64,
}

/// Users, products and orders in memory.
#[derive(Debug)]
pub(super) struct Shop {
    defect: Defect,
    products: Vec<Product>,
    users: usize,
    orders: Vec<(Value, bool)>,
    keys: HashMap<String, (u16, Value)>,
    asked: usize,
}

/// A status and a body.
pub(super) type Answer = (u16, Value);

impl Shop {
    pub(super) fn new(defect: Defect) -> Self {
        let products =
            vec![Product { price: 14_999, stock: 100_000 }, Product { price: 4_999, stock: 100_000 }];
        Self { defect, products, users: 0, orders: Vec::new(), keys: HashMap::new(), asked: 0 }
    }

    pub(super) fn make_user(&mut self) -> Answer {
        self.users += 1;
        (201, json!({"id": format!("user-{}", self.users), "name": "n", "email": "e"}))
    }

    pub(super) fn make_product(&mut self, body: &Value) -> Answer {
        let cents = |price: f64| (price * 100.0).round();
        #[expect(clippy::cast_possible_truncation, reason = "a test's price")]
        let price = body["price"].as_f64().map_or(0, |price| cents(price) as i64);
        self.products.push(Product { price, stock: body["stock"].as_i64().unwrap_or(0) });
        (201, self.show(self.products.len() - 1))
    }

    pub(super) fn product(&self, id: &str) -> Answer {
        match product_place(id).filter(|place| *place < self.products.len()) {
            Some(place) => (200, self.show(place)),
            None => (404, json!({"error": "no such product"})),
        }
    }

    pub(super) fn products(&self) -> Answer {
        (200, (0..self.products.len()).map(|place| self.show(place)).collect())
    }

    fn show(&self, place: usize) -> Value {
        let product = &self.products[place];
        let id = format!("00000000-0000-4000-8000-{place:012}");
        json!({
            "id": id, "name": "p", "price": money(product.price), "stock": product.stock,
            "currency": "USD", "version": 1, "createdAt": "2026-01-01T00:00:00.000Z",
        })
    }

    pub(super) fn order(&self, id: &str) -> Answer {
        let found = self.orders.iter().find(|(order, kept)| *kept && order["id"] == id);
        found.map_or((404, json!({"error": "no such order"})), |(order, _)| (200, order.clone()))
    }

    pub(super) fn orders(&self, user: &str) -> Answer {
        let of_user = self.orders.iter().filter(|(order, kept)| *kept && order["userId"] == user);
        (200, of_user.map(|(order, _)| order.clone()).collect())
    }

    pub(super) fn place(&mut self, key: Option<&str>, body: &Value) -> Answer {
        let known = key.and_then(|key| self.keys.get(key)).cloned();
        match known {
            Some(answer) if self.defect != Defect::IgnoreKeys => return answer,
            _ => {}
        }
        let answer = self.place_new(body);
        if let Some(key) = key {
            self.keys.insert(key.to_owned(), answer.clone());
        }
        answer
    }

    /// Cancels an order; units go back unless it was cancelled before.
    pub(super) fn cancel(&mut self, id: &str) -> Answer {
        let Some((order, _)) = self.orders.iter_mut().find(|(order, _)| order["id"] == id) else {
            return (404, json!({"code": "not-found"}));
        };
        if order["status"] == "cancelled" {
            return (200, order.clone());
        }
        order["status"] = "cancelled".into();
        let order = order.clone();
        for (place, quantity) in lines(&order) {
            if self.defect != Defect::CancelAndKeep {
                self.products[place].stock += quantity;
            }
        }
        (200, order)
    }

    pub(super) fn restock(&mut self, id: &str, body: &Value) -> Answer {
        let Some(place) = product_place(id).filter(|place| *place < self.products.len()) else {
            return (404, json!({"code": "not-found"}));
        };
        if self.defect != Defect::LoseRestock {
            self.products[place].stock += body["quantity"].as_i64().unwrap_or(0);
        }
        (200, self.show(place))
    }

    /// Why an order has to be refused, if so.
    fn fault(&self, body: &Value) -> Option<Answer> {
        let malformed = (400, json!({"code": "invalid-field", "error": "malformed"}));
        let Some(items) = body["items"].as_array() else { return Some(malformed) };
        let user = body["userId"].as_str().and_then(|user| user.strip_prefix("user-")?.parse().ok());
        if user.is_none_or(|user: usize| user > self.users) {
            return Some((422, json!({"code": "unknown-user", "error": "no such user"})));
        }
        let known = |item: &Value| {
            item["productId"]
                .as_str()
                .and_then(product_place)
                .is_some_and(|place| place < self.products.len())
        };
        if !items.iter().all(known) {
            return Some((422, json!({"code": "unknown-product", "error": "no such product"})));
        }
        let units = items.iter().all(|item| item["quantity"].as_i64().is_some_and(|units| units > 0));
        (items.is_empty() || !units).then_some(malformed)
    }

    fn place_new(&mut self, body: &Value) -> Answer {
        if let Some(refusal) = self.fault(body) {
            return match self.defect {
                Defect::TakeBad => (201, json!({"id": "bad", "total": 0})),
                _ => refusal,
            };
        }
        self.asked += 1;
        let wrong = self.asked.is_multiple_of(EVERY);
        let defect = if wrong { self.defect } else { Defect::None };
        let lines = lines(body);
        let short = lines.iter().any(|(place, quantity)| self.products[*place].stock < *quantity);
        if (short && self.defect != Defect::Oversell) || defect == Defect::FalselyOut {
            return refusal();
        }
        for (place, quantity) in &lines {
            let times = if defect == Defect::TakeTwice { 2 } else { 1 };
            self.products[*place].stock -= quantity * times;
        }
        let sum: i64 = lines.iter().map(|(place, quantity)| self.products[*place].price * quantity).sum();
        let total = if defect == Defect::WrongTotal { sum + 1 } else { sum };
        let order = self.store(body, total, defect != Defect::Lose);
        match defect {
            Defect::StoreTwice => drop(self.store(body, total, true)),
            Defect::Phantom => drop(self.store(&phantom(body), total, true)),
            _ => {}
        }
        if defect == Defect::RefuseAndKeep { refusal() } else { (201, order) }
    }

    fn store(&mut self, body: &Value, total: i64, kept: bool) -> Value {
        let order = json!({
            "id": format!("order-{}", self.orders.len()), "userId": body["userId"], "items": body["items"],
            "total": money(total), "status": "confirmed",
        });
        self.orders.push((order.clone(), kept));
        order
    }
}

fn lines(body: &Value) -> Vec<(usize, i64)> {
    let items = body["items"].as_array().cloned().unwrap_or_default();
    let line = |item: &Value| {
        let place = product_place(item["productId"].as_str().unwrap_or_default()).unwrap_or(0);
        (place, item["quantity"].as_i64().unwrap_or(0))
    };
    items.iter().map(line).collect()
}

fn product_place(id: &str) -> Option<usize> {
    id.rsplit('-').next()?.parse().ok()
}

fn phantom(body: &Value) -> Value {
    let mut body = body.clone();
    body["items"][0]["quantity"] = json!(777);
    body
}

fn refusal() -> Answer {
    (409, json!({"code": "insufficient-stock", "error": "Failed to reserve: Insufficient stock"}))
}

fn money(cents: i64) -> Value {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    serde_json::from_str(&text).expect("a number")
}
