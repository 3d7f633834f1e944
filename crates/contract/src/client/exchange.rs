//! One exchange: a call is sent, its answer is read.

use std::time::{Duration, Instant};

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
    pub(super) body: Option<Bytes>,
    pub(super) again: Again,
}

/// Whether a call may be made a second time when it is not known what became of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// What it does is done once however often it is made.
    Harmless,
    Never,
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
        let until = Instant::now() + self.timeout;
        let Some(service) = self.replicas.called_by(call.base) else {
            return self.attempt(&call, call.base, self.timeout).await.map_err(|failed| failed.error);
        };
        let mut why: Option<Failed> = None;
        for address in service.next(Instant::now()) {
            let left = until.saturating_duration_since(Instant::now());
            if why.is_some() && left.is_zero() {
                break;
            }
            let failed = match self.attempt(&call, &address.url, left).await {
                Ok(received) => return Ok(received),
                Err(failed) => failed,
            };
            if failed.gave_no_answer() {
                address.fell_silent(Instant::now());
            }
            let ends = !failed.may_go_on(call.again);
            // That something may have been done must not be lost behind an address that refused.
            if why.as_ref().is_none_or(|why| why.sent == Sent::Nothing) {
                why = Some(failed);
            }
            if ends {
                break;
            }
        }
        let silent = || ClientError::TimedOut { url: format!("{}{}", call.base, call.path) };
        Err(why.map_or_else(silent, |why| why.error))
    }

    /// Makes the call at one address.
    async fn attempt(&self, call: &Call<'_>, base: &str, limit: Duration) -> Result<Received, Failed> {
        let Some(doubt) = &self.doubt else { return self.answer(call, base, limit).await };
        let known = || Failed {
            error: ClientError::TimedOut { url: format!("{base}{}", call.path) },
            sent: Sent::Perhaps,
        };
        doubt.unless_known(base, self.answer(call, base, limit)).await.unwrap_or_else(|| Err(known()))
    }

    async fn answer(&self, call: &Call<'_>, base: &str, limit: Duration) -> Result<Received, Failed> {
        let url = format!("{base}{}", call.path);
        let mut answer =
            self.request(call, &url, limit).send().await.map_err(|source| failed(&url, source))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|source| failed(&url, source))? {
            if body.len() + chunk.len() > self.answer_limit {
                let detail = format!("more than {} bytes", self.answer_limit);
                let error = ClientError::BadAnswer { url, status, detail };
                return Err(Failed { error, sent: Sent::Perhaps });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Received { url, status, headers, body: body.into() })
    }

    fn request(&self, call: &Call<'_>, url: &str, limit: Duration) -> reqwest::RequestBuilder {
        let mut headers = call.headers.clone();
        if call.body.is_some() {
            headers.entry(header::CONTENT_TYPE).or_insert(JSON);
        }
        let mut request = self.http.request(call.method.clone(), url).timeout(limit).headers(headers);
        if let Some(body) = &call.body {
            request = request.body(body.clone());
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
            request = request.header(names::TIMEOUT_MS, limit.as_millis().to_string());
        }
        request
    }
}

/// A call that gave no usable answer.
struct Failed {
    error: ClientError,
    sent: Sent,
}

/// Whether anything of a call may have reached its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Nothing,
    Perhaps,
}

impl Failed {
    /// Whether the call may be made at another address, so that nothing is done twice.
    fn may_go_on(&self, again: Again) -> bool {
        self.sent == Sent::Nothing || (self.gave_no_answer() && again == Again::Harmless)
    }

    fn gave_no_answer(&self) -> bool {
        matches!(self.error, ClientError::Unreachable { .. } | ClientError::TimedOut { .. })
    }
}

fn failed(url: &str, source: reqwest::Error) -> Failed {
    let (url, source) = (url.to_owned(), source.without_url());
    let sent = if source.is_connect() { Sent::Nothing } else { Sent::Perhaps };
    let error = if source.is_timeout() {
        ClientError::TimedOut { url }
    } else {
        ClientError::Unreachable { url, source }
    };
    Failed { error, sent }
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
    Call { body: Some(body.into()), ..bare(Method::POST, base, path) }
}

pub(super) fn bare(method: Method, base: &str, path: String) -> Call<'_> {
    let again = if method.is_safe() { Again::Harmless } else { Again::Never };
    Call { method, base, path, headers: HeaderMap::new(), body: None, again }
}
