//! Around every request: its id, who calls, one log line, one count, and the problem body.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use ordersys_contract::header::REQUEST_ID;
use ordersys_contract::{Code, OrderId, Problem, RequestId, TraceParent};
use ordersys_spans::{EntryPoint, Span, Tracer};

use crate::auth::RequestInfo;
use crate::http::body::discard;
use crate::http::request_guard;
use crate::http::serve::{Connection, count_large};
use crate::{Authenticator, Hosts, Metrics, Rejection};

/// What the layer needs of its service.
pub(crate) struct Observer {
    pub(crate) service: &'static str,
    pub(crate) authenticator: Authenticator,
    pub(crate) hosts: Hosts,
    pub(crate) metrics: Metrics,
    pub(crate) tracer: Tracer,
}

/// The request's id, for handlers.
#[derive(Debug, Clone)]
pub struct RequestIdOf(pub RequestId);

impl<S: Sync> FromRequestParts<S> for RequestIdOf {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let seen = parts.extensions.get::<RequestInfo>().map(|seen| seen.id.clone());
        Ok(Self(seen.unwrap_or_else(RequestId::random)))
    }
}

/// Put into an answer's extensions, names the order in the log line of the request.
#[derive(Debug, Clone, Copy)]
pub struct TaggedOrder(pub OrderId);

pub(crate) async fn observe(State(observer): State<Arc<Observer>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (mut parts, body) = request.into_parts();
    let id = id_of(&parts.headers);
    let method = parts.method.clone();
    let matched = parts.extensions.get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let connection = parts.extensions.get::<Arc<Connection>>().cloned();
    let caller = TraceParent::of(&parts.headers);
    let mut span = observer.tracer.request(caller, door(route), || format!("{method} {route}"));
    let places = span.contexts();
    let trace = places.parent();
    let answered = places.around(async {
        if let Err(problem) = request_guard::check(&parts, &observer.hosts) {
            discard(body).await;
            return Ok(Rejection(problem).into_response());
        }
        let caller = observer.authenticator.caller(&parts.headers).await.map_err(Arc::new);
        parts.extensions.insert(RequestInfo { id: id.clone(), caller });
        AssertUnwindSafe(next.run(Request::from_parts(parts, body))).catch_unwind().await
    });
    let response = answered.await.unwrap_or_else(|_| {
        tracing::error!(service = observer.service, requestId = %id, "a handler panicked");
        Rejection::new(Code::Internal, "an internal error").into_response()
    });
    let response = match &connection {
        Some(connection) => count_large(&method, response, connection),
        None => response,
    };
    let response = complete(response, &id);
    let elapsed = started.elapsed();
    observer.metrics.count(route, &method, response.status(), elapsed);
    let answered = Answered { id: &id, trace, method: &method, route, response: &response, elapsed };
    answered.describe(&mut span);
    answered.log(observer.service);
    response
}

/// The id that the request names, or a new one.
fn id_of(headers: &HeaderMap) -> RequestId {
    let named = headers.get(REQUEST_ID).and_then(|value| RequestId::parse(value.to_str().ok()?));
    named.unwrap_or_else(RequestId::random)
}

/// The answer to a request that is rejected before it reaches the layer.
pub(crate) fn rejected_early(head: &HeaderMap, rejection: Rejection) -> Response {
    complete(rejection.into_response(), &id_of(head))
}

/// Requests from outside may begin a trace; calls between services are part of something larger, and probes are
/// not traced.
fn door(route: &str) -> EntryPoint {
    if is_probe(route) || route.starts_with("/internal/") {
        EntryPoint::Internal
    } else {
        EntryPoint::External
    }
}

pub(crate) fn is_probe(route: &str) -> bool {
    matches!(route, "/health" | "/livez" | "/readyz" | "/metrics")
}

/// Writes the problem body, if the answer is a rejection, and the id of the request.
fn complete(mut response: Response, id: &RequestId) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let body = serde_json::to_vec(&problem.body(id.as_str())).unwrap_or_default();
        *response.body_mut() = Body::from(body);
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = problem.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if problem.code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// A request and its answer, as they are recorded.
struct Answered<'a> {
    id: &'a RequestId,
    trace: Option<TraceParent>,
    method: &'a Method,
    route: &'a str,
    response: &'a Response,
    elapsed: Duration,
}

impl Answered<'_> {
    /// Notes what the request was and came to, in the words of OpenTelemetry where it has some.
    fn describe(&self, span: &mut Span) {
        let status = self.response.status();
        span.note("http.request.method", || self.method.as_str());
        span.note("http.route", || self.route);
        span.note("http.response.status_code", || status.as_u16());
        span.note("ordersys.request.id", || self.id.as_str());
        if let Some(tag) = self.response.extensions().get::<TaggedOrder>() {
            span.note("ordersys.order.id", || tag.0.to_string());
        }
        if status.is_server_error() {
            span.fail(|| status.to_string());
        }
    }

    fn log(&self, service: &'static str) {
        let status = self.response.status();
        let order = self.response.extensions().get::<TaggedOrder>().map(|tag| tracing::field::display(tag.0));
        let micros = u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX);
        let trace = self.trace.map(|parent| tracing::field::display(parent.trace));
        let quiet = is_probe(self.route) && status.is_success();
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    service,
                    requestId = self.id.as_str(),
                    traceId = trace,
                    orderId = order,
                    method = self.method.as_str(),
                    route = self.route,
                    status = status.as_u16(),
                    durationUs = micros,
                    "request"
                )
            };
        }
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            line!(error);
        } else if quiet {
            line!(debug);
        } else {
            line!(info);
        }
    }
}
