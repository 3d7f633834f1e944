//! Three processes of the real binary on ports of their own, to be killed and started again.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use ordersys_contract::client::{Client, Endpoints};
use ordersys_contract::settings::DatabaseAddress;
use ordersys_contract::{Role, Secret};
use ordersys_supervisor::files::write_private;
use tempfile::TempDir;

use crate::stack::url;
use crate::{LIMIT, binary};

/// Below the ports that the kernel gives to outgoing connections: one of those could otherwise
/// sit on the port of a service that is down for a moment.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// Three services as processes.
pub struct Processes {
    dir: TempDir,
    binary: PathBuf,
    endpoints: Endpoints,
    children: Vec<(Role, Child)>,
    /// Most open files of each process, if that is limited.
    open_files: Option<u32>,
    /// The database that keeps the data, if it is not kept in files. The password is in a file.
    database: Option<DatabaseAddress>,
}

/// The file with the password of the database's role.
const PASSWORD: &str = "database.password";

impl Processes {
    /// Starts all three and waits until they are ready.
    pub async fn start() -> Result<Self> {
        Self::start_by(binary(), None, None).await
    }

    /// The same, with their data in a database.
    pub async fn start_on(address: &DatabaseAddress, password: &Secret) -> Result<Self> {
        Self::start_by(binary(), None, Some((address, password))).await
    }

