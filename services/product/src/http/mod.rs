//! The product service's routes.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use ordersys_chassis::http::body::JsonText;
use ordersys_chassis::http::conditional::{self, Condition};
use ordersys_chassis::http::page::{self, Items, Page};
use ordersys_chassis::http::params::{PathId, Query};
use ordersys_chassis::{
    AdminOnly, Arrival, Deadline, Internal, InternalJson, InternalOrAdmin, Json, Rejection,
};
use ordersys_contract::product::{
    Hold, INVARIANTS, NewProduct, PRODUCT, PRODUCTS, Product, ProductPatch, RELEASE, RESERVE, RESTOCK,
    Released, Reserved, Restock, StockAccount, StockEvidence,
};
use ordersys_contract::reservation::{Answer, Batch, RESERVATION, RESERVATIONS, ReservationRecord};
use ordersys_contract::{
    Code, MAX_BATCH, OrderId, OrderKind, ProductId, ProductKind, TestData, Timestamp, WriteJson,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::store::{Filter, ReservationFilter};

mod records;

pub(crate) fn routes(app: App) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, edit))
        .routes(routes!(restock))
        .routes(routes!(reserve))
        .routes(routes!(release))
        .routes(routes!(reservations, reservation_list))
        .routes(routes!(reservation))
        .routes(routes!(invariants))
        .merge(records::routes())
        .with_state(app)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Products whose name has this text in it, in either case.
    q: Option<String>,
    /// Whether products that are test data are shown.
    #[serde(default)]
    #[param(inline, default = "exclude")]
    test: TestData,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The catalog, a page at a time. A page of a search may hold fewer than asked for: there is more as long as it
/// names the next one.
#[utoipa::path(
    get, path = PRODUCTS, tag = "products",
    params(ListQuery),
    responses((status = 200, description = "A page of products", body = Vec<Product>)),
)]
async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Page, Rejection> {
    let limit = page::limit(query.limit)?;
    let after = page::cursor(query.cursor.as_deref())?.map(ProductId::from_bytes);
    let filter = Filter { text: query.q.clone(), test: query.test, after, limit };
    let add = |items: &mut Items, product: Product| items.add(&product, product.id.as_bytes());
    let (mut items, left) = app.list(filter, Items::new(limit), Box::new(add)).await?;
    if let Some(last) = left {
        items.goes_on_after(last.as_bytes());
    }
    let mut pairs = vec![("limit", limit.to_string())];
    pairs.extend(query.q.map(|text| ("q", text)));
    pairs.extend((query.test != TestData::Exclude).then(|| ("test", query.test.as_str().to_owned())));
    Ok(Page { items, list: (PRODUCTS, pairs) })
}

/// The tag of a product as answered: its version, then its stock. Editing compares the version.
fn tag(product: &Product) -> String {
    format!("\"{}.{}\"", product.version, product.stock)
}

fn tagged(product: Product) -> Response {
    ([(header::ETAG, tag(&product))], Json(product)).into_response()
}

/// One product.
#[utoipa::path(
    get, path = PRODUCT, tag = "products",
    params(("If-None-Match" = Option<String>, Header, description = "Tags that the caller knows."), ("If-Match" = Option<String>, Header, description = "Tags of which one has to be the current one.")),
    responses((status = 200, description = "The product", body = Product, headers(("ETag" = String, description = "Version and stock."))),
        (status = 304, description = "Unchanged since the tag that was sent", headers(("ETag" = String, description = "Version and stock.")))),
    extensions(("x-refusals" = json!([Code::PreconditionFailed]))),
)]
async fn read(
    State(app): State<App>,
    PathId(id): PathId<ProductKind>,
    headers: HeaderMap,
) -> Result<Response, Rejection> {
    let product = app.get(id).await?;
    conditional::tagged(&headers, &tag(&product), || Json(product).into_response())
}

/// Puts a product into the catalog.
#[utoipa::path(
    post, path = PRODUCTS, tag = "products",
    request_body = NewProduct,
    responses((status = 201, description = "The new product", body = Product, headers(("ETag" = String, description = "Version and stock.")))),
    security(("admin" = [])),
)]
async fn create(
    State(app): State<App>,
    _: AdminOnly,
    Json(new): Json<NewProduct>,
) -> Result<Response, Rejection> {
    let product = app.create(new, Timestamp::now()).await?;
    let location = format!("{PRODUCTS}/{}", product.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], tagged(product)).into_response())
}

/// Changes name or price; orders keep theirs.
#[utoipa::path(
    patch, path = PRODUCT, tag = "products",
    params(("If-Match" = Option<String>, Header, description = "Only if the version is still that of one of these tags; a weak one is none of them."),
        ("If-None-Match" = Option<String>, Header, description = "Only if the version is that of none of these tags.")),
    request_body = ProductPatch,
    responses((status = 200, description = "The product as it is now", body = Product, headers(("ETag" = String, description = "Version and stock.")))),
    security(("admin" = [])),
    extensions(("x-refusals" = json!([Code::PreconditionFailed]))),
)]
async fn edit(
    State(app): State<App>,
    _: AdminOnly,
    PathId(id): PathId<ProductKind>,
    headers: HeaderMap,
    Json(patch): Json<ProductPatch>,
) -> Result<Response, Rejection> {
    Ok(tagged(app.edit(id, patch, Condition::of(&headers)?, Timestamp::now()).await?))
}

