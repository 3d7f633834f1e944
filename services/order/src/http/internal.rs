//! The routes for other services and the admin: orders with all that is stored of them.

use axum::extract::State;
use ordersys_chassis::http::page::{self, Items, Page};
use ordersys_chassis::http::params::{PathId, Query, wrong_parameter};
use ordersys_chassis::{InternalOrAdmin, Json, Rejection};
use ordersys_contract::order::{
    BY_KEY, IDEMPOTENCY_KEYS, INTERNAL_ORDER, INTERNAL_ORDERS, KeyRecord, Order, OrderRecord, OrderState,
};
use ordersys_contract::{Code, IdempotencyKey, OrderId, OrderKind, Timestamp, UserId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::access::Reach;
use crate::domain::order::StoredOrder;
use crate::store::{Filter, KeyCursor, KeyFilter};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(by_key))
        .routes(routes!(list))
        .routes(routes!(read))
        .routes(routes!(keys))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct KeyQuery {
    /// Whose key.
    user_id: UserId,
    /// The key.
    #[param(pattern = "^[!-~]{1,128}$")]
    key: String,
}

/// The order that a key made.
#[utoipa::path(
    get, path = BY_KEY, tag = "internal",
    params(KeyQuery),
    responses((status = 200, description = "The order", body = Order)),
    security(("service" = []), ("admin" = [])),
    extensions(("x-refusals" = json!([Code::NotFound]))),
)]
async fn by_key(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<KeyQuery>,
) -> Result<Json<Order>, Rejection> {
    let key = IdempotencyKey::parse(&query.key)
        .ok_or_else(|| wrong_parameter("key", &query.key, "1 to 128 visible ASCII characters"))?;
    Ok(Json(app.by_key(query.user_id, key).await?.into_shown()))
}

/// One order, with all that is stored of it.
#[utoipa::path(
    get, path = INTERNAL_ORDER, tag = "internal", operation_id = "read_record",
    responses((status = 200, description = "The order", body = OrderRecord)),
    security(("service" = []), ("admin" = [])),
)]
async fn read(
    State(app): State<App>,
    _: InternalOrAdmin,
    PathId(id): PathId<OrderKind>,
) -> Result<Json<OrderRecord>, Rejection> {
    let stored = app.get(id, Reach::All).await?;
    Ok(Json(app.record(stored)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListQuery {
    /// Orders in this state only.
    state: Option<OrderState>,
    /// Orders whose last step is older than this many seconds.
    older_than: Option<u32>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// All orders with all that is stored of them, newest first.
#[utoipa::path(
    get, path = INTERNAL_ORDERS, tag = "internal", operation_id = "list_records",
    params(ListQuery),
    responses((status = 200, description = "A page of orders", body = Vec<OrderRecord>)),
    security(("service" = []), ("admin" = [])),
)]
async fn list(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<ListQuery>,
) -> Result<Page, Rejection> {
    let limit = page::limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref())?.map(OrderId::from_bytes);
    let seconds = query.older_than.map(|seconds| i64::from(seconds) * 1000);
    let changed_before = seconds.map(|millis| Timestamp::from_millis(Timestamp::now().as_millis() - millis));
    let filter = Filter { user: None, state: query.state, before, changed_before };
    let add = {
        let app = app.clone();
        move |items: &mut Items, stored: StoredOrder| {
            let id = stored.order.id;
            items.add(&app.record(stored), id.as_bytes())
        }
    };
    let (mut items, left) = app.list(filter, Items::new(limit), Box::new(add)).await?;
    if let Some(last) = left {
        items.goes_on_after(last.as_bytes());
    }
    let mut pairs = vec![("limit", limit.to_string())];
    pairs.extend(query.state.map(|state| ("state", state.as_str().to_owned())));
    pairs.extend(query.older_than.map(|seconds| ("olderThan", seconds.to_string())));
    Ok(Page { items, list: (INTERNAL_ORDERS, pairs) })
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct KeysQuery {
    limit: Option<u32>,
    /// The user and the visible characters of the key, in hexadecimal.
    #[param(pattern = "^[0-9a-fA-F]{32}(2[1-9a-fA-F]|[3-6][0-9a-fA-F]|7[0-9a-eA-E]){1,128}$")]
    cursor: Option<String>,
}

/// All idempotency keys and the orders they made.
#[utoipa::path(
    get, path = IDEMPOTENCY_KEYS, tag = "internal",
    params(KeysQuery),
    responses((status = 200, description = "A page of keys", body = Vec<KeyRecord>)),
    security(("service" = []), ("admin" = [])),
)]
async fn keys(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<KeysQuery>,
) -> Result<Page, Rejection> {
    let limit = page::limit(query.limit)?;
    let after = query.cursor.as_deref().map(place).transpose()?.unwrap_or_default();
    let add = |items: &mut Items, record: KeyRecord| {
        let place = [record.user_id.as_bytes(), record.key.as_bytes()].concat();
        items.add(&record, &place)
    };
    let items = app.keys(KeyFilter { after, limit }, Items::new(limit), Box::new(add)).await?;
    Ok(Page { items, list: (IDEMPOTENCY_KEYS, vec![("limit", limit.to_string())]) })
}

/// Reads a cursor of the list of keys: the user's id, then the key.
fn place(cursor: &str) -> Result<KeyCursor, Rejection> {
    let bytes = page::cursor_bytes(cursor)?;
    let (user, key) = bytes.split_first_chunk::<16>().ok_or_else(|| page::foreign_cursor(cursor))?;
    let key = String::from_utf8(key.to_vec()).map_err(|_| page::foreign_cursor(cursor))?;
    Ok(KeyCursor::After(UserId::from_bytes(*user), key))
}
