//! A pooler between the services and the server: one that keeps transactions together will do.
#![expect(clippy::print_stderr, reason = "says why a test did nothing")]

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ordersys_contract::Role;
use ordersys_contract::settings::{DatabaseAddress, DatabaseHost};
use ordersys_postgres::Temporary;
use ordersys_testkit::crash::processes::free_port;
use ordersys_testkit::{LIMIT, Processes};
use tempfile::TempDir;

use super::Crowd;
use super::starts::{has, refused};

/// A pgbouncer before a server.
struct Pooler {
    child: Child,
    port: u16,
    _dir: TempDir,
}

impl Pooler {
    /// `None` where it is not installed.
    fn start(server: &Temporary, mode: &str) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = std::env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned()]);
        let Some(program) = places.map(|dir| dir.join("pgbouncer")).find(|file| file.is_file()) else {
            eprintln!("skipped: pgbouncer is not installed");
            return None;
        };
        let dir = tempfile::tempdir().expect("a directory");
        let (users, config) = (dir.path().join("users.txt"), dir.path().join("pgbouncer.ini"));
        let password = server.password().expose();
        std::fs::write(&users, format!("\"{}\" \"{password}\"\n", ordersys_postgres::ROLE)).expect("writes");
        let port = free_port().expect("a port");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             auth_type = scram-sha-256\nauth_file = {}\npool_mode = {mode}\nunix_socket_dir =\n",
            server.port(),
            users.display()
        );
        std::fs::write(&config, text).expect("writes");
        // It refuses to run as root, as the server does.
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-user=1000", "--map-group=1000"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let child = command.arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let pooler = Self { child: child.spawn().expect("starts"), port, _dir: dir };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < LIMIT, "pgbouncer does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(pooler)
    }

    fn before(&self, address: &DatabaseAddress) -> DatabaseAddress {
        let host = DatabaseHost { name: "127.0.0.1".to_owned(), port: self.port };
        DatabaseAddress { hosts: vec![host], ..address.clone() }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_pooler_that_takes_transactions_apart_is_refused() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let server = Temporary::shared();
    let Some(pooler) = Pooler::start(server, "statement") else { return };
    let address = pooler.before(&server.database().expect("a database"));
    let said = refused(&address.to_string(), server.password().expose());
    has(&said, &[&address.to_string(), "takes no transactions", "hint: let the pooler work in transaction"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_keeps_transactions_together_will_do() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let server = Temporary::shared();
    let Some(pooler) = Pooler::start(server, "transaction") else { return };
    let address = pooler.before(&server.database().expect("a database"));
    let processes = Processes::start_on(&address, server.password()).await.expect("starts");
    let second = processes.second(&[Role::Order]).await.expect("starts");
    let clients = [&processes, &second].map(|of| of.client("admin.token").expect("a credential"));
    let mut crowd = Crowd::begin(&clients, 4).await;
    crowd.buys(150).await;
    crowd.close().await;
}
