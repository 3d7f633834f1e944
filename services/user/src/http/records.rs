//! The routes by which checks read users, sessions and keys, and test data is removed.

use axum::extract::State;
use ordersys_chassis::http::page::{self, Items, Page};
use ordersys_chassis::http::params::Query;
use ordersys_chassis::{InternalJson, InternalOrAdmin, Json, Rejection};
use ordersys_contract::evidence::{
    KEY_EVIDENCE, KeyEvidence, SESSION_RECORDS, SessionRecord, UNOWNED_NETWORKS, USER_RECORDS, USERS_BY_ID,
    UnownedNetworks, UserIds, UserRecord,
};
use ordersys_contract::test_data::{Cleaned, Cleanup};
use ordersys_contract::user::USER_CLEANUP;
use ordersys_contract::{Code, MAX_BATCH, SessionId, UserId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(users))
        .routes(routes!(users_by_id))
        .routes(routes!(sessions))
        .routes(routes!(unowned_networks))
        .routes(routes!(keys))
        .routes(routes!(clean_up))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// All users with all that is stored of them but the password.
#[utoipa::path(
    get, path = USER_RECORDS, tag = "internal", operation_id = "list_records",
    params(ListQuery),
    responses((status = 200, description = "A page of users", body = Vec<UserRecord>)),
    security(("service" = []), ("admin" = [])),
)]
async fn users(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<ListQuery>,
) -> Result<Page, Rejection> {
    let limit = page::limit(query.limit)?;
    let after = page::cursor(query.cursor.as_deref())?.map(UserId::from_bytes);
    let items = Items::of(limit, &app.records(after, limit).await?, |item| item.id.as_bytes());
    Ok(Page { items, list: (USER_RECORDS, vec![("limit", limit.to_string())]) })
}

/// The same of these users: one answer each, in order.
#[utoipa::path(
    post, path = USERS_BY_ID, tag = "internal", operation_id = "read_records",
    request_body = UserIds,
    responses((status = 200, description = "Each user, or null where there is none", body = Vec<Option<UserRecord>>)),
    security(("service" = []), ("admin" = [])),
)]
async fn users_by_id(
    State(app): State<App>,
    _: InternalOrAdmin,
    InternalJson(UserIds { ids }): InternalJson<UserIds>,
) -> Result<Json<Vec<Option<UserRecord>>>, Rejection> {
    if ids.len() > MAX_BATCH {
        return Err(Rejection::new(Code::InvalidField, format!("ids: at most {MAX_BATCH}")));
    }
    Ok(Json(app.records_of(ids).await?))
}

/// All sessions with all that is stored of them but the token.
#[utoipa::path(
    get, path = SESSION_RECORDS, tag = "internal", operation_id = "list_session_records",
    params(ListQuery),
    responses((status = 200, description = "A page of sessions", body = Vec<SessionRecord>)),
    security(("service" = []), ("admin" = [])),
)]
async fn sessions(
    State(app): State<App>,
    _: InternalOrAdmin,
    Query(query): Query<ListQuery>,
) -> Result<Page, Rejection> {
    let limit = page::limit(query.limit)?;
    let after = page::cursor(query.cursor.as_deref())?.map(SessionId::from_bytes);
    let items = Items::of(limit, &app.session_records(after, limit).await?, |item| item.id.as_bytes());
    Ok(Page { items, list: (SESSION_RECORDS, vec![("limit", limit.to_string())]) })
}

/// Users of whom networks are remembered, and who are not there: some of them.
#[utoipa::path(
    get, path = UNOWNED_NETWORKS, tag = "internal", operation_id = "read_unowned_networks",
    responses((status = 200, description = "The users", body = UnownedNetworks)),
    security(("service" = []), ("admin" = [])),
)]
async fn unowned_networks(
    State(app): State<App>,
    _: InternalOrAdmin,
) -> Result<Json<UnownedNetworks>, Rejection> {
    Ok(Json(UnownedNetworks { users: app.unowned_networks().await? }))
}

/// The keys that sign access tokens, without their secret halves: those in use and those that are stored.
#[utoipa::path(
    get, path = KEY_EVIDENCE, tag = "internal", operation_id = "read_keys",
    responses((status = 200, description = "The keys", body = KeyEvidence)),
    security(("service" = []), ("admin" = [])),
)]
async fn keys(State(app): State<App>, _: InternalOrAdmin) -> Json<KeyEvidence> {
    Json(app.key_evidence().await)
}

/// Removes some of the test data that is old enough and that no order needs: one step, to be repeated until it names
/// no next one.
#[utoipa::path(
    post, path = USER_CLEANUP, tag = "internal",
    request_body = Cleanup<UserId>,
    responses((status = 200, description = "What it came to", body = Cleaned<UserId>)),
    security(("service" = []), ("admin" = [])),
)]
async fn clean_up(
    State(app): State<App>,
    _: InternalOrAdmin,
    Json(step): Json<Cleanup<UserId>>,
) -> Result<Json<Cleaned<UserId>>, Rejection> {
    Ok(Json(app.clean_up(step).await?))
}
