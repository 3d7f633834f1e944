//! A server for tests and measurements: it ends with the process that started it, however that ends, and leaves nothing.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use ordersys_contract::Secret;
use ordersys_contract::settings::{DatabaseAddress, DatabaseHost};

use crate::{Cluster, Installation, ROLE};

/// How long a server may take to start.
const START: Duration = Duration::from_mins(1);

/// Runs the server until its own input ends, and then removes the directory.
const KEEPER: &str = r#"dir=$1; shift
"$@" </dev/null & server=$!
read -r line
kill -QUIT $server 2>/dev/null
wait $server 2>/dev/null
rm -rf "$dir""#;

/// Whether commits reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syncing {
    /// As in service.
    On,
    /// For tests in which no machine fails.
    Off,
}

/// Whether the tests on a database can run: PostgreSQL is installed. Where `ORDERSYS_TEST_POSTGRES=required` it must.
///
/// # Panics
/// If it is required and not installed.
#[must_use]
pub fn is_here() -> bool {
    let found = Installation::find();
    let required = std::env::var("ORDERSYS_TEST_POSTGRES").is_ok_and(|text| text == "required");
    assert!(found.is_ok() || !required, "PostgreSQL is required and not installed");
    found.is_ok()
}

/// A running server.
#[derive(Debug)]
pub struct Temporary {
    keeper: Mutex<(Child, Option<ChildStdin>)>,
    port: u16,
    password: Secret,
    databases: AtomicU32,
}

impl Temporary {
    /// Makes a cluster and starts a server on a free port of loopback.
    pub fn start(syncing: Syncing) -> std::io::Result<Self> {
        let installation = Installation::find().map_err(std::io::Error::other)?;
        let dir = tempfile::Builder::new().prefix("ordersys-postgres-").tempdir()?.keep();
        let (password, cluster) = (Secret::random(), Cluster::new(installation, &dir.join("data")));
        cluster.make(&password).map_err(std::io::Error::other)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "sh"]).arg(&dir).args(cluster.server(port));
        if syncing == Syncing::Off {
            command.args(["-c", "fsync=off"]);
        }
        let mut keeper =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let (stdin, log) = (keeper.stdin.take(), keeper.stderr.take());
        let server =
            Self { keeper: Mutex::new((keeper, stdin)), port, password, databases: AtomicU32::new(0) };
        if let Some(log) = log {
            await_ready(BufReader::new(log))?;
        }
        Ok(server)
    }

    /// The server that all tests of this process share.
    ///
    /// # Panics
    /// If it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Temporary> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::start(Syncing::Off).unwrap_or_else(|error| panic!("PostgreSQL starts: {error}"))
        })
    }

    /// The password of its role.
    #[must_use]
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// Its port on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database that is there, or of one that is not.
    #[must_use]
    pub fn address(&self, database: &str) -> DatabaseAddress {
        let host = DatabaseHost { name: Ipv4Addr::LOCALHOST.to_string(), port: self.port };
        DatabaseAddress { user: ROLE.to_owned(), hosts: vec![host], database: database.to_owned() }
    }

    /// Makes an empty database, and says where it is.
    pub fn database(&self) -> std::io::Result<DatabaseAddress> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.address(&name))
    }

    /// Runs statements in a database with `psql`, and returns what they print: values alone, a line for each row.
    pub fn run(&self, database: &str, sql: &str) -> std::io::Result<String> {
        let installation = Installation::find().map_err(std::io::Error::other)?;
        let mut psql = Command::new(installation.program("psql"));
        psql.args([
            "-h",
            "127.0.0.1",
            "-U",
            ROLE,
            "-d",
            database,
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
        ]);
        psql.args(["-p", &self.port.to_string()]).env("PGPASSWORD", self.password.expose());
        let ran = psql.output()?;
        if !ran.status.success() {
            return Err(std::io::Error::other(String::from_utf8_lossy(&ran.stderr).into_owned()));
        }
        Ok(String::from_utf8_lossy(&ran.stdout).trim_end().to_owned())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut stdin) = keeper.1.take() {
            let _ = stdin.write_all(b"\n");
        }
        let _ = keeper.0.wait();
    }
}

/// Reads the server's log until it says that it is ready, and goes on reading it, so that it never waits for a reader.
fn await_ready(mut log: BufReader<impl std::io::Read + Send + 'static>) -> std::io::Result<()> {
    let (began, mut said) = (Instant::now(), String::new());
    loop {
        let mut line = String::new();
        if log.read_line(&mut line)? == 0 || began.elapsed() > START {
            return Err(std::io::Error::other(said));
        }
        let is_ready = line.contains("ready to accept connections");
        said.push_str(&line);
        if is_ready {
            break;
        }
    }
    std::thread::spawn(move || std::io::copy(&mut log.by_ref(), &mut std::io::sink()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_starts_serves_databases_and_leaves_nothing() {
        if !is_here() {
            return;
        }
        let server = Temporary::start(Syncing::Off).expect("starts");
        let address = server.database().expect("a database");
        assert_eq!(server.run(&address.database, "SELECT 6 * 7").expect("runs"), "42");
        let dir = server.run("postgres", "SHOW data_directory").expect("runs");
        assert!(std::path::Path::new(&dir).is_dir());
        drop(server);
        assert!(!std::path::Path::new(&dir).exists(), "{dir} is left");
    }
}
