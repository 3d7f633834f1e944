//! A server for tests and measurements: it ends with the process that started it, however that ends, and leaves nothing.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use ordersys_contract::Secret;
use ordersys_contract::settings::{DatabaseAddress, DatabaseHost};

use crate::{Cluster, Installation, ROLE};

/// How long a server may take to start.
const START: Duration = Duration::from_mins(1);

/// Runs the server until its own input ends, and then removes the directory. Told to kill it, it leaves the directory.
const KEEPER: &str = r#"dir=$1; shift
"$@" </dev/null & server=$!
read -r line
if [ "$line" = kill ]; then
    kill -STOP $server
    kill -KILL $server $(cat /proc/$server/task/$server/children) 2>/dev/null
    wait $server 2>/dev/null
    exit
fi
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

/// The process that runs a server, and its input.
type Keeper = (Child, ChildStdin);

/// A running server.
#[derive(Debug)]
pub struct Temporary {
    dir: PathBuf,
    server: Vec<OsString>,
    /// Runs the server; there is none between a kill and the next start.
    keeper: Mutex<Option<Keeper>>,
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
        let mut server = cluster.server(port);
        if syncing == Syncing::Off {
            server.extend(["-c", "fsync=off"].map(OsString::from));
        }
        let (keeper, databases) = (Mutex::default(), AtomicU32::new(0));
        let server = Self { dir, server, keeper, port, password, databases };
        server.run_server()?;
        Ok(server)
    }

    /// Kills the server and all its processes, as a machine that loses its power would.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&self) -> std::io::Result<()> {
        let keeper = self.lock().take();
        let (mut keeper, mut stdin) = keeper.ok_or_else(|| std::io::Error::other("it does not run"))?;
        stdin.write_all(b"kill\n")?;
        keeper.wait().map(|_| ())
    }

    /// Starts a killed server again, on the same data and port.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_again(&self) -> std::io::Result<()> {
        let began = Instant::now();
        // It does not start before the last process of the killed one is gone.
        while let Err(error) = self.run_server() {
            if began.elapsed() > START {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn run_server(&self) -> std::io::Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "sh"]).arg(&self.dir).args(&self.server);
        let mut keeper =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let (stdin, log) = (keeper.stdin.take(), keeper.stderr.take());
        let (Some(mut stdin), Some(log)) = (stdin, log) else { return Err(std::io::Error::other("no pipe")) };
        let ready = await_ready(BufReader::new(log));
        if ready.is_err() {
            stdin.write_all(b"kill\n")?;
            keeper.wait()?;
            return ready;
        }
        *self.lock() = Some((keeper, stdin));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Keeper>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
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
        match self.lock().take() {
            Some((mut keeper, mut stdin)) => {
                let _ = stdin.write_all(b"\n");
                drop(stdin);
                let _ = keeper.wait();
            }
            None => drop(std::fs::remove_dir_all(&self.dir)),
        }
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
        server.kill().expect("is killed");
        server.run("postgres", "SELECT 1").expect_err("nobody answers");
        server.start_again().expect("starts again");
        let dir = server.run(&address.database, "SHOW data_directory").expect("runs");
        assert!(std::path::Path::new(&dir).is_dir());
        drop(server);
        assert!(!std::path::Path::new(&dir).exists(), "{dir} is left");
    }
}
