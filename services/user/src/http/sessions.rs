//! The routes of sessions and keys.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http::header;
use ordersys_chassis::{Caller, Json, Peer, Rejection, ShortJson, smoothed_clock};
use ordersys_contract::Code;
use ordersys_contract::session::{
    CURRENT_SESSION, JWKS, Jwks, NewSession, REFRESH, RefreshSession, SESSIONS, Session,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(log_in, log_out_everywhere))
        .routes(routes!(refresh))
        .routes(routes!(log_out))
        .routes(routes!(jwks))
}

/// An answer with tokens, which no cache may keep (RFC 6749, section 5.1).
fn tokens(status: StatusCode, session: Session) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(session)).into_response()
}

/// Logs in.
#[utoipa::path(
    post, path = SESSIONS, tag = "sessions",
    request_body = NewSession,
    responses((status = 201, description = "The tokens of the new session", body = Session)),
    extensions(("x-refusals" = json!([Code::InvalidCredentials, Code::AccountDisabled, Code::TooManyRequests]))),
)]
async fn log_in(
    State(app): State<App>,
    Peer(from): Peer,
    ShortJson(new): ShortJson<NewSession>,
) -> Result<Response, Rejection> {
    Ok(tokens(StatusCode::CREATED, app.log_in(new, from, smoothed_clock::now()).await?))
}

/// The next tokens of a session; the one that is given is used up.
#[utoipa::path(
    post, path = REFRESH, tag = "sessions",
    request_body = RefreshSession,
    responses((status = 200, description = "The next tokens", body = Session)),
    extensions(("x-refusals" = json!([Code::SessionEnded, Code::AccountDisabled, Code::TooManyRequests]))),
)]
async fn refresh(
    State(app): State<App>,
    Peer(from): Peer,
    ShortJson(refresh): ShortJson<RefreshSession>,
) -> Result<Response, Rejection> {
    let session = app.refresh(&refresh.refresh_token, from, smoothed_clock::now()).await?;
    Ok(tokens(StatusCode::OK, session))
}

/// Ends the session that the access token belongs to.
#[utoipa::path(
    delete, path = CURRENT_SESSION, tag = "sessions",
    responses((status = 204, description = "It has ended")),
    security(("user" = [])),
)]
async fn log_out(State(app): State<App>, caller: Caller) -> Result<StatusCode, Rejection> {
    app.log_out(caller.require_user()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions of the caller and all its access tokens.
#[utoipa::path(
    delete, path = SESSIONS, tag = "sessions",
    responses((status = 204, description = "They have ended")),
    security(("user" = [])),
)]
async fn log_out_everywhere(State(app): State<App>, caller: Caller) -> Result<StatusCode, Rejection> {
    app.log_out_everywhere(caller.require_user()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The public keys that access tokens are verified with.
#[utoipa::path(
    get, path = JWKS, tag = "sessions",
    responses((status = 200, description = "The keys", body = Jwks)),
)]
async fn jwks(State(app): State<App>) -> Json<Jwks> {
    Json(app.public_keys().await)
}
