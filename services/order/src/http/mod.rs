//! The order service's routes.

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, header};
use ordersys_chassis::http::body::{Empty, EmptyBody, JsonText};
use ordersys_chassis::http::page::{self, Items, Page};
use ordersys_chassis::http::params::{PathId, Query};
use ordersys_chassis::{AdminOnly, Caller, Json, Peer, Rejection, RequestIdOf, TaggedOrder, quoted};
use ordersys_contract::header::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
use ordersys_contract::order::{
    CANCEL, DELIVER, EVENTS, NewOrder, ORDER, ORDERS, Order, OrderEvent, OrderState, PAY, SHIP,
};
use ordersys_contract::{Code, IdempotencyKey, OrderId, OrderKind, UserId, WriteJson};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{App, Placed, RequestContext, outcome};
use crate::domain::access::Reach;
use crate::domain::draft::Draft;
use crate::domain::lifecycle::Event;
use crate::domain::order::StoredOrder;
use crate::store::Filter;

#[cfg(feature = "defects")]
mod defects;
mod internal;

pub(crate) fn routes(app: App) -> OpenApiRouter {
    let router = OpenApiRouter::new()
        .routes(routes!(place, list))
        .routes(routes!(read))
        .routes(routes!(events))
        .routes(routes!(cancel))
        .routes(routes!(pay))
        .routes(routes!(ship))
        .routes(routes!(deliver))
        .merge(internal::routes());
    #[cfg(feature = "defects")]
    let router = router.layer(axum::middleware::from_fn(defects::mistake));
    router.with_state(app)
}

/// Places an order: all lines or none.
#[utoipa::path(
    post, path = ORDERS, tag = "orders",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeated posts of this order one order.", pattern = "^[!-~]{1,128}$")),
    request_body = NewOrder,
    responses((status = 201, description = "Stock is sold to it", body = Order, headers(("Idempotency-Replayed" = Option<String>, description = "`true` if an earlier answer is repeated."))),
        (status = 202, description = "Stored; its outcome is not known yet, ask again at `Location`", body = Order, headers(("Idempotency-Replayed" = Option<String>, description = "`true` if an earlier answer is repeated.")))),
    security((), ("user" = []), ("admin" = [])),
    extensions(("x-refusals" = json!([Code::AccountDisabled, Code::InvalidHeader, Code::InsufficientStock, Code::OrderExpired, Code::OrderAborted,
        Code::UnknownUser, Code::UnknownProduct, Code::MixedCurrencies, Code::IdempotencyMismatch,
        Code::DependencyDown, Code::TooManyRequests,]))),
)]
async fn place(
    State(app): State<App>,
    caller: Caller,
    Peer(address): Peer,
    RequestIdOf(request): RequestIdOf,
    Key(key): Key,
    Json(new): Json<NewOrder>,
) -> Result<Response, Rejection> {
    let request = RequestContext { caller, address, id: request };
    let placed = app.place(Draft::new(&new)?, key, request).await?;
    Ok(placed_answer(placed))
}

/// The client's key for an order, if it sent one.
struct Key(Option<IdempotencyKey>);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else { return Ok(Self(None)) };
        let key = value.to_str().ok().and_then(IdempotencyKey::parse);
        let wrong = || {
            let why = format!(
                "the header idempotency-key is {}: it takes 1 to 128 visible ASCII characters",
                quoted(value)
            );
            Rejection::new(Code::InvalidHeader, why)
        };
        key.map(|key| Self(Some(key))).ok_or_else(wrong)
    }
}

fn placed_answer(Placed { stored, replayed }: Placed) -> Response {
    let mut response = match outcome(&stored) {
        Ok(order) => stored_answer(order, StatusCode::CREATED),
        Err(error) => tagged(Rejection::from(error).into_response(), stored.order.id),
    };
    if replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// The answer with the name of its order, for the log.
fn tagged(mut response: Response, id: OrderId) -> Response {
    response.extensions_mut().insert(TaggedOrder(id));
    response
}

/// The order with `done` if its outcome is known, else with 202 and where to ask again.
fn stored_answer(order: &Order, done: StatusCode) -> Response {
    let id = order.id;
    let open = order.status.needs_driver();
    let mut response = JsonText::new(order.to_json()).into_response();
    *response.status_mut() = if open { StatusCode::ACCEPTED } else { done };
    if let Ok(location) = HeaderValue::try_from(format!("{ORDERS}/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if open {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    tagged(response, id)
}

/// One order.
#[utoipa::path(
    get, path = ORDER, tag = "orders",
    responses((status = 200, description = "The order", body = Order)),
    security((), ("user" = []), ("admin" = [])),
)]
async fn read(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderKind>,
) -> Result<Json<Order>, Rejection> {
    Ok(Json(app.get(id, Reach::of(caller)).await?.into_shown()))
}

/// The history of an order.
#[utoipa::path(
    get, path = EVENTS, tag = "orders",
    responses((status = 200, description = "Its steps, oldest first", body = Vec<OrderEvent>)),
    security((), ("user" = []), ("admin" = [])),
)]
async fn events(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderKind>,
) -> Result<Json<Vec<OrderEvent>>, Rejection> {
    Ok(Json(app.events(id, Reach::of(caller)).await?))
}

