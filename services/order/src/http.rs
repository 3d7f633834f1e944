//! The order service's routes.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, header};
use ordersys_chassis::body::NoBody;
use ordersys_chassis::page::{self, Page};
use ordersys_chassis::params::{PathId, Query};
use ordersys_chassis::{AdminOnly, Caller, Json, Refusal, RequestIdOf, TaggedOrder};
use ordersys_contract::header::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
use ordersys_contract::order::{
    CANCEL, DELIVER, EVENTS, NewOrder, ORDER, ORDERS, Order, OrderEvent, OrderState, PAY, SHIP,
};
use ordersys_contract::{Code, IdempotencyKey, OrderId, OrderKind, UserId};
use serde::Deserialize;

use crate::app::{App, Placed, outcome};
use crate::domain::access::Reach;
use crate::domain::draft::Draft;
use crate::domain::lifecycle::Event;
use crate::domain::order::StoredOrder;
use crate::store::Filter;

mod internal;

pub(crate) fn routes(app: App) -> Router {
    Router::new()
        .route(ORDERS, post(place).get(list))
        .route(ORDER, get(read))
        .route(EVENTS, get(events))
        .route(CANCEL, post(cancel))
        .route(PAY, post(pay))
        .route(SHIP, post(ship))
        .route(DELIVER, post(deliver))
        .merge(internal::routes())
        .with_state(app)
}

async fn place(
    State(app): State<App>,
    caller: Caller,
    RequestIdOf(request): RequestIdOf,
    headers: HeaderMap,
    Json(new): Json<NewOrder>,
) -> Result<Response, Refusal> {
    let key = idempotency_key(&headers)?;
    let placed = app.place(Draft::new(&new)?, key, (caller, request)).await?;
    Ok(placed_answer(placed))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Refusal> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().and_then(IdempotencyKey::parse);
    let wrong =
        || Refusal::new(Code::InvalidHeader, "Idempotency-Key takes 1 to 128 visible ASCII characters");
    key.map(Some).ok_or_else(wrong)
}

fn placed_answer(Placed { stored, replayed }: Placed) -> Response {
    let id = stored.order.id;
    let mut response = match outcome(stored) {
        Ok(stored) => stored_answer(stored, StatusCode::CREATED),
        Err(error) => Refusal::from(error).into_response(),
    };
    if replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response.extensions_mut().insert(TaggedOrder(id));
    response
}

/// The order with `done` if its outcome is known, else with 202 and where to ask again.
fn stored_answer(stored: StoredOrder, done: StatusCode) -> Response {
    let id = stored.order.id;
    let open = stored.order.status.needs_driver();
    let mut response = Json(stored.order).into_response();
    *response.status_mut() = if open { StatusCode::ACCEPTED } else { done };
    if let Ok(location) = HeaderValue::from_str(&format!("{ORDERS}/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if open {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response.extensions_mut().insert(TaggedOrder(id));
    response
}

async fn read(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderKind>,
) -> Result<Json<Order>, Refusal> {
    Ok(Json(app.get(id, Reach::of(caller)).await?.order))
}

async fn events(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderKind>,
) -> Result<Json<Vec<OrderEvent>>, Refusal> {
    Ok(Json(app.events(id, Reach::of(caller)).await?))
}

/// Whose orders a caller lists: the admin those of anybody, users their own.
fn listed_user(caller: Caller, asked: Option<UserId>) -> Result<Option<UserId>, Refusal> {
    match (caller.user(), asked) {
        (Some(own), Some(other)) if own != other => {
            Err(Refusal::new(Code::Forbidden, "users list their own orders only"))
        }
        (Some(own), _) => Ok(Some(own)),
        (None, asked) => caller.require_admin().map(|()| asked),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListQuery {
    user_id: Option<UserId>,
    status: Option<OrderState>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Page<Order>, Refusal> {
    let user_id = listed_user(caller, query.user_id)?;
    let limit = page::limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref())?.map(OrderId::from_bytes);
    let filter = Filter { user: user_id, state: query.status, before, changed_before: None, limit };
    let items: Vec<_> = app.list(filter).await?.into_iter().map(|stored| stored.order).collect();
    let full = items.len() == limit as usize;
    let next = items.last().filter(|_| full).map(|order| page::cursor_text(order.id.as_bytes()));
    let mut pairs = vec![("limit", limit.to_string())];
    pairs.extend(user_id.map(|user| ("userId", user.to_string())));
    pairs.extend(query.status.map(|status| ("status", status.as_str().to_owned())));
    Ok(Page { items, list: (ORDERS, pairs), next })
}

async fn cancel(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderKind>,
    RequestIdOf(request): RequestIdOf,
    _: NoBody,
) -> Result<Response, Refusal> {
    Ok(stored_answer(app.cancel(id, Reach::of(caller), &request).await?, StatusCode::OK))
}

async fn pay(
    State(app): State<App>,
    _: AdminOnly,
    PathId(id): PathId<OrderKind>,
    RequestIdOf(request): RequestIdOf,
    _: NoBody,
) -> Result<Response, Refusal> {
    Ok(stored_answer(app.advance(id, Event::Pay, &request).await?, StatusCode::OK))
}

async fn ship(
    State(app): State<App>,
    _: AdminOnly,
    PathId(id): PathId<OrderKind>,
    RequestIdOf(request): RequestIdOf,
    _: NoBody,
) -> Result<Response, Refusal> {
    Ok(stored_answer(app.advance(id, Event::Ship, &request).await?, StatusCode::OK))
}

async fn deliver(
    State(app): State<App>,
    _: AdminOnly,
    PathId(id): PathId<OrderKind>,
    RequestIdOf(request): RequestIdOf,
    _: NoBody,
) -> Result<Response, Refusal> {
    Ok(stored_answer(app.advance(id, Event::Deliver, &request).await?, StatusCode::OK))
}
