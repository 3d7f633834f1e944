//! The routes every service has, and the layer around all of them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use http::header;
use ordersys_contract::Code;
use ordersys_contract::health::Ready;
use serde_json::json;

use crate::observe::{Observer, observe};
use crate::{Credentials, Health, Json, Metrics, Refusal};

/// What the common routes need of a service.
#[derive(Clone)]
pub struct Service {
    /// The service's name: `user`, `product`, `order`.
    pub name: &'static str,
    /// Whom it lets in.
    pub credentials: Credentials,
    /// Whether it lives and is ready.
    pub health: Health,
    /// What it counts.
    pub metrics: Metrics,
}

/// Adds the common routes, the answers for unknown ones, and the layer around everything.
pub fn finish(routes: Router, service: Service) -> Router {
    let observer = Arc::new(Observer {
        service: service.name,
        credentials: service.credentials.clone(),
        metrics: service.metrics.clone(),
    });
    let common = Router::new()
        .route("/health", get(health))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(service);
    routes
        .merge(common)
        .fallback(|| async { Refusal::new(Code::UnknownRoute, "there is no such route") })
        .method_not_allowed_fallback(|| async {
            Refusal::new(Code::MethodNotAllowed, "the route does not have this method")
        })
        .layer(middleware::from_fn_with_state(observer, observe))
}

async fn health(State(service): State<Service>) -> Response {
    match service.health.unready() {
        None => Json(json!({ "status": "ok", "service": service.name })).into_response(),
        Some(why) => {
            let body = json!({ "status": "unavailable", "service": service.name, "reason": why });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

async fn readyz(State(service): State<Service>) -> Response {
    let readiness = service.health.readiness();
    let status = match readiness.status {
        Ready::Ready => StatusCode::OK,
        Ready::Unready => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(service): State<Service>) -> Response {
    let prometheus = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, prometheus)], service.metrics.encode()).into_response()
}
