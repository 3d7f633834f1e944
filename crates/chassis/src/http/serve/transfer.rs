//! Bodies on their way: requests that arrive, and large answers, which are counted until they have left.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::Method;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use ordersys_contract::Code;

use super::connection::{Connection, Room};
use crate::Rejection;

/// Bodies and answers up to this size are not counted, in bytes.
pub(crate) const SMALL_BODY_BYTES: usize = 16 * 1024;

/// The body of a request. Once it is complete it is our turn.
pub(super) struct RequestBody {
    body: Incoming,
    connection: Arc<Connection>,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, connection: Arc<Connection>) -> Self {
        Self { body, connection }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let complete = match &polled {
            Poll::Ready(None) => true,
            Poll::Ready(Some(Ok(_))) => self.body.is_end_stream(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        if complete && !self.connection.our_turn() {
            return Poll::Pending; // the connection is being closed, and this request with it
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Counts a large answer until it has left. While too many are on their way, the answer to a
/// safe method is rejected; the outcome of a change is always sent.
pub(crate) fn count_large(method: &Method, response: Response, connection: &Arc<Connection>) -> Response {
    let bytes = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
    if bytes <= SMALL_BODY_BYTES {
        return response;
    }
    let room = if method.is_safe() { connection.try_reserve(bytes) } else { Some(connection.reserve(bytes)) };
    let Some(room) = room.map(Arc::new) else {
        let why = "too many large answers are on their way to clients; ask for less, or later";
        return Rejection::new(Code::Overloaded, why).into_response();
    };
    response.map(|body| Body::new(CountedBody { body, room }))
}

/// The body of a large answer.
struct CountedBody {
    body: Body,
    room: Arc<Room>,
}

/// Bytes that are counted for as long as anything refers to them: to the last one sent.
struct CountedBytes {
    bytes: Bytes,
    _room: Arc<Room>,
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        polled.map_ok(|frame| {
            frame.map_data(|bytes| Bytes::from_owner(CountedBytes { bytes, _room: Arc::clone(&self.room) }))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
