//! The requests that are sent: rendered as the load tester does, the same in every run.

use ordersys_contract::reservation::{Action, Batch, Line, Operation, RESERVATIONS};
use ordersys_contract::user::{LOOKUP, Lookup};
use ordersys_contract::{OrderId, ProductId, Quantity, RequestId, Secret, UserId};

/// Lines of a large order.
pub const LINES: usize = 3;
/// How long a reservation may be asked for, in milliseconds.
const PATIENCE_MS: u64 = 3_600_000;

/// Who orders what.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    /// The user.
    pub user: UserId,
    /// The products, the first of which is in each order.
    pub products: [ProductId; LINES],
}

impl Ids {
    /// Ids of no user and no product, for services that do not look them up.
    #[must_use]
    pub fn fixed() -> Self {
        let product = |number| ProductId::from_bytes([number; 16]);
        Self { user: UserId::from_bytes([0x11; 16]), products: [0x22, 0x33, 0x44].map(product) }
    }

    /// The body of a new order of so many lines.
    #[must_use]
    pub fn order_body(&self, lines: usize) -> String {
        let line = |product: &ProductId| format!(r#"{{"productId":"{product}","quantity":1}}"#);
        let items: Vec<_> = self.products.iter().cycle().take(lines).map(line).collect();
        let items = items.join(",");
        format!(r#"{{"userId":"{}","items":[{items}]}}"#, self.user)
    }

    /// A whole `POST /orders` of so many lines, the `number`th.
    #[must_use]
    pub fn order(&self, number: usize, lines: usize) -> Vec<u8> {
        let head = format!("idempotency-key: {number:032x}\r\n");
        post("/orders", &head, &self.order_body(lines))
    }

    /// Operations that reserve for the orders from `first` on.
    #[must_use]
    pub fn operations(&self, first: usize, count: usize) -> Vec<Operation> {
        let quantity = Quantity::new(1).into_iter();
        let lines: Vec<_> =
            quantity.map(|quantity| Line { product_id: self.products[0], quantity }).collect();
        let operation = |number: usize| Operation {
            order_id: OrderId::from_bytes((number as u128).to_be_bytes()),
            request_id: request_id(number),
            trace_parent: None,
            action: Action::Reserve {
                lines: lines.clone(),
                commit: true,
                lease_ms: 0,
                time_left_ms: PATIENCE_MS,
            },
        };
        (first..first + count).map(operation).collect()
    }

    /// A whole `POST /internal/reservations` for `count` orders.
    #[must_use]
    pub fn reservations(&self, first: usize, count: usize, service: &Secret) -> Vec<u8> {
        let body = serde_json::to_string(&Batch { operations: self.operations(first, count) });
        post(RESERVATIONS, &bearer(service), &body.unwrap_or_default())
    }

    /// A whole `POST /internal/users/lookup` for `count` orders.
    #[must_use]
    pub fn lookup(&self, first: usize, count: usize, service: &Secret) -> Vec<u8> {
        let request_ids = (first..first + count).map(request_id).collect();
        let lookup = Lookup { ids: vec![self.user; count], request_ids, trace_parents: Vec::new() };
        let body = serde_json::to_string(&lookup);
        post(LOOKUP, &bearer(service), &body.unwrap_or_default())
    }
}

fn request_id(number: usize) -> RequestId {
    RequestId::parse(&format!("{number:036}")).unwrap_or_else(RequestId::random)
}

fn bearer(credential: &Secret) -> String {
    format!("authorization: Bearer {}\r\n", credential.expose())
}

fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         accept: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
