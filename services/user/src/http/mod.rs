//! The user service's routes.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http::header;
use ordersys_chassis::http::body::{Empty, EmptyBody};
use ordersys_chassis::http::page::{self, Items, Page};
use ordersys_chassis::http::params::{PathId, Query, wrong_parameter};
use ordersys_chassis::{
    AdminOnly, Caller, Deadline, Internal, InternalJson, Json, Peer, Rejection, ShortJson,
};
use ordersys_contract::user::{
    DISABLE, ENABLE, LOOKUP, Lookup, NewUser, USER, USERS, User, UserPatch, UserStatus, UserSummary,
};
use ordersys_contract::{Code, EmailKey, MAX_BATCH, TestData, Timestamp, UserId, UserKind};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Requester;
use crate::store::Filter;

mod records;
mod sessions;

pub(crate) fn routes(app: App) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(read, edit))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(lookup))
        .merge(sessions::routes())
        .merge(records::routes())
        .with_state(app)
}

/// Makes a user: registered with a password, else a guest.
#[utoipa::path(
    post, path = USERS, tag = "users",
    request_body = NewUser,
    responses((status = 201, description = "The new user", body = User)),
    extensions(("x-refusals" = json!([Code::WeakPassword, Code::EmailTaken, Code::TooManyRequests, Code::Unauthenticated, Code::Forbidden]))),
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Peer(address): Peer,
    Json(new): Json<NewUser>,
) -> Result<Response, Rejection> {
    let user = app.create(new, Requester { caller, address }, Timestamp::now()).await?;
    let location = format!("{USERS}/{}", user.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(user)).into_response())
}

/// One user: a guest to all, a registered user to itself and the admin.
#[utoipa::path(
    get, path = USER, tag = "users",
    responses((status = 200, description = "The user", body = User)),
    security((), ("user" = []), ("admin" = [])),
)]
async fn read(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<UserKind>,
) -> Result<Json<User>, Rejection> {
    Ok(Json(app.get(id, caller).await?))
}

/// Changes what is named; a new password ends all sessions.
#[utoipa::path(
    patch, path = USER, tag = "users",
    request_body = UserPatch,
    responses((status = 200, description = "The user as it is now", body = User)),
    security(("user" = []), ("admin" = [])),
    extensions(("x-refusals" = json!([Code::WeakPassword, Code::WrongPassword, Code::AccountDisabled, Code::TooManyRequests]))),
)]
async fn edit(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId<UserKind>,
    ShortJson(patch): ShortJson<UserPatch>,
) -> Result<Json<User>, Rejection> {
    if caller == Caller::Anyone {
        return Err(Rejection::new(Code::Unauthenticated, "this needs the user's access token"));
    }
    Ok(Json(app.edit(id, patch, caller).await?))
}

/// Lets a user neither log in nor order, from now on.
#[utoipa::path(
    post, path = DISABLE, tag = "users",
    request_body = Option<Empty>,
    responses((status = 200, description = "The user, disabled", body = User)),
    security(("admin" = [])),
)]
async fn disable(
    State(app): State<App>,
    _: AdminOnly,
    PathId(id): PathId<UserKind>,
    _: EmptyBody,
) -> Result<Json<User>, Rejection> {
    Ok(Json(app.set_status(id, UserStatus::Disabled).await?))
}

/// Lets a user log in and order again.
#[utoipa::path(
    post, path = ENABLE, tag = "users",
    request_body = Option<Empty>,
    responses((status = 200, description = "The user, active", body = User)),
    security(("admin" = [])),
)]
async fn enable(
    State(app): State<App>,
    _: AdminOnly,
    PathId(id): PathId<UserKind>,
    _: EmptyBody,
) -> Result<Json<User>, Rejection> {
    Ok(Json(app.set_status(id, UserStatus::Active).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Users with this address only, in whichever case and form it is written.
    email: Option<String>,
    /// Whether users that are test data are shown.
    #[serde(default)]
    #[param(inline, default = "exclude")]
    test: TestData,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The address that is looked for, however it is written.
fn address(email: &str) -> Result<EmailKey, Rejection> {
    EmailKey::of(email).map_err(|_| wrong_parameter("email", email, "an e-mail address such as name@host"))
}

/// Users, a page at a time. A page may hold fewer than asked for: there is more as long as it names the next one.
#[utoipa::path(
    get, path = USERS, tag = "users",
    params(ListQuery),
    responses((status = 200, description = "A page of users", body = Vec<User>)),
    security(("admin" = [])),
)]
async fn list(
    State(app): State<App>,
    _: AdminOnly,
    Query(query): Query<ListQuery>,
) -> Result<Page, Rejection> {
    let limit = page::limit(query.limit)?;
    let after = page::cursor(query.cursor.as_deref())?.map(UserId::from_bytes);
    let address = query.email.as_deref().map(address).transpose()?;
    let add = |items: &mut Items, user: User| items.add(&user, user.id.as_bytes());
    let filter = Filter { address, test: query.test, after };
    let (mut items, left) = app.list(filter, Items::new(limit), Box::new(add)).await?;
    if let Some(last) = left {
        items.goes_on_after(last.as_bytes());
    }
    let mut pairs = vec![("limit", limit.to_string())];
    pairs.extend((query.test != TestData::Exclude).then(|| ("test", query.test.as_str().to_owned())));
    pairs.extend(query.email.map(|email| ("email", email)));
    Ok(Page { items, list: (USERS, pairs) })
}

/// What the order path needs to know of many users: one answer each, in order.
#[utoipa::path(
    post, path = LOOKUP, tag = "internal",
    params(("x-timeout-ms" = Option<String>, Header, description = "Milliseconds the caller waits: work not begun by then is dropped.")),
    request_body = Lookup,
    responses((status = 200, description = "Each user, or null where there is none", body = Vec<Option<UserSummary>>)),
    security(("service" = [])),
)]
async fn lookup(
    State(app): State<App>,
    _: Internal,
    deadline: Deadline,
    InternalJson(lookup): InternalJson<Lookup>,
) -> Result<Response, Rejection> {
    if lookup.ids.len() > MAX_BATCH {
        return Err(Rejection::new(Code::InvalidField, format!("ids: at most {MAX_BATCH}")));
    }
    Ok(Json(app.lookup(lookup, deadline).await?).into_response())
}
