//! Stacks for tests: three real services on free ports, in this process or as processes.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use ordersys::serve;
use ordersys::serve::ServeConfig;
use ordersys_chassis::resilience::breaker::Settings;
use ordersys_contract::Role;
use ordersys_contract::client::{Client, Endpoints};
use ordersys_contract::product::{NewProduct, Product};
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Cents, Currency, Secret};
use ordersys_order::Allowance;
use ordersys_spans::Settings as Tracing;
use ordersys_stack::model::project::write_private;
use ordersys_store::Durability;
use ordersys_store::retention::Retention;
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::openapi;

pub(crate) use crate::harness::processes::{LIMIT, order_of};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An answer as a plain HTTP client sees it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }
}

/// One service of an in-process stack.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What callers may do, and what is kept.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) retention: Retention,
    pub(crate) allowance: Allowance,
    pub(crate) guests_per_address: Option<NonZeroU32>,
}

/// Three services in this process that talk to each other over HTTP.
pub(crate) struct Stack {
    dir: TempDir,
    pub(crate) endpoints: Endpoints,
    services: Vec<(Role, Option<Running>)>,
    admin: Secret,
    service: Secret,
    http: reqwest::Client,
    breaker: Settings,
    tracing: Option<Tracing>,
    limits: Limits,
    /// What the order service takes for its peers instead of the real ones.
    peers: Endpoints,
}

impl Stack {
    pub(crate) async fn start() -> Self {
        Self::start_between(Settings::default(), |endpoints| endpoints).await
    }

    /// Starts a stack whose services send their spans somewhere.
    pub(crate) async fn start_traced(tracing: Tracing) -> Self {
        Self::start_with(Settings::default(), Some(tracing), |endpoints| endpoints).await
    }

    /// Starts a stack that lets callers do less, or keeps less of what was refused.
    pub(crate) async fn start_limited(limits: Limits) -> Self {
        let mut stack = Self::start().await;
        stack.limits = limits;
        for role in Role::ALL {
            stack.end(role).await;
            stack.begin(role).await;
        }
        stack
    }

    /// Starts a stack whose order service reaches the others where `between` says.
    pub(crate) async fn start_between(
        breaker: Settings,
        between: impl FnOnce(Endpoints) -> Endpoints,
    ) -> Self {
        Self::start_with(breaker, None, between).await
    }