/// Whose orders a caller lists: the admin those of any user, users their own.
fn listed_user(caller: Caller, asked: Option<UserId>) -> Result<Option<UserId>, Rejection> {
    match (caller.user(), asked) {
        (Some(own), Some(other)) if own != other => {
            Err(Rejection::new(Code::Forbidden, "users list their own orders only"))
        }
        (Some(own), _) => Ok(Some(own)),
        (None, asked) => caller.require_admin().map(|()| asked),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListQuery {
    /// Orders of this user only.
    user_id: Option<UserId>,
    /// Orders in this state only.
    status: Option<OrderState>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Orders, newest first. A page of orders in one state may hold fewer than asked for: there is more as long as it
/// names the next one.
#[utoipa::path(
    get, path = ORDERS, tag = "orders",
    params(ListQuery),
    responses((status = 200, description = "A page of orders", body = Vec<Order>)),
    security(("user" = []), ("admin" = [])),
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Page, Rejection> {
    let user_id = listed_user(caller, query.user_id)?;
    let limit = page::limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref())?.map(OrderId::from_bytes);
    let filter = Filter { user: user_id, state: query.status, before, changed_before: None };
    let add = |items: &mut Items, stored: StoredOrder| {
        let order = stored.into_shown();
        items.add(&order, order.id.as_bytes())
    };
    let (mut items, left) = app.list(filter, Items::new(limit), Box::new(add)).await?;
    if let Some(last) = left {
        items.goes_on_after(last.as_bytes());
    }
    let mut pairs = vec![("limit", limit.to_string())];
    pairs.extend(user_id.map(|user| ("userId", user.to_string())));
    pairs.extend(query.status.map(|status| ("status", status.as_str().to_owned())));
    Ok(Page { items, list: (ORDERS, pairs) })
}

/// Cancels an order and gives its stock back.
#[utoipa::path(
    post, path = CANCEL, tag = "orders",
    request_body = Option<Empty>,
    responses((status = 200, description = "Cancelled; the stock is back", body = Order),
        (status = 202, description = "It will be; ask again", body = Order)),
    security((), ("user" = []), ("admin" = [])),
    extensions(("x-refusals" = json!([Code::IllegalTransition]))),
)]
async fn cancel(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<OrderKind>,
    RequestIdOf(request): RequestIdOf,
    _: EmptyBody,
) -> Result<Response, Rejection> {
    Ok(stored_answer(&app.cancel(id, Reach::of(caller), &request).await?.order, StatusCode::OK))
}

/// A handler by which the admin takes an order one step further.
#[rustfmt::skip] // it indents the attribute anew each time
macro_rules! step {
    ($name:ident, $path:ident, $event:ident, $summary:tt, $done:tt) => {
        #[doc = $summary]
        #[utoipa::path(
            post, path = $path, tag = "orders",
            request_body = Option<Empty>,
            responses((status = 200, description = $done, body = Order),
                (status = 202, description = "It will be; ask again", body = Order)),
            security(("admin" = [])),
            extensions(("x-refusals" = json!([Code::IllegalTransition]))),
        )]
        async fn $name(
            State(app): State<App>,
            _: AdminOnly,
            PathId(id): PathId<OrderKind>,
            RequestIdOf(request): RequestIdOf,
            _: EmptyBody,
        ) -> Result<Response, Rejection> {
            Ok(stored_answer(&app.advance(id, Event::$event, &request).await?.order, StatusCode::OK))
        }
    };
}

step!(pay, PAY, Pay, "Marks an order as paid.", "Paid");
step!(ship, SHIP, Ship, "Marks an order as shipped.", "Shipped");
step!(deliver, DELIVER, Deliver, "Marks an order as delivered.", "Delivered");
