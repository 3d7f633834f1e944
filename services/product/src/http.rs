//! The product service's routes.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, header};
use ordersys_chassis::page::{self, Page};
use ordersys_chassis::params::{PathId, Query};
use ordersys_chassis::{AdminOnly, Deadline, Internal, InternalJson, InternalOrAdmin, Json, Refusal};
use ordersys_contract::product::{
    Hold, INVARIANTS, NewProduct, PRODUCT, PRODUCTS, Product, ProductPatch, RELEASE, RESERVE, RESTOCK,
    Released, Reserved, Restock,
};
use ordersys_contract::reservation::{Batch, RESERVATION, RESERVATIONS, ReservationRecord};
use ordersys_contract::{Code, MAX_BATCH, OrderId, OrderKind, ProductId, ProductKind, Timestamp};
use serde::Deserialize;

use crate::App;
use crate::store::Filter;

pub(crate) fn routes(app: App) -> Router {
    Router::new()
        .route(PRODUCTS, get(list).post(create))
        .route(PRODUCT, get(read).patch(edit))
        .route(RESTOCK, post(restock))
        .route(RESERVE, post(reserve))
        .route(RELEASE, post(release))
        .route(RESERVATIONS, post(reservations).get(reservation_list))
        .route(RESERVATION, get(reservation))
        .route(INVARIANTS, get(invariants))
        .with_state(app)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    q: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Page<Product>, Refusal> {
    let limit = page::limit(query.limit)?;
    let after = page::cursor(query.cursor.as_deref())?.map(ProductId::from_bytes);
    let items = app.list(Filter { text: query.q.clone(), after, limit }).await?;
    let full = items.len() == limit as usize;
    let next = items.last().filter(|_| full).map(|product| page::cursor_text(product.id.as_bytes()));
    let mut pairs = vec![("limit", limit.to_string())];
    pairs.extend(query.q.map(|text| ("q", text)));
    Ok(Page { items, list: (PRODUCTS, pairs), next })
}

/// The tag of a product as answered: its version, then its stock. Editing compares the version.
fn tag(product: &Product) -> String {
    format!("\"{}.{}\"", product.version, product.stock)
}

fn tagged(product: Product) -> Response {
    ([(header::ETAG, tag(&product))], Json(product)).into_response()
}

async fn read(
    State(app): State<App>,
    PathId(id): PathId<ProductKind>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let product = app.get(id).await?;
    let tag = tag(&product);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = known.is_some_and(|known| known == "*" || known.split(',').any(|one| one.trim() == tag));
    if known {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(tagged(product))
}

async fn create(
    State(app): State<App>,
    _: AdminOnly,
    Json(new): Json<NewProduct>,
) -> Result<Response, Refusal> {
    let product = app.create(new, Timestamp::now()).await?;
    let location = format!("{PRODUCTS}/{}", product.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], tagged(product)).into_response())
}

async fn edit(
    State(app): State<App>,
    _: AdminOnly,
    PathId(id): PathId<ProductKind>,
    headers: HeaderMap,
    Json(patch): Json<ProductPatch>,
) -> Result<Response, Refusal> {
    Ok(tagged(app.edit(id, patch, version(&headers)?).await?))
}

/// The version in `If-Match`: the tag up to its point. `*` and no header match any.
fn version(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let Some(value) = headers.get(header::IF_MATCH).filter(|value| value.as_bytes() != b"*") else {
        return Ok(None);
    };
    let tag = value.to_str().ok().and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"'));
    let version = tag.and_then(|tag| tag.split('.').next()?.parse().ok());
    let wrong = || Refusal::new(Code::InvalidHeader, "If-Match takes one tag as `ETag` gave it");
    version.map(Some).ok_or_else(wrong)
}

async fn restock(
    State(app): State<App>,
    _: AdminOnly,
    PathId(id): PathId<ProductKind>,
    Json(restock): Json<Restock>,
) -> Result<Response, Refusal> {
    Ok(tagged(app.restock(id, restock.quantity).await?))
}

async fn reserve(
    State(app): State<App>,
    _: InternalOrAdmin,
    PathId(id): PathId<ProductKind>,
    Json(hold): Json<Hold>,
) -> Result<Json<Reserved>, Refusal> {
    Ok(Json(app.hold(id, &hold).await?))
}

async fn release(
    State(app): State<App>,
    _: InternalOrAdmin,
    PathId(id): PathId<ProductKind>,
    Json(hold): Json<Hold>,
) -> Result<Json<Released>, Refusal> {
    Ok(Json(app.give_back(id, &hold).await?))
}

async fn reservations(
    State(app): State<App>,
    _: Internal,
    deadline: Deadline,
    InternalJson(batch): InternalJson<Batch>,
) -> Result<Response, Refusal> {
    if batch.operations.len() > MAX_BATCH {
        return Err(Refusal::new(Code::InvalidField, format!("operations: at most {MAX_BATCH}")));
    }
    Ok(Json(app.apply(batch.operations, Timestamp::now(), deadline).await?).into_response())
}

async fn reservation(
    State(app): State<App>,
    _: InternalOrAdmin,
    PathId(id): PathId<OrderKind>,
) -> Result<Json<ReservationRecord>, Refusal> {
    let found = app.reservation(id).await?;
    found.map(Json).ok_or_else(|| Refusal::new(Code::NotFound, "Reservation not found"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReservationQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn reservation_list(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<ReservationQuery>,
) -> Result<Page<ReservationRecord>, Refusal> {
    let limit = page::limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref())?.map(OrderId::from_bytes);
    let items = app.reservations(before, limit).await?;
    let full = items.len() == limit as usize;
    let last = items.last().filter(|_| full);
    let next = last.map(|record| page::cursor_text(record.reservation.order_id.as_bytes()));
    Ok(Page { items, list: (RESERVATIONS, vec![("limit", limit.to_string())]), next })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountQuery {
    /// Whether to add up the lines of all reservations too, which reads all of them.
    #[serde(default)]
    lines: bool,
}

async fn invariants(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<AccountQuery>,
) -> Result<Response, Refusal> {
    if query.lines {
        return Ok(Json(app.evidence().await?).into_response());
    }
    Ok(Json(app.accounts().await?).into_response())
}
