//! The routes by which checks read products with their versions, and test data is removed.

use axum::extract::State;
use ordersys_chassis::http::page::{self, Items, Page};
use ordersys_chassis::http::params::{PathId, Query};
use ordersys_chassis::{InternalOrAdmin, Json, Rejection};
use ordersys_contract::evidence::{PRODUCT_RECORD, PRODUCT_RECORDS, ProductRecord};
use ordersys_contract::product::PRODUCT_CLEANUP;
use ordersys_contract::test_data::{Cleaned, Cleanup};
use ordersys_contract::{ProductId, ProductKind};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read)).routes(routes!(clean_up))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// All products with what they were in each version.
#[utoipa::path(
    get, path = PRODUCT_RECORDS, tag = "internal", operation_id = "list_records",
    params(ListQuery),
    responses((status = 200, description = "A page of products", body = Vec<ProductRecord>)),
    security(("service" = []), ("admin" = [])),
)]
async fn list(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<ListQuery>,
) -> Result<Page, Rejection> {
    let limit = page::limit(query.limit)?;
    let after = page::cursor(query.cursor.as_deref())?.map(ProductId::from_bytes);
    let items = Items::of(limit, &app.product_records(after, limit).await?, |item| item.id.as_bytes());
    Ok(Page { items, list: (PRODUCT_RECORDS, vec![("limit", limit.to_string())]) })
}

/// One product with what it was in each version.
#[utoipa::path(
    get, path = PRODUCT_RECORD, tag = "internal", operation_id = "read_record",
    responses((status = 200, description = "The product", body = ProductRecord)),
    security(("service" = []), ("admin" = [])),
)]
async fn read(
    State(app): State<App>,
    _: InternalOrAdmin,
    PathId(id): PathId<ProductKind>,
) -> Result<Json<ProductRecord>, Rejection> {
    Ok(Json(app.product_record(id).await?))
}

/// Removes some of the test data that is old enough and that no order needs: one step, to be repeated until it names
/// no next one.
#[utoipa::path(
    post, path = PRODUCT_CLEANUP, tag = "internal",
    request_body = Cleanup<ProductId>,
    responses((status = 200, description = "What it came to", body = Cleaned<ProductId>)),
    security(("service" = []), ("admin" = [])),
)]
async fn clean_up(
    State(app): State<App>,
    _: InternalOrAdmin,
    Json(step): Json<Cleanup<ProductId>>,
) -> Result<Json<Cleaned<ProductId>>, Rejection> {
    Ok(Json(app.clean_up(step).await?))
}
