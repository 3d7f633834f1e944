//! The routes of sessions and keys.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::header;
use ordersys_chassis::{Caller, Json, Peer, Refusal, ShortJson};
use ordersys_contract::Timestamp;
use ordersys_contract::session::{
    CURRENT_SESSION, JWKS, Jwks, NewSession, REFRESH, RefreshSession, SESSIONS, Session,
};

use crate::App;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(SESSIONS, post(log_in).delete(log_out_everywhere))
        .route(REFRESH, post(refresh))
        .route(CURRENT_SESSION, delete(log_out))
        .route(JWKS, get(jwks))
}

/// An answer with tokens, which nobody on the way may keep (RFC 6749, section 5.1).
fn tokens(status: StatusCode, session: Session) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(session)).into_response()
}

async fn log_in(
    State(app): State<App>,
    Peer(from): Peer,
    ShortJson(new): ShortJson<NewSession>,
) -> Result<Response, Refusal> {
    Ok(tokens(StatusCode::CREATED, app.log_in(new, from, Timestamp::now()).await?))
}

async fn refresh(
    State(app): State<App>,
    Peer(from): Peer,
    ShortJson(refresh): ShortJson<RefreshSession>,
) -> Result<Response, Refusal> {
    let session = app.refresh(&refresh.refresh_token, from, Timestamp::now()).await?;
    Ok(tokens(StatusCode::OK, session))
}

async fn log_out(State(app): State<App>, caller: Caller) -> Result<StatusCode, Refusal> {
    app.log_out(caller.require_user()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn log_out_everywhere(State(app): State<App>, caller: Caller) -> Result<StatusCode, Refusal> {
    app.log_out_everywhere(caller.require_user()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn jwks(State(app): State<App>) -> Json<Jwks> {
    Json(app.public_keys())
}
