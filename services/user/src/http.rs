//! The user service's routes.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header;
use ordersys_chassis::page::{self, Page};
use ordersys_chassis::params::{PathId, Query};
use ordersys_chassis::{AdminOnly, Deadline, Internal, InternalJson, Json, Refusal};
use ordersys_contract::user::{LOOKUP, Lookup, NewUser, USER, USERS, User};
use ordersys_contract::{Code, MAX_BATCH, Timestamp, UserId, UserKind};
use serde::Deserialize;

use crate::App;
use crate::store::Filter;

pub(crate) fn routes(app: App) -> Router {
    Router::new()
        .route(USERS, post(create).get(list))
        .route(USER, get(read))
        .route(LOOKUP, post(lookup))
        .with_state(app)
}

async fn create(State(app): State<App>, Json(new): Json<NewUser>) -> Result<Response, Refusal> {
    let user = app.create(&new, Timestamp::now()).await?;
    let location = format!("{USERS}/{}", user.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(user)).into_response())
}

async fn read(State(app): State<App>, PathId(id): PathId<UserKind>) -> Result<Json<User>, Refusal> {
    Ok(Json(app.get(id).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    email: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

async fn list(
    State(app): State<App>,
    _: AdminOnly,
    Query(query): Query<ListQuery>,
) -> Result<Page<User>, Refusal> {
    let limit = page::limit(query.limit)?;
    let after = page::cursor(query.cursor.as_deref())?.map(UserId::from_bytes);
    let items = app.list(Filter { email: query.email.clone(), after, limit }).await?;
    let full = items.len() == limit as usize;
    let next = items.last().filter(|_| full).map(|user| page::cursor_text(user.id.as_bytes()));
    let mut pairs = vec![("limit", limit.to_string())];
    pairs.extend(query.email.map(|email| ("email", email)));
    Ok(Page { items, list: (USERS, pairs), next })
}

async fn lookup(
    State(app): State<App>,
    _: Internal,
    deadline: Deadline,
    InternalJson(lookup): InternalJson<Lookup>,
) -> Result<Response, Refusal> {
    if lookup.ids.len() > MAX_BATCH {
        return Err(Refusal::new(Code::InvalidField, format!("ids: at most {MAX_BATCH}")));
    }
    Ok(Json(app.lookup(lookup.ids, &lookup.request_ids, deadline).await?).into_response())
}
