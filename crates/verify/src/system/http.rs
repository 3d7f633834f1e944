//! Reads and posts as any client of the article's contract could, patient with services that restart.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use ordersys_contract::client::{next_link, percent};
use ordersys_contract::header::IDEMPOTENCY_KEY;
use ordersys_contract::{Client, ClientError};
use serde::de::DeserializeOwned;

use ordersys_workload::plan::Key;

/// How often a read is tried when the service cannot be reached or is not ready.
const TRIES: u32 = 6;
/// The pause before the second try; doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Calls the services of one system.
#[derive(Debug, Clone, Copy)]
pub struct Http<'a> {
    client: &'a Client,
}

/// What a read found.
#[derive(Debug)]
pub enum Got<T> {
    /// It, and where the next page is.
    Found(T, Option<String>),
    /// A refusal.
    Refused(StatusCode),
}

impl<'a> Http<'a> {
    /// Calls through this client.
    #[must_use]
    pub fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Where the services are.
    #[must_use]
    pub fn client(&self) -> &'a Client {
        self.client
    }

    /// Reads JSON, trying again while the service cannot be reached.
    pub async fn get<T: DeserializeOwned>(&self, base: &str, path: &str) -> Result<Got<T>, ClientError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match self.get_once(base, path).await {
                Err(ClientError::Unreachable { .. } | ClientError::TimedOut { .. })
                | Ok(Got::Refused(StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)) => {}
                definite => return definite,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.get_once(base, path).await
    }

    async fn get_once<T: DeserializeOwned>(&self, base: &str, path: &str) -> Result<Got<T>, ClientError> {
        let url = format!("{base}{path}");
        let answer = self.call(Method::GET, &url, None, Vec::new()).await?;
        let status = answer.status();
        if !status.is_success() {
            return Ok(Got::Refused(status));
        }
        let next = answer.headers().get(header::LINK).and_then(|link| next_link(link.to_str().ok()?));
        let next = next.map(str::to_owned);
        let value = serde_json::from_slice(answer.body()).map_err(|error| ClientError::BadAnswer {
            url,
            status,
            detail: error.to_string(),
        })?;
        Ok(Got::Found(value, next))
    }

    /// Posts JSON once; with a key it may be repeated.
    pub async fn post(
        &self,
        url: &str,
        key: Option<Key>,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let answer = self.call(Method::POST, url, key, body).await?;
        Ok((answer.status(), answer.into_body()))
    }

    async fn call(
        &self,
        method: Method,
        url: &str,
        key: Option<Key>,
        body: Vec<u8>,
    ) -> Result<http::Response<Bytes>, ClientError> {
        let mut request = http::Request::builder().method(method).uri(url);
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key.as_bytes());
        }
        let request = request.body(body).map_err(|error| ClientError::BadAnswer {
            url: url.to_owned(),
            status: StatusCode::BAD_REQUEST,
            detail: format!("the address cannot be called: {error}"),
        })?;
        self.client.call(request).await
    }
}

/// A path constant with an id put in, whatever the id is made of.
#[must_use]
pub fn at(path: &str, id: &str) -> String {
    path.replace("{id}", &percent(id))
}
