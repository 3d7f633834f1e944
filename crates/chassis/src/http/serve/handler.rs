//! Answers requests on connections, and closes the connection after the answer where it has to.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderValue, Request, Response, header};
use hyper::body::{Body as _, Incoming};
use ordersys_contract::Code;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::Connection;
use super::transfer::RequestBody;
use crate::http::body::discard;
use crate::http::middleware::{is_probe, rejected_early};
use crate::resilience::load_shed::Rejected;
use crate::{Health, LoadShedder, Rejection};

/// What answers requests.
pub(super) struct Handler {
    pub(super) router: Router,
    pub(super) load_shedder: Option<LoadShedder>,
    pub(super) health: Health,
    pub(super) shutdown: CancellationToken,
}

impl Handler {
    pub(super) async fn answer(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        if !body.is_end_stream() {
            connection.clients_turn();
        } else if !connection.our_turn() {
            std::future::pending::<()>().await; // it is being closed
        }
        let body = RequestBody::new(body, Arc::clone(&connection));
        let shedder = self.load_shedder.as_ref();
        let rejected = shedder.and_then(|shedder| Some((shedder, shedder.rejection(&head)?)));
        let mut response = if let Some((shedder, Rejected { response, hold })) = rejected {
            if !body.is_end_stream() {
                discard(body).await;
            }
            shedder.delay_rejection(hold, &self.shutdown).await;
            response
        } else {
            head.extensions.insert(Arc::clone(&connection));
            let Ok(response) = self.router.clone().oneshot(Request::from_parts(head, Body::new(body))).await;
            response
        };
        connection.clients_turn();
        if self.health.is_draining() {
            close_after(&mut response);
        }
        response
    }

    /// Answers a probe, and rejects anything else: the connection has no permit.
    pub(super) async fn answer_probe(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let mut response = if is_probe(request.uri().path()) {
            self.answer(connection, request).await
        } else {
            let (head, body) = request.into_parts();
            if !body.is_end_stream() {
                discard(body).await;
            }
            let why = "all connections that the service holds at a time are in use";
            rejected_early(&head.headers, Rejection::new(Code::Overloaded, why))
        };
        close_after(&mut response);
        response
    }
}

/// Tells the client that the connection ends with this answer.
fn close_after(response: &mut Response<Body>) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}
