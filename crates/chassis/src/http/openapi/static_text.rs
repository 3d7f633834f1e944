//! Texts that never change while a service runs: its OpenAPI document, and the page to read and try it.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use sha2::{Digest, Sha256};

use crate::Rejection;
use crate::http::conditional;

const PAGE: &str = include_str!("../../../assets/docs.html");
const STYLE: &str = include_str!("../../../assets/docs.css");
const SCRIPT: &str = include_str!("../../../assets/docs.js");

/// A text with its tag and the headers it is served with.
#[derive(Debug, Clone)]
pub(crate) struct StaticText {
    body: Bytes,
    tag: String,
    headers: HeaderMap,
}

impl StaticText {
    fn new(body: Bytes, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        let tag = format!("\"{}\"", &digest(&body)[..22]);
        Self { body, tag, headers: headers.into_iter().collect() }
    }

    /// A document as JSON.
    pub(crate) fn json(document: &serde_json::Value) -> Self {
        let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self::new(document.to_string().into(), [json])
    }

    /// The page that shows the document beside it. Its policy lets only its own style and script run, and
    /// lets them call only the service they came from.
    pub(crate) fn docs() -> Self {
        Self::page(PAGE, SCRIPT)
    }

    /// A page with the style of all of them and this script.
    pub(crate) fn page(body: &str, script: &str) -> Self {
        let body = body.replace("/*style*/", STYLE).replace("/*script*/", script);
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            digest(STYLE.as_bytes()),
            digest(script.as_bytes()),
        );
        let policy =
            HeaderValue::from_str(&policy).ok().map(|policy| (header::CONTENT_SECURITY_POLICY, policy));
        let fixed = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        Self::new(body.into(), fixed.into_iter().chain(policy))
    }

    /// The text, whatever the caller has.
    pub(crate) fn respond(&self) -> Response {
        (self.headers.clone(), Body::from(self.body.clone())).into_response()
    }

    /// The text, or that the caller has it already. Caches ask again each time.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Result<Response, Rejection> {
        let mut response = conditional::tagged(request, &self.tag, || self.respond())?;
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(response)
    }
}

fn digest(bytes: &[u8]) -> String {
    Base64::encode_string(&Sha256::digest(bytes))
}