    async fn start_with(
        breaker: Settings,
        tracing: Option<Tracing>,
        between: impl FnOnce(Endpoints) -> Endpoints,
    ) -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory"), (breaker, tracing), between).await
    }

    /// Starts a stack on what is in the directory, see [`Stack::data_dir`].
    pub(crate) async fn start_on(dir: TempDir) -> Self {
        Self::start_in(dir, (Settings::default(), None), |endpoints| endpoints).await
    }

    async fn start_in(
        dir: TempDir,
        (breaker, tracing): (Settings, Option<Tracing>),
        between: impl FnOnce(Endpoints) -> Endpoints,
    ) -> Self {
        let (admin, service) = (Secret::random(), Secret::random());
        for (name, secret) in [("admin.token", &admin), ("service.token", &service)] {
            write_private(&dir.path().join(name), secret.expose().as_bytes()).expect("writes");
        }
        // Bound from the start: another process soon takes a port that is only known to be free.
        let (user, product, order) = (bound().await, bound().await, bound().await);
        let endpoints = Endpoints { user: url_of(&user), product: url_of(&product), order: url_of(&order) };
        let mut bound = vec![(Role::User, user), (Role::Product, product), (Role::Order, order)];
        let services = Role::ALL.into_iter().map(|role| (role, None)).collect();
        let http = reqwest::Client::new();
        let peers = between(endpoints.clone());
        let limits = Limits::default();
        let mut stack =
            Self { dir, endpoints, services, admin, service, http, breaker, tracing, limits, peers };
        for role in Role::ALL {
            let own = bound.iter().position(|(of, _)| *of == role).expect("a role");
            stack.begin_on(role, bound.swap_remove(own).1).await;
        }
        stack
    }

    pub(crate) fn url(&self, role: Role) -> &str {
        url(&self.endpoints, role)
    }

    /// Where the services keep their data, a directory each.
    pub(crate) fn data_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("data")
    }

    /// Starts a service that is not running, where it was before, and waits until it is ready.
    pub(crate) async fn begin(&mut self, role: Role) {
        let port = self.url(role).rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let listener = serve::listen(LOCALHOST, role, port).expect("listens");
        self.begin_on(role, listener).await;
    }

    async fn begin_on(&mut self, role: Role, listener: TcpListener) {
        let config = ServeConfig {
            bind: LOCALHOST,
            allowed_hosts: Vec::new(),
            data_dir: self.dir.path().join("data"),
            secrets_dir: Some(self.dir.path().to_owned()),
            durability: Durability::Full,
            key_age: ordersys_user::KEY_AGE,
            breaker: self.breaker,
            counting: ordersys_chassis::Counting::On,
            tracing: self.tracing.clone(),
            retention: self.limits.retention,
            allowance: self.limits.allowance,
            guests_per_address: self.limits.guests_per_address,
        };
        let stop = CancellationToken::new();
        let (peers, shutdown) = (self.peers.clone(), stop.clone());
        let task = tokio::spawn(async move {
            serve::one(role, &config, peers, listener, shutdown).await.expect("serves");
        });
        let slot = self.services.iter_mut().find(|(of, _)| *of == role).expect("a role");
        slot.1 = Some(Running { stop, task });
        wait_ready(self.url(role)).await;
    }

    /// Stops a service and waits until it is gone.
    pub(crate) async fn end(&mut self, role: Role) {
        let slot = self.services.iter_mut().find(|(of, _)| *of == role).expect("a role");
        if let Some(Running { stop, task }) = slot.1.take() {
            stop.cancel();
            task.await.expect("ends");
        }
    }

    pub(crate) fn anyone(&self) -> Client {
        Client::new(self.endpoints.clone())
    }

    pub(crate) fn admin(&self) -> Client {
        self.anyone().with_credential(Some(self.admin.clone()))
    }

    pub(crate) fn service(&self) -> Client {
        self.anyone().with_credential(Some(self.service.clone()))
    }

    /// A request without a credential, exactly as written.
    pub(crate) async fn send(&self, role: Role, method: &str, path: &str, body: Option<&str>) -> Answer {
        let json = [("content-type", "application/json")];
        self.send_with(role, (method, path), &json, body.map(str::to_owned)).await
    }

    pub(crate) async fn send_as_admin(
        &self,
        role: Role,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Answer {
        let bearer = self.admin_bearer();
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        self.send_with(role, (method, path), &headers, body.map(str::to_owned)).await
    }

    /// The header that shows the services' credential.
    pub(crate) fn service_bearer(&self) -> String {
        format!("Bearer {}", self.service.expose())
    }

    /// The header that shows the admin's credential.
    pub(crate) fn admin_bearer(&self) -> String {
        format!("Bearer {}", self.admin.expose())
    }

    /// A call between services; `timeout` is what the caller says it waits, in milliseconds.
    pub(crate) async fn send_as_service(
        &self,
        role: Role,
        path: &str,
        body: &str,
        timeout: Option<&str>,
    ) -> Answer {
        let bearer = self.service_bearer();
        let mut headers = vec![("content-type", "application/json"), ("authorization", bearer.as_str())];
        headers.extend(timeout.map(|timeout| ("x-timeout-ms", timeout)));
        self.send_with(role, ("POST", path), &headers, Some(body.to_owned())).await
    }

    /// A request exactly as written. The answer is held to the service's OpenAPI document.
    pub(crate) async fn send_with(
        &self,
        role: Role,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let verb = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(verb, format!("{}{path}", self.url(role))).timeout(LIMIT);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body");
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        let answer = Answer { status, headers, body };
        openapi::check(role, self.url(role), (method, path), &answer).await;
        answer
    }

    pub(crate) async fn a_user(&self) -> User {
        let new = NewUser::guest("Alice", "alice@example.com");
        self.anyone().create_user(&new).await.expect("creates a user")
    }

    pub(crate) async fn a_product(&self, stock: u64) -> Product {
        let price = Cents::from_minor(1999).expect("not negative");
        let name = "Thing".to_owned();
        let new = NewProduct { name, price, stock, currency: Currency::USD };
        self.admin().create_product(&new).await.expect("creates a product")
    }

    /// Units of a product that can be ordered.
    pub(crate) async fn stock(&self, product: &Product) -> u64 {
        self.anyone().product(product.id).await.expect("reads").stock
    }
}

fn url(endpoints: &Endpoints, role: Role) -> &str {
    match role {
        Role::User => &endpoints.user,
        Role::Product => &endpoints.product,
        Role::Order => &endpoints.order,
    }
}

async fn bound() -> TcpListener {
    TcpListener::bind((LOCALHOST, 0)).await.expect("a free port")
}

fn url_of(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().expect("an address"))
}

pub(crate) async fn wait_ready(url: &str) {
    let began = Instant::now();
    let http = reqwest::Client::new();
    loop {
        let answer = http.get(format!("{url}/readyz")).timeout(Duration::from_secs(1)).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        assert!(began.elapsed() < LIMIT, "{url} did not become ready");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
