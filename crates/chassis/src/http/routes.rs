//! The routes every service has, and the layer around all of them.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Router, middleware};
use http::{HeaderMap, header};
use ordersys_contract::Code;
use ordersys_contract::health::{LIVEZ, Readiness, Ready};
use ordersys_spans::Tracer;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::{COMMON, StaticText, all_problems, complete, one_problem};
use crate::http::middleware::{Observer, observe};
use crate::{Authenticator, Health, Hosts, Json, Metrics, Rejection};

/// What the common routes need of a service.
#[derive(Clone)]
pub struct Service {
    /// The service's name: `user`, `product`, `order`.
    pub name: &'static str,
    /// Which callers it lets in.
    pub authenticator: Authenticator,
    /// By which names it is reached.
    pub hosts: Hosts,
    /// Whether it lives and is ready.
    pub health: Health,
    /// What it counts.
    pub metrics: Metrics,
    /// Who records its spans.
    pub tracer: Tracer,
}

/// What the common routes work with. The texts are made when they are first asked for: the documents of most
/// services are never read.
struct Common {
    service: Service,
    document: LazyLock<StaticText, Box<dyn Fn() -> StaticText + Send + Sync>>,
    docs: LazyLock<StaticText>,
}

/// Adds the common routes, the document of all routes, the answers for unknown ones, and the layer
/// around everything.
pub fn finish(routes: impl Fn() -> OpenApiRouter + Send + Sync + 'static, service: Service) -> Router {
    let observer = Arc::new(Observer {
        service: service.name,
        authenticator: service.authenticator.clone(),
        hosts: service.hosts.clone(),
        metrics: service.metrics.clone(),
        tracer: service.tracer.clone(),
    });
    let (own, _) = routes().split_for_parts();
    let name = service.name;
    let document = move || {
        let (_, mut document) = routes().split_for_parts();
        document.merge(common().split_for_parts().1);
        StaticText::json(&complete(name, &document))
    };
    let document = LazyLock::<_, Box<dyn Fn() -> StaticText + Send + Sync>>::new(Box::new(document));
    let (common, _) = common().split_for_parts();
    let common =
        common.with_state(Arc::new(Common { service, document, docs: LazyLock::new(StaticText::docs) }));
    with_ways_to_docs(own.merge(common))
        .fallback(|| async { Rejection::new(Code::UnknownRoute, "there is no such route") })
        .method_not_allowed_fallback(|| async {
            Rejection::new(Code::MethodNotAllowed, "the route does not have this method")
        })
        .layer(middleware::from_fn_with_state(observer, observe))
}

fn common() -> OpenApiRouter<Arc<Common>> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(metrics))
        .routes(routes!(openapi))
        .routes(routes!(docs))
        .routes(routes!(problems))
        .routes(routes!(problem))
}

/// The answer of the article's `GET /health`.
#[derive(Serialize, ToSchema)]
struct HealthAnswer {
    /// `ok` or `unavailable`.
    status: &'static str,
    /// The service's name.
    service: &'static str,
    /// Why it is not available.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'static, str>>,
}

/// Whether the service is ready, in the article's words.
#[utoipa::path(
    get, path = "/health", tag = COMMON,
    responses((status = 200, description = "Ready", body = HealthAnswer), (status = 503, description = "Not ready", body = HealthAnswer)),
)]
async fn health(State(common): State<Arc<Common>>) -> Response {
    let reason = common.service.health.unready();
    let status = if reason.is_none() { "ok" } else { "unavailable" };
    let code = if reason.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(HealthAnswer { status, service: common.service.name, reason })).into_response()
}

/// Whether the process works; touches nothing.
#[utoipa::path(
    get, path = LIVEZ, tag = COMMON,
    responses((status = 200, description = "It does", body = String, content_type = "text/plain")),
)]
async fn livez() -> &'static str {
    "ok\n"
}

/// Whether requests are welcome.
#[utoipa::path(
    get, path = "/readyz", tag = COMMON,
    responses((status = 200, description = "They are", body = Readiness), (status = 503, description = "They are not", body = Readiness)),
)]
async fn readyz(State(common): State<Arc<Common>>) -> Response {
    let readiness = common.service.health.readiness();
    let status = match readiness.status {
        Ready::Ready => StatusCode::OK,
        Ready::Unready => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness)).into_response()
}

/// What the service counts, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = COMMON,
    responses((status = 200, description = "The metrics", body = String, content_type = "application/openmetrics-text")),
)]
async fn metrics(State(common): State<Arc<Common>>) -> Response {
    let prometheus = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, prometheus)], common.service.metrics.encode()).into_response()
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", tag = COMMON,
    params(("If-None-Match" = Option<String>, Header, description = "Tags that the caller knows."), ("If-Match" = Option<String>, Header, description = "Tags of which one has to be the current one.")),
    responses(
        (status = 200, description = "The OpenAPI document", body = Object, headers(("ETag" = String))),
        (status = 304, description = "Unchanged since the tag that was sent", headers(("ETag" = String))),
    ),
    extensions(("x-refusals" = json!([Code::PreconditionFailed]))),
)]
async fn openapi(State(common): State<Arc<Common>>, headers: HeaderMap) -> Result<Response, Rejection> {
    common.document.answer(&headers)
}

/// A page to read this document and to try its calls.
#[utoipa::path(
    get, path = "/docs", tag = COMMON,
    params(("If-None-Match" = Option<String>, Header, description = "Tags that the caller knows."), ("If-Match" = Option<String>, Header, description = "Tags of which one has to be the current one.")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html", headers(("ETag" = String))),
        (status = 304, description = "Unchanged since the tag that was sent", headers(("ETag" = String))),
    ),
    extensions(("x-refusals" = json!([Code::PreconditionFailed]))),
)]
async fn docs(State(common): State<Arc<Common>>, headers: HeaderMap) -> Result<Response, Rejection> {
    common.docs.answer(&headers)
}

#[expect(
    clippy::disallowed_methods,
    reason = "what people type leads to the page; it is no part of the contract"
)]
fn with_ways_to_docs(routes: Router) -> Router {
    routes.route("/", get(to_docs)).route("/docs/", get(to_docs))
}

async fn to_docs() -> Redirect {
    Redirect::to("/docs")
}

/// The page of all codes that rejections have.
#[utoipa::path(
    get, path = "/problems", tag = COMMON,
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
)]
async fn problems() -> Response {
    all_problems()
}

/// The page of one code: what the `type` of a problem leads to.
#[utoipa::path(
    get, path = "/problems/{code}", tag = COMMON,
    params(("code" = String, Path, description = "The code.")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
)]
async fn problem(code: Result<Path<String>, PathRejection>) -> Result<Response, Rejection> {
    one_problem(code.as_deref().map_or("", String::as_str))
}
