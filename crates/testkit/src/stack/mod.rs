//! Three real services on free ports, in this process.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ordersys::serve;
use ordersys::serve::{ServeConfig, Stores};
use ordersys_chassis::resilience::breaker::Settings as Breaker;
use ordersys_contract::client::{Client, Endpoints};
use ordersys_contract::product::{NewProduct, Product};
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Currency, Money, Role, Secret};
use ordersys_order::Allowance;
use ordersys_postgres::Temporary;
use ordersys_spans::Settings as Tracing;
use ordersys_store::Durability;
use ordersys_store::retention::Retention;
use ordersys_supervisor::files::write_private;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::LIMIT;

pub(crate) mod answer;
pub mod member;
pub mod openapi;
mod send;

/// The environment variable that says what tests keep their data in.
const STORE: &str = "ORDERSYS_TEST_STORE";
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One service of a stack.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What callers may do, and what is kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// How long rejected orders are kept.
    pub retention: Retention,
    /// What callers without an account may order.
    pub allowance: Allowance,
    /// Guests that one address may make in a minute, if that is limited.
    pub guests_per_address: Option<NonZeroU32>,
}

/// How the services of a stack are set.
#[derive(Debug, Clone, Default)]
struct Settings {
    breaker: Breaker,
    tracing: Option<Tracing>,
    limits: Limits,
    /// Whether data is kept in files, whatever tests are to run on.
    files: bool,
}

/// Three services in this process that talk to each other over HTTP.
pub struct Stack {
    dir: TempDir,
    stores: Stores,
    /// Where the services are.
    pub endpoints: Endpoints,
    services: Vec<(Role, Option<Running>)>,
    admin: Secret,
    service: Secret,
    http: reqwest::Client,
    settings: Settings,
    /// What the order service takes for its peers instead of the real ones.
    peers: Endpoints,
}

/// In SQLite, unless the environment says that tests are to run on PostgreSQL.
fn stores_of(dir: &Path) -> Stores {
    match std::env::var(STORE) {
        Ok(store) if store == "postgres" => {
            let server = Temporary::shared();
            let address = server.database().expect("a database");
            Stores::Database { address, password: Some(server.password().clone()) }
        }
        Ok(store) => panic!("{STORE} is postgres or not set, and not {store}"),
        Err(_) => files_in(dir),
    }
}

fn files_in(dir: &Path) -> Stores {
    Stores::Directory { dir: dir.join("data"), durability: Durability::Full }
}

impl Stack {
    /// Starts a stack and waits until it is ready.
    pub async fn start() -> Self {
        Self::start_between(Breaker::default(), |endpoints| endpoints).await
    }

    /// Starts a stack whose services send their spans somewhere.
    pub async fn start_traced(tracing: Tracing) -> Self {
        Self::start_set(Settings { tracing: Some(tracing), ..Settings::default() }).await
    }

    /// Starts a stack that lets callers do less, or keeps less of what was rejected.
    pub async fn start_limited(limits: Limits) -> Self {
        Self::start_set(Settings { limits, ..Settings::default() }).await
    }

    /// Starts a stack whose services keep their data in files, whatever tests are to run on: for what looks into them.
    pub async fn start_on_files() -> Self {
        Self::start_on(directory()).await
    }

    /// The same with other limits.
    pub async fn start_limited_on_files(limits: Limits) -> Self {
        Self::start_set(Settings { limits, files: true, ..Settings::default() }).await
    }

    async fn start_set(settings: Settings) -> Self {
        Self::start_in(directory(), settings, |endpoints| endpoints).await
    }

    /// Starts a stack whose order service reaches the others where `between` says.
    pub async fn start_between(breaker: Breaker, between: impl FnOnce(Endpoints) -> Endpoints) -> Self {
        Self::start_in(directory(), Settings { breaker, ..Settings::default() }, between).await
    }

    /// Starts a stack on what is in the directory, see [`Stack::data_dir`].
    pub async fn start_on(dir: TempDir) -> Self {
        Self::start_in(dir, Settings { files: true, ..Settings::default() }, |endpoints| endpoints).await
    }

