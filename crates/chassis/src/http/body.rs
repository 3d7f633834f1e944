//! JSON bodies, read strictly and within limits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Body as _;
use ordersys_contract::session::MAX_SESSION_BODY_BYTES;
use ordersys_contract::strict::Object;
use ordersys_contract::{Code, MAX_BODY_BYTES, MAX_INTERNAL_BODY_BYTES, Problem, json};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::http::serve::{Connection, Room, SMALL_BODY_BYTES};
use crate::{Rejection, quoted};

/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Most bytes read of a body that is rejected for its size.
const MAX_DISCARDED_BYTES: usize = 4 * 1024 * 1024;

/// A JSON body of at most 64 KiB, or a JSON answer.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// A JSON body of at most 4 KiB: passwords and tokens are not long.
#[derive(Debug, Clone)]
pub struct ShortJson<T>(pub T);

/// A JSON body of another service: a whole batch.
#[derive(Debug, Clone)]
pub struct InternalJson<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        Ok(Self(parse(&read(request, MAX_BODY_BYTES).await?)?))
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for ShortJson<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        Ok(Self(parse(&read(request, MAX_SESSION_BODY_BYTES).await?)?))
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for InternalJson<T> {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        Ok(Self(parse(&read(request, MAX_INTERNAL_BODY_BYTES).await?)?))
    }
}

/// An answer that is JSON already.
#[derive(Debug, Clone)]
pub struct JsonText(Bytes);

impl JsonText {
    /// An answer with this text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    pub(crate) fn from_bytes(text: Vec<u8>) -> Self {
        Self(text.into())
    }
}

/// The answer in place of one that cannot be written as JSON.
pub(crate) fn unwritable(error: &serde_json::Error) -> Response {
    tracing::error!(%error, "an answer cannot be written as JSON");
    Rejection::new(Code::Internal, "the answer cannot be written").into_response()
}

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.0) {
            Ok(text) => JsonText::new(text).into_response(),
            Err(error) => unwritable(&error),
        }
    }
}

/// An object without members.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// A request with no body, or an empty JSON object.
#[derive(Debug, Clone, Copy)]
pub struct EmptyBody;

impl<S: Sync> FromRequest<S> for EmptyBody {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        let bytes = collect(request, MAX_BODY_BYTES).await?;
        if !bytes.is_empty() {
            parse::<Empty>(&bytes)?;
        }
        Ok(Self)
    }
}

async fn read(request: Request, limit: usize) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        let named = request.headers().get(header::CONTENT_TYPE);
        let named = named.map_or_else(|| "missing".to_owned(), quoted);
        let why =
            format!("the header content-type is {named}: it takes application/json, which the body must be");
        return Err(Problem::new(Code::UnsupportedMediaType, why));
    }
    collect(request, limit).await
}

/// Bodies are read as they are: one that is packed could unpack to any size.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let encodings = headers.get_all(header::CONTENT_ENCODING);
    let is_plain = |value: &&HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    let Some(packed) = encodings.iter().find(|value| !is_plain(value)) else { return Ok(()) };
    let why =
        format!("the header content-encoding is {}: send the body as it is, without one", quoted(packed));
    Err(Problem::new(Code::UnsupportedMediaType, why))
}

async fn collect(request: Request, limit: usize) -> Result<Bytes, Problem> {
    if let Err(problem) = check_encoding(request.headers()) {
        discard(request.into_body()).await;
        return Err(problem);
    }
    let too_large = || Problem::new(Code::BodyTooLarge, format!("the body is larger than {limit} bytes"));
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        discard(request.into_body()).await;
        return Err(too_large());
    }
    let Ok(_room) = room(&request, limit) else {
        discard(request.into_body()).await;
        let why = "too many large bodies and answers are on their way; send it again later";
        return Err(Problem::new(Code::Overloaded, why));
    };
    let collected = Limited::new(request.into_body(), limit).collect();
    match tokio::time::timeout(BODY_TIMEOUT, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(Code::MalformedJson, "the body ended early")),
        Err(_) => Err(Problem::new(Code::RequestTimeout, "the body took too long to arrive")),
    }
}

