//! What goes over the wire: ids, money, quantities, times, bodies, problem codes, paths and the
//! typed client that speaks them.
//!
//! Everything here is parsed into a type that cannot be wrong, so that services, command line,
//! load tester and tests share one definition. Nothing here decides anything: rules live in the
//! services' `domain` modules.

pub mod client;
pub mod evidence;
pub mod header;
pub mod health;
pub mod json;
pub mod order;
pub mod problem;
pub mod product;
pub mod reservation;
mod resolver;
pub mod role;
mod schema;
pub mod session;
pub mod settings;
pub mod test_data;
pub mod trace;
pub mod user;
mod values;

use values::currency;
pub use values::{base_url, email, id, money, quantity, secret, strict, time};

pub use base_url::BaseUrl;
pub use client::{Client, ClientError};
pub use email::EmailKey;
pub use header::{IdempotencyKey, RequestId};
pub use id::{Id, OrderKind, ProductKind, SessionKind, UserKind};
pub use json::WriteJson;
pub use money::{Currency, Money};
pub use problem::{Code, Problem};
pub use quantity::Quantity;
pub use resolver::{NameError, Names};
pub use role::Role;
pub use secret::{MIN_CREDENTIAL, Password, Secret};
pub use test_data::TestData;
pub use time::Timestamp;
pub use trace::TraceParent;
pub use values::hex::hex;

/// The id of an order; also the id of its reservation.
pub type OrderId = Id<OrderKind>;
/// The id of a product.
pub type ProductId = Id<ProductKind>;
/// The id of a session: all refresh tokens that follow one login.
pub type SessionId = Id<SessionKind>;
/// The id of a user.
pub type UserId = Id<UserKind>;

/// Largest request body any public route reads, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Largest body of a call between services, in bytes: a full batch of the largest operations.
pub const MAX_INTERNAL_BODY_BYTES: usize = 16 * 1024 * 1024;
/// Most lines an order may have.
pub const MAX_ORDER_LINES: usize = 100;
/// Most operations or look-ups one internal call may carry.
pub const MAX_BATCH: usize = 512;
/// Items on a page when the caller names no limit.
pub const DEFAULT_PAGE: u32 = 100;
/// Most items on a page.
pub const MAX_PAGE: u32 = 1000;
