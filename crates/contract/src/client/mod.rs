//! The typed client of the three services: one method per call.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::resolver::Resolver;
use crate::{RequestId, Secret, TraceParent};

mod address;
mod audit;
mod doubt;
mod endpoints;
mod error;
mod exchange;
mod order;
mod pages;
mod product;
mod replicas;
mod user;

use address::{at, given, shown, with_query};
pub use address::{next_link, percent};
pub use doubt::{Doubt, Knowing};
pub use endpoints::Endpoints;
pub use error::ClientError;
use exchange::{Again, Call, bare, get, posted};
pub use order::{OrderFilter, Placed};
pub use pages::Walk;
pub use product::ProductFilter;
use replicas::Replicas;
pub use user::UserFilter;

/// How long a call may take unless the caller says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one of several addresses may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Largest answer the client reads unless set otherwise, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page is, if there is one: path and query.
    pub next: Option<String>,
}

/// Calls the three services. Of a service with several addresses each call takes the next one. It goes on to another
/// only if nothing was sent, or if the call may be repeated, so that nothing is done twice.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoints: Endpoints,
    replicas: Arc<Replicas>,
    credential: Option<Secret>,
    timeout: Duration,
    deadline: Deadline,
    request_id: Option<RequestId>,
    trace_parent: Option<TraceParent>,
    answer_limit: usize,
    doubt: Option<Doubt>,
}

/// Whether calls carry the time that is left for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deadline {
    Untold,
    Told,
}

impl Client {
    /// A client for these services.
    #[must_use]
    pub fn new(endpoints: Endpoints) -> Self {
        let replicas = Replicas::of(&endpoints);
        let mut http = reqwest::Client::builder()
            .no_proxy()
            .dns_resolver(Arc::new(Resolver::default()))
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none());
        if !replicas.are_none() {
            http = http.connect_timeout(CONNECT_TIMEOUT);
        }
        Self {
            http: http.build().unwrap_or_default(),
            endpoints,
            replicas: Arc::new(replicas),
            credential: None,
            timeout: DEFAULT_TIMEOUT,
            deadline: Deadline::Untold,
            request_id: None,
            trace_parent: None,
            answer_limit: MAX_ANSWER_BYTES,
            doubt: None,
        }
    }

    /// The same, giving a call up as soon as its service is known not to answer.
    #[must_use]
    pub fn doubting(self, doubt: Doubt) -> Self {
        Self { doubt: Some(doubt), ..self }
    }

    /// The credential presented with every call, if any.
    #[must_use]
    pub fn credential(&self) -> Option<&Secret> {
        self.credential.as_ref()
    }

    /// The same, presenting a credential with every call.
    #[must_use]
    pub fn with_credential(mut self, credential: Option<Secret>) -> Self {
        self.credential = credential;
        self
    }

    /// The same, giving up each call after `timeout`.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same, giving up each call after `timeout` and telling the other side, which then drops
    /// what it has not begun by that time.
    #[must_use]
    pub fn with_deadline_in(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self.deadline = Deadline::Told;
        self
    }

    /// The same, reading at most so many bytes of an answer.
    #[must_use]
    pub fn with_answer_limit(mut self, bytes: usize) -> Self {
        self.answer_limit = bytes;
        self
    }

    /// The same, naming every call with this request id.
    #[must_use]
    pub fn with_request_id(mut self, id: RequestId) -> Self {
        self.request_id = Some(id);
        self
    }

    /// The same, telling with every call where in its trace it belongs, if it is traced.
    #[must_use]
    pub fn with_trace_parent(mut self, parent: Option<TraceParent>) -> Self {
        self.trace_parent = parent;
        self
    }

    /// Where the services are.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// A plain `GET` of any path of a service: the status and the body.
    pub async fn get_raw(&self, base: &str, path: &str) -> Result<(StatusCode, Bytes), ClientError> {
        let received = self.exchange(get(base, path.to_owned())).await?;
        Ok((received.status, received.body))
    }

    /// Any call of a service, ours or not; the request has an absolute URL, and
    /// every answer is a success.
    pub async fn call(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Bytes>, ClientError> {
        let (parts, body) = request.into_parts();
        let base = parts.uri.to_string();
        let body = (!body.is_empty()).then(|| body.into());
        let call = Call { headers: parts.headers, body, ..bare(parts.method, &base, String::new()) };
        let received = self.exchange(call).await?;
        let mut answer = http::Response::new(received.body);
        *answer.status_mut() = received.status;
        *answer.headers_mut() = received.headers;
        Ok(answer)
    }

    /// A plain `POST` of any JSON text, right or wrong: the status and the body.
    pub async fn post_raw(
        &self,
        base: &str,
        path: &str,
        json: String,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let received = self.exchange(posted(base, path.to_owned(), json.into_bytes())).await?;
        Ok((received.status, received.body))
    }

    #[expect(clippy::unused_self, reason = "reads as one family with the calls that need it")]
    fn post<'a>(&self, base: &'a str, path: String, body: &impl Serialize) -> Call<'a> {
        posted(base, path, serde_json::to_vec(body).unwrap_or_default())
    }

    /// Sends the call for what it does; a successful answer has no body.
    async fn done(&self, call: Call<'_>) -> Result<(), ClientError> {
        self.send(call).await.map(|_| ())
    }

    async fn json<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ClientError> {
        self.send(call).await?.json()
    }

    async fn page<T: DeserializeOwned>(&self, base: &str, path: String) -> Result<Page<T>, ClientError> {
        let received = self.send(get(base, path)).await?;
        let link = received.headers.get(header::LINK).and_then(|value| value.to_str().ok());
        let next = link.and_then(next_link).map(str::to_owned);
        Ok(Page { items: received.json()?, next })
    }

    /// All pages of a list from this one on. A list whose pages do not go on ends.
    async fn pages<T: DeserializeOwned>(&self, base: &str, first: String) -> Result<Vec<T>, ClientError> {
        let (mut all, mut path, mut walk) = (Vec::new(), first, Walk::default());
        loop {
            let page = self.page(base, path.clone()).await?;
            let is_empty = page.items.is_empty();
            let next = walk.after(page.items.len(), page.next)?;
            all.extend(page.items);
            match next {
                Some(next) if next != path && !is_empty => path = next,
                _ => return Ok(all),
            }
        }
    }
}