/// Adds units.
#[utoipa::path(
    post, path = RESTOCK, tag = "products",
    request_body = Restock,
    responses((status = 200, description = "The product with its new stock", body = Product, headers(("ETag" = String, description = "Version and stock.")))),
    security(("admin" = [])),
)]
async fn restock(
    State(app): State<App>,
    _: AdminOnly,
    PathId(id): PathId<ProductKind>,
    Json(restock): Json<Restock>,
) -> Result<Response, Rejection> {
    Ok(tagged(app.restock(id, restock.quantity).await?))
}

/// Takes units of one product, as the article's order service does.
#[utoipa::path(
    post, path = RESERVE, tag = "products",
    request_body = Hold,
    responses((status = 200, description = "Units are taken", body = Reserved)),
    security(("service" = []), ("admin" = [])),
    extensions(("x-refusals" = json!([Code::InsufficientStock, Code::NothingHeld, Code::ReservationMismatch]))),
)]
async fn reserve(
    State(app): State<App>,
    _: InternalOrAdmin,
    PathId(id): PathId<ProductKind>,
    Json(hold): Json<Hold>,
) -> Result<Json<Reserved>, Rejection> {
    Ok(Json(app.hold(id, &hold).await?))
}

/// Gives such units back, never more than are held that way.
#[utoipa::path(
    post, path = RELEASE, tag = "products",
    request_body = Hold,
    responses((status = 200, description = "Units are back", body = Released)),
    security(("service" = []), ("admin" = [])),
    extensions(("x-refusals" = json!([Code::NothingHeld, Code::ReservationMismatch]))),
)]
async fn release(
    State(app): State<App>,
    _: InternalOrAdmin,
    PathId(id): PathId<ProductKind>,
    Json(hold): Json<Hold>,
) -> Result<Json<Released>, Rejection> {
    Ok(Json(app.give_back(id, &hold).await?))
}

/// Does many operations in one transaction: one answer each, in order.
#[utoipa::path(
    post, path = RESERVATIONS, tag = "internal",
    params(("x-timeout-ms" = Option<String>, Header, description = "Milliseconds the caller waits: work not begun by then is dropped.")),
    request_body = Batch,
    responses((status = 200, description = "What became of each", body = Vec<Answer>)),
    security(("service" = [])),
)]
async fn reservations(
    State(app): State<App>,
    _: Internal,
    Arrival(arrived): Arrival,
    deadline: Deadline,
    InternalJson(batch): InternalJson<Batch>,
) -> Result<Response, Rejection> {
    if batch.operations.len() > MAX_BATCH {
        return Err(Rejection::new(Code::InvalidField, format!("operations: at most {MAX_BATCH}")));
    }
    let answers = app.apply(batch.operations, arrived, deadline).await?;
    Ok(JsonText::new(answers.to_json()).into_response())
}

/// One reservation, with all that is stored of it.
#[utoipa::path(
    get, path = RESERVATION, tag = "internal",
    responses((status = 200, description = "The reservation", body = ReservationRecord)),
    security(("service" = []), ("admin" = [])),
)]
async fn reservation(
    State(app): State<App>,
    _: InternalOrAdmin,
    PathId(id): PathId<OrderKind>,
) -> Result<Json<ReservationRecord>, Rejection> {
    let found = app.reservation(id).await?;
    found.map(Json).ok_or_else(|| Rejection::new(Code::NotFound, "Reservation not found"))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ReservationQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// All reservations, newest first.
#[utoipa::path(
    get, path = RESERVATIONS, tag = "internal",
    params(ReservationQuery),
    responses((status = 200, description = "A page of reservations", body = Vec<ReservationRecord>)),
    security(("service" = []), ("admin" = [])),
)]
async fn reservation_list(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<ReservationQuery>,
) -> Result<Page, Rejection> {
    let limit = page::limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref())?.map(OrderId::from_bytes);
    let add = |items: &mut Items, record: ReservationRecord| {
        items.add(&record, record.reservation.order_id.as_bytes())
    };
    let items =
        app.reservations(ReservationFilter { before, limit }, Items::new(limit), Box::new(add)).await?;
    Ok(Page { items, list: (RESERVATIONS, vec![("limit", limit.to_string())]) })
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AccountQuery {
    /// Whether to add up the lines of all reservations too, which reads all of them.
    #[serde(default)]
    lines: bool,
    cursor: Option<String>,
}

/// Where every unit of every product is: each page in one snapshot.
#[utoipa::path(
    get, path = INVARIANTS, tag = "internal",
    params(AccountQuery),
    responses((status = 200, description = "A page of accounts; with `lines=true` each has `heldLines` and `committedLines` too", body = Vec<StockAccount>)),
    security(("service" = []), ("admin" = [])),
)]
async fn invariants(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<AccountQuery>,
) -> Result<Page, Rejection> {
    let after = page::cursor(query.cursor.as_deref())?.map(ProductId::from_bytes);
    let page = Items::new(u32::MAX);
    let (items, pairs) = if query.lines {
        let add = |items: &mut Items, one: StockEvidence| items.add(&one, one.account.product_id.as_bytes());
        (app.evidence(after, page, Box::new(add)).await?, vec![("lines", "true".to_owned())])
    } else {
        let add = |items: &mut Items, one: StockAccount| items.add(&one, one.product_id.as_bytes());
        (app.accounts(after, page, Box::new(add)).await?, Vec::new())
    };
    Ok(Page { items, list: (INVARIANTS, pairs) })
}
