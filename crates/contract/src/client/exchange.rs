//! One exchange: a call is sent, its answer is read.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::de::DeserializeOwned;

use super::{Client, ClientError, Deadline};
use crate::{Problem, TraceParent, header as names, json};

/// The content type of bodies unless the caller names another.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A call to make.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) base: &'a str,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

/// The answer to a call.
pub(super) struct Received {
    pub(super) url: String,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Client {
    /// Sends the call; an answer that is not a success becomes an error.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Received, ClientError> {
        let received = self.exchange(call).await?;
        if received.status.is_success() { Ok(received) } else { Err(received.into_error()) }
    }

    pub(super) async fn exchange(&self, call: Call<'_>) -> Result<Received, ClientError> {
        let (base, url) = (call.base, format!("{}{}", call.base, call.path));
        let Some(doubt) = &self.doubt else { return self.answer(call).await };
        doubt.unless_known(base, self.answer(call)).await.unwrap_or(Err(ClientError::TimedOut { url }))
    }

    async fn answer(&self, call: Call<'_>) -> Result<Received, ClientError> {
        let url = format!("{}{}", call.base, call.path);
        let mut headers = call.headers;
        if call.body.is_some() {
            headers.entry(header::CONTENT_TYPE).or_insert(JSON);
        }
        let mut request = self.http.request(call.method, &url).timeout(self.timeout).headers(headers);
        if let Some(body) = call.body {
            request = request.body(body);
        }
        if let Some(credential) = &self.credential {
            request = request.bearer_auth(credential.expose());
        }
        if let Some(id) = &self.request_id {
            request = request.header(names::REQUEST_ID, id.as_str());
        }
        if let Some(value) = self.trace_parent.and_then(TraceParent::header) {
            request = request.header(names::TRACEPARENT, value);
        }
        if self.deadline == Deadline::Told {
            request = request.header(names::TIMEOUT_MS, self.timeout.as_millis().to_string());
        }
        let failed = |source: reqwest::Error| {
            let source = source.without_url();
            if source.is_timeout() {
                ClientError::TimedOut { url: url.clone() }
            } else {
                ClientError::Unreachable { url: url.clone(), source }
            }
        };
        let mut answer = request.send().await.map_err(failed)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.answer_limit {
                let detail = format!("more than {} bytes", self.answer_limit);
                return Err(ClientError::BadAnswer { url, status, detail });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Received { url, status, headers, body: body.into() })
    }
}

impl Received {
    pub(super) fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        json::read(&self.body).map_err(|source| ClientError::BadAnswer {
            url: self.url,
            status: self.status,
            detail: source.to_string(),
        })
    }

    fn into_error(self) -> ClientError {
        let retry_after = self.headers.get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        match Problem::from_body(&self.body, retry_after) {
            Some(problem) => ClientError::Refused { problem: Box::new(problem) },
            None => ClientError::BadAnswer {
                url: self.url,
                status: self.status,
                detail: String::from_utf8_lossy(&self.body).chars().take(200).collect(),
            },
        }
    }
}

pub(super) fn get(base: &str, path: String) -> Call<'_> {
    bare(Method::GET, base, path)
}

pub(super) fn posted(base: &str, path: String, body: Vec<u8>) -> Call<'_> {
    Call { body: Some(body), ..bare(Method::POST, base, path) }
}

pub(super) fn bare(method: Method, base: &str, path: String) -> Call<'_> {
    Call { method, base, path, headers: HeaderMap::new(), body: None }
}
