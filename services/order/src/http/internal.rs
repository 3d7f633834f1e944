//! The routes for other services and the admin: orders with all that is stored of them.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use ordersys_chassis::page::{self, Page};
use ordersys_chassis::params::{PathId, Query};
use ordersys_chassis::{InternalOrAdmin, Json, Refusal};
use ordersys_contract::order::{
    BY_KEY, IDEMPOTENCY_KEYS, INTERNAL_ORDER, INTERNAL_ORDERS, KeyRecord, Order, OrderRecord, OrderState,
};
use ordersys_contract::{Code, IdempotencyKey, OrderId, OrderKind, Timestamp, UserId};
use serde::Deserialize;

use crate::app::App;
use crate::domain::access::Reach;
use crate::domain::order::StoredOrder;
use crate::store::{Filter, KeyPlace};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(BY_KEY, get(by_key))
        .route(INTERNAL_ORDERS, get(list))
        .route(INTERNAL_ORDER, get(read))
        .route(IDEMPOTENCY_KEYS, get(keys))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct KeyQuery {
    user_id: UserId,
    key: String,
}

async fn by_key(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<KeyQuery>,
) -> Result<Json<Order>, Refusal> {
    let key = IdempotencyKey::parse(&query.key)
        .ok_or_else(|| Refusal::new(Code::InvalidQuery, "key: 1 to 128 visible ASCII characters"))?;
    Ok(Json(app.by_key(query.user_id, key).await?.order))
}

async fn read(
    State(app): State<App>,
    _: InternalOrAdmin,
    PathId(id): PathId<OrderKind>,
) -> Result<Json<OrderRecord>, Refusal> {
    Ok(Json(app.get(id, Reach::All).await?.into_record()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListQuery {
    state: Option<OrderState>,
    /// Orders whose last step is older than this many seconds.
    older_than: Option<u32>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<ListQuery>,
) -> Result<Page<OrderRecord>, Refusal> {
    let limit = page::limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref())?.map(OrderId::from_bytes);
    let seconds = query.older_than.map(|seconds| i64::from(seconds) * 1000);
    let changed_before = seconds.map(|millis| Timestamp::from_millis(Timestamp::now().as_millis() - millis));
    let filter = Filter { user: None, state: query.state, before, changed_before, limit };
    let items: Vec<_> = app.list(filter).await?.into_iter().map(StoredOrder::into_record).collect();
    let full = items.len() == limit as usize;
    let next = items.last().filter(|_| full).map(|record| page::cursor_text(record.order.id.as_bytes()));
    let mut pairs = vec![("limit", limit.to_string())];
    pairs.extend(query.state.map(|state| ("state", state.as_str().to_owned())));
    pairs.extend(query.older_than.map(|seconds| ("olderThan", seconds.to_string())));
    Ok(Page { items, list: (INTERNAL_ORDERS, pairs), next })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn keys(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<KeysQuery>,
) -> Result<Page<KeyRecord>, Refusal> {
    let limit = page::limit(query.limit)?;
    let after = query.cursor.as_deref().map(place).transpose()?.unwrap_or_default();
    let items = app.keys(after, limit).await?;
    let full = items.len() == limit as usize;
    let next = items.last().filter(|_| full).map(|last| {
        let place = [last.user_id.as_bytes(), last.key.as_bytes()].concat();
        page::cursor_text(&place)
    });
    Ok(Page { items, list: (IDEMPOTENCY_KEYS, vec![("limit", limit.to_string())]), next })
}

/// Reads a cursor of the list of keys: the user's id, then the key.
fn place(cursor: &str) -> Result<KeyPlace, Refusal> {
    let bytes = page::cursor_bytes(cursor)?;
    let (user, key) = bytes.split_first_chunk::<16>().ok_or_else(page::foreign_cursor)?;
    let key = String::from_utf8(key.to_vec()).map_err(|_| page::foreign_cursor())?;
    Ok(KeyPlace::After(UserId::from_bytes(*user), key))
}