/// There is no room for a body.
struct NoRoom;

/// Counts a large body until it is read. Calls between services are never rejected for their size.
fn room(request: &Request, limit: usize) -> Result<Option<Room>, NoRoom> {
    let announced = request.body().size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
    let bytes = announced.unwrap_or(limit);
    match request.extensions().get::<Arc<Connection>>().filter(|_| bytes > SMALL_BODY_BYTES) {
        Some(connection) if limit > MAX_BODY_BYTES => Ok(Some(connection.reserve(bytes))),
        Some(connection) => connection.try_reserve(bytes).map(Some).ok_or(NoRoom),
        None => Ok(None),
    }
}

/// Reads a body that is not wanted, within reason: a client that is still sending when the
/// connection closes would never see the answer.
pub(crate) async fn discard<B: hyper::body::Body<Data = Bytes> + Unpin>(mut body: B) {
    let reading = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > MAX_DISCARDED_BYTES {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(BODY_TIMEOUT, reading).await;
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.map(|value| value.split(';').next().unwrap_or("").trim());
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
}

/// Reads a JSON object into a `T`, saying which member is wrong if one is.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    match json::read::<Object<T>>(bytes) {
        Ok(Object(value)) => Ok(value),
        Err(error) if error.is_data() => Err(explain::<T>(bytes, &error)),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let why = format!("the body is not valid JSON (line {line}, column {column})");
            Err(Problem::new(Code::MalformedJson, why))
        }
    }
}

/// Parses once more to find the path of what is wrong; only rejected requests pay for it.
fn explain<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> Problem {
    // It was text, or something else would be wrong with it.
    let mut deserializer = serde_json::Deserializer::from_str(std::str::from_utf8(bytes).unwrap_or_default());
    let tracked = serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer);
    let path = tracked.err().map(|error| error.path().to_string()).filter(|path| path != ".");
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    let code = if text.starts_with("unknown field") {
        Code::UnknownField
    } else if text.starts_with("missing field") {
        Code::MissingField
    } else {
        Code::InvalidField
    };
    let detail = path.as_ref().map_or_else(|| text.to_owned(), |path| format!("{path}: {text}"));
    let problem = Problem::new(code, detail);
    match path {
        Some(path) => problem.with("field", path),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ordersys_contract::order::NewOrder;

    #[test]
    fn rejections_name_the_member() {
        let item = r#"{"productId":"p","quantity":0}"#;
        let cases = [
            (r#"{"userId":"u","items":["#.to_owned(), Code::MalformedJson, ""),
            ("[\"u\",[]]".to_owned(), Code::InvalidField, ""),
            (r#"{"items":[]}"#.to_owned(), Code::MissingField, ""),
            (r#"{"userId":"u","items":[],"total":1}"#.to_owned(), Code::UnknownField, "total"),
            (r#"{"userId":7,"items":[]}"#.to_owned(), Code::InvalidField, "userId"),
            (r#"{"userId":"u","userId":"u","items":[]}"#.to_owned(), Code::InvalidField, ""),
            (format!(r#"{{"userId":"u","items":[{item}]}}"#), Code::InvalidField, "items[0].quantity"),
            (r#"{"userId":"u","items":[["p",2]]}"#.to_owned(), Code::InvalidField, "items[0]"),
        ];
        for (body, code, field) in cases {
            let problem = parse::<NewOrder>(body.as_bytes()).expect_err(&body);
            assert_eq!(problem.code, code, "{body}: {}", problem.detail);
            let named = problem.members.get("field").and_then(|field| field.as_str()).unwrap_or("");
            if !field.is_empty() {
                assert_eq!(named, field, "{body}");
            }
        }
    }
}