    /// A second service of each of these roles, on the same data: they take each other for their peers, and what is not
    /// among them is that of the first.
    pub async fn second(&self, roles: &[Role]) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        for name in ["admin.token", "service.token", PASSWORD] {
            std::fs::copy(self.dir.path().join(name), dir.path().join(name))?;
        }
        let mut endpoints = self.endpoints.clone();
        for role in roles {
            match role {
                Role::User => endpoints.user = free_url()?,
                Role::Product => endpoints.product = free_url()?,
                Role::Order => endpoints.order = free_url()?,
            }
        }
        let (binary, database) = (self.binary.clone(), self.database.clone());
        let mut second = Self { dir, binary, endpoints, children: Vec::new(), open_files: None, database };
        for role in roles {
            second.spawn(*role, "")?;
        }
        second.ready(roles).await?;
        Ok(second)
    }

    /// The same with another program.
    pub async fn start_of(binary: &Path) -> Result<Self> {
        Self::start_by(binary, None, None).await
    }

    /// The same, each with at most so many open files.
    pub async fn start_under(open_files: u32) -> Result<Self> {
        Self::start_by(binary(), Some(open_files), None).await
    }

    async fn start_by(
        binary: &Path,
        open_files: Option<u32>,
        database: Option<(&DatabaseAddress, &Secret)>,
    ) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        for name in ["admin.token", "service.token"] {
            write_private(&dir.path().join(name), Secret::random().expose().as_bytes())?;
        }
        if let Some((_, password)) = database {
            write_private(&dir.path().join(PASSWORD), password.expose().as_bytes())?;
        }
        let endpoints =
            Endpoints { user: free_url()?, product: free_url()?, order: free_url()?, ..Endpoints::default() };
        let (binary, children) = (binary.to_owned(), Vec::new());
        let database = database.map(|(address, _)| address.clone());
        let mut processes = Self { dir, binary, endpoints, children, open_files, database };
        for role in Role::ALL {
            processes.spawn(role, "")?;
        }
        processes.ready(&Role::ALL).await?;
        Ok(processes)
    }

    /// A client with the credential in this file: `admin.token` or `service.token`.
    pub fn client(&self, credential: &str) -> Result<Client> {
        let secret = Secret::read(&self.dir.path().join(credential)).context("a credential")?;
        Ok(Client::new(self.endpoints.clone()).with_credential(Some(secret)))
    }

    /// Starts the process of a service that is not running any more. `failpoints` is what happens in it, in
    /// a build with that feature.
    pub fn spawn(&mut self, role: Role, failpoints: &str) -> Result<()> {
        let port = self.url(role).rsplit(':').next().context("a port")?.to_owned();
        let log = std::fs::File::options().create(true).append(true).open(self.log_file(role))?;
        let child = self
            .program()
            .args(["serve", role.name(), "--port", &port, "--log", "warn"])
            .args(["--user-url", &self.endpoints.user, "--product-url", &self.endpoints.product])
            .args(self.store())
            .args([Path::new("--secrets-dir"), self.dir.path()])
            .args(["--breaker-cool-down", "250ms"])
            .env("FAILPOINTS", failpoints)
            .env("FAILPOINT_CLOCK", self.clock_file(role))
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log)
            .spawn()
            .with_context(|| format!("{} does not start", self.binary.display()))?;
        self.children.retain(|(of, _)| *of != role);
        self.children.push((role, child));
        Ok(())
    }

    /// Where data is kept, as arguments.
    fn store(&self) -> [OsString; 4] {
        match &self.database {
            Some(address) => [
                "--store".into(),
                address.to_string().into(),
                "--store-password-file".into(),
                self.dir.path().join(PASSWORD).into(),
            ],
            None => {
                ["--store".into(), "sqlite".into(), "--data-dir".into(), self.dir.path().join("data").into()]
            }
        }
    }

    /// The binary, to be given arguments.
    fn program(&self) -> Command {
        let Some(open_files) = self.open_files else { return Command::new(&self.binary) };
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {open_files} && exec \"$0\" \"$@\"")]).arg(&self.binary);
        shell
    }

    /// Waits until these services are ready.
    pub async fn ready(&mut self, roles: &[Role]) -> Result<()> {
        let began = Instant::now();
        let http = reqwest::Client::new();
        for role in roles {
            let url = format!("{}/readyz", self.url(*role));
            loop {
                let answer = http.get(&url).timeout(Duration::from_secs(1)).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                if let Some(status) = self.ended(*role)? {
                    bail!("the {role} service ended with {status}:\n{}", self.log(*role));
                }
                ensure!(
                    began.elapsed() < LIMIT,
                    "the {role} service did not get ready:\n{}",
                    self.log(*role)
                );
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        }
        Ok(())
    }

    /// `kill -9`. A service that had ended by itself is an error.
    pub fn kill(&mut self, role: Role) -> Result<()> {
        if let Some(status) = self.ended(role)? {
            bail!("the {role} service had ended by itself with {status}:\n{}", self.log(role));
        }
        let mut child = self.take(role)?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// How a service has ended by itself, if it has.
    pub fn ended(&mut self, role: Role) -> Result<Option<ExitStatus>> {
        Ok(self.child(role)?.try_wait()?)
    }

    /// What a service has written to its log.
    pub fn log(&self, role: Role) -> String {
        std::fs::read_to_string(self.log_file(role)).unwrap_or_default()
    }

    fn log_file(&self, role: Role) -> PathBuf {
        self.dir.path().join(format!("{role}.log"))
    }

    /// By how many milliseconds a service's clock is wrong, in a build with failpoints; it is right without the file.
    pub fn clock_file(&self, role: Role) -> PathBuf {
        self.dir.path().join(format!("{role}.clock"))
    }

    /// Where a service is.
    pub fn url(&self, role: Role) -> &str {
        url(&self.endpoints, role)
    }

    /// The process of a service.
    pub fn child(&mut self, role: Role) -> Result<&mut Child> {
        let found = self.children.iter_mut().find(|(of, _)| *of == role);
        found.map(|(_, child)| child).with_context(|| format!("the {role} service is not running"))
    }

    /// The process of a service, which is then no longer ended with the others.
    pub fn take(&mut self, role: Role) -> Result<Child> {
        let at = self.children.iter().position(|(of, _)| *of == role);
        let at = at.with_context(|| format!("the {role} service is not running"))?;
        Ok(self.children.remove(at).1)
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for (_, child) in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_url() -> Result<String> {
    free_port().map(|port| format!("http://127.0.0.1:{port}"))
}

/// A port that no process listens on and that this process has not handed out before.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let size = PORTS.end - PORTS.start;
    let first = u16::try_from(std::process::id() % u32::from(size) * 97 % u32::from(size))?;
    for _ in 0..size {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % size;
        let port = PORTS.start + (first + step) % size;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {} to {} is free", PORTS.start, PORTS.end)
}
