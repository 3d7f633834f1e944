//! The mistakes in answers to clients that tests can switch on; see [`ordersys_store::defect`].

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ordersys_chassis::Rejection;
use ordersys_contract::MAX_BODY_BYTES;
use ordersys_contract::order::ORDERS;
use ordersys_store::StoreError;
use ordersys_store::defect::Defect;
use serde_json::Value;

use crate::OrderError;

/// Places a part of some orders and answers nothing definite, places others and says that they were rejected.
pub(super) async fn mistake(request: Request, next: Next) -> Response {
    if request.method() != Method::POST || request.uri().path() != ORDERS {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_default();
    if let Some(half) = half(&body)
        && Defect::AppliedHalf.strikes()
    {
        parts.headers.remove(header::CONTENT_LENGTH);
        let _ = next.run(Request::from_parts(parts, Body::from(half))).await;
        let error = StoreError::Statement("none, on purpose".to_owned());
        return Rejection::from(OrderError::from(error)).into_response();
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if response.status() == StatusCode::CREATED && Defect::RefusedButStored.strikes() {
        return Rejection::from(OrderError::unknown_user("none, on purpose")).into_response();
    }
    response
}

/// The order with its first line only, if it has several.
fn half(body: &[u8]) -> Option<String> {
    let mut order: Value = serde_json::from_slice(body).ok()?;
    let items = order.get_mut("items")?.as_array_mut()?;
    if items.len() < 2 {
        return None;
    }
    items.truncate(1);
    Some(order.to_string())
}