    async fn start_in(
        dir: TempDir,
        settings: Settings,
        between: impl FnOnce(Endpoints) -> Endpoints,
    ) -> Self {
        let (admin, service) = (Secret::random(), Secret::random());
        for (name, secret) in [("admin.token", &admin), ("service.token", &service)] {
            write_private(&dir.path().join(name), secret.expose().as_bytes()).expect("writes");
        }
        // Bound from the start: another process soon takes a port that is only known to be free.
        let (user, product, order) = (bound().await, bound().await, bound().await);
        let endpoints = Endpoints {
            user: url_of(&user),
            product: url_of(&product),
            order: url_of(&order),
            ..Endpoints::default()
        };
        let services = Role::ALL.into_iter().map(|role| (role, None)).collect();
        let (http, peers) = (reqwest::Client::new(), between(endpoints.clone()));
        let stores = if settings.files { files_in(dir.path()) } else { stores_of(dir.path()) };
        let mut stack = Self { dir, stores, endpoints, services, admin, service, http, settings, peers };
        for (role, own) in [(Role::User, user), (Role::Product, product), (Role::Order, order)] {
            stack.begin_on(role, own).await;
        }
        stack
    }

    /// Where a service is.
    pub fn url(&self, role: Role) -> &str {
        url(&self.endpoints, role)
    }

    /// Where the services keep their data with SQLite, a directory each.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Starts a service that is not running, where it was before, and waits until it is ready.
    pub async fn begin(&mut self, role: Role) {
        let port = self.url(role).rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let listener = serve::listen(LOCALHOST, role, port).expect("listens");
        self.begin_on(role, listener).await;
    }

    async fn begin_on(&mut self, role: Role, listener: TcpListener) {
        let config = self.config();
        let stop = CancellationToken::new();
        let (peers, shutdown) = (self.peers.clone(), stop.clone());
        let task = tokio::spawn(async move {
            serve::one(role, &config, peers, listener, shutdown).await.expect("serves");
        });
        *self.running(role) = Some(Running { stop, task });
        wait_ready(self.url(role)).await;
    }

    fn config(&self) -> ServeConfig {
        let Settings { breaker, tracing, limits, files: _ } = self.settings.clone();
        ServeConfig {
            bind: LOCALHOST,
            allowed_hosts: Vec::new(),
            store: self.stores.clone(),
            secrets_dir: Some(self.dir.path().to_owned()),
            key_age: ordersys_user::KEY_AGE,
            breaker,
            counting: ordersys_chassis::Counting::On,
            tracing,
            retention: limits.retention,
            allowance: limits.allowance,
            guests_per_address: limits.guests_per_address,
        }
    }

    fn running(&mut self, role: Role) -> &mut Option<Running> {
        let found = self.services.iter_mut().find(|(of, _)| *of == role);
        &mut found.expect("there is one of each role").1
    }

    /// Stops a service and waits until it is gone.
    pub async fn end(&mut self, role: Role) {
        if let Some(Running { stop, task }) = self.running(role).take() {
            stop.cancel();
            task.await.expect("ends");
        }
    }

    /// A client without a credential.
    pub fn anyone(&self) -> Client {
        Client::new(self.endpoints.clone())
    }

    /// A client with the admin's credential.
    pub fn admin(&self) -> Client {
        self.anyone().with_credential(Some(self.admin.clone()))
    }

    /// A client with the services' credential.
    pub fn service(&self) -> Client {
        self.anyone().with_credential(Some(self.service.clone()))
    }

    /// Makes a guest.
    pub async fn a_user(&self) -> User {
        let new = NewUser::guest("Alice", "alice@example.com");
        self.anyone().create_user(&new).await.expect("creates a user")
    }

    /// Makes a product of which there is so much.
    pub async fn a_product(&self, stock: u64) -> Product {
        let price = Money::from_minor(1999).expect("not negative");
        let name = "Thing".to_owned();
        let new = NewProduct { name, price, stock, currency: Currency::USD, test: false };
        self.admin().create_product(&new).await.expect("creates a product")
    }

    /// Units of a product that can be ordered.
    pub async fn stock(&self, product: &Product) -> u64 {
        self.anyone().product(product.id).await.expect("reads").stock
    }
}

/// Where a service is.
pub fn url(endpoints: &Endpoints, role: Role) -> &str {
    match role {
        Role::User => &endpoints.user,
        Role::Product => &endpoints.product,
        Role::Order => &endpoints.order,
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

async fn bound() -> TcpListener {
    TcpListener::bind((LOCALHOST, 0)).await.expect("a free port")
}

fn url_of(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// Waits until the service at this URL is ready.
pub async fn wait_ready(url: &str) {
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
