//! What `ordersys serve` says when it cannot use the database that it is given: what is wrong, and what to do next.

use std::process::{Command, Output, Stdio};
use std::time::Instant;

use ordersys_contract::settings::{DatabaseAddress, DatabaseHost};
use ordersys_postgres::Temporary;
use ordersys_testkit::crash::processes::free_port;
use ordersys_testkit::{LIMIT, binary, in_words};

use super::role;

/// Starts a product service, which has to end by itself, and returns what it said.
pub(super) fn refused(store: &str, password: &str) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("password");
    std::fs::write(&file, password).expect("writes");
    refused_by(serve(store).arg("--store-password-file").arg(&file))
}

fn serve(store: &str) -> Command {
    let mut command = Command::new(binary());
    command.args(["serve", "product", "--port", "0", "--log", "error", "--store", store]);
    command
}

fn refused_by(command: &mut Command) -> String {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let (mut child, began) = (child.expect("starts"), Instant::now());
    while child.try_wait().expect("is a child").is_none() && began.elapsed() < LIMIT {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let _ = child.kill();
    let output: Output = child.wait_with_output().expect("ends");
    let said = in_words(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    said
}

/// Whether it said all of this.
pub(super) fn has(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "`{part}` is missing in: {said}");
    }
}

fn of(address: &DatabaseAddress, user: &str, database: &str) -> String {
    let (user, database) = (user.to_owned(), database.to_owned());
    DatabaseAddress { user, database, ..address.clone() }.to_string()
}

/// A start goes on for some seconds where what is in the way may pass: all of them at the same time.
#[test]
fn what_may_pass_is_waited_for_and_then_named() {
    if !ordersys_postgres::is_here() {
        return;
    }
    std::thread::scope(|scope| {
        for case in [absent, read_only, crowded] {
            scope.spawn(case);
        }
    });
}

fn absent() {
    let port = free_port().expect("a port");
    let said = refused(&format!("postgres://shop@127.0.0.1:{port}/shop"), "secret");
    has(&said, &[&format!("127.0.0.1:{port}"), "Connection refused", "hint: start the server"]);
}

/// Also where another server of the cluster is down.
fn read_only() {
    let server = Temporary::shared();
    let address = server.database().expect("a database");
    let (reader, password) = role(server, &address, "reader", "LOGIN");
    let set = format!("ALTER ROLE {reader} SET default_transaction_read_only = on");
    server.run("postgres", &set).expect("runs");
    let mut store = address.clone();
    store.hosts.push(DatabaseHost { name: "127.0.0.1".to_owned(), port: free_port().expect("a port") });
    let said = refused(&of(&store, &reader, &address.database), password.expose());
    has(&said, &[&address.database, "does not allow writes", "hint: ", "default_transaction_read_only"]);
}

fn crowded() {
    let server = Temporary::shared();
    let address = server.database().expect("a database");
    let (limited, password) = role(server, &address, "limited", "LOGIN CONNECTION LIMIT 0");
    let said = refused(&of(&address, &limited, &address.database), password.expose());
    has(&said, &[&address.database, "too many connections for role", "hint: ", "CONNECTION LIMIT"]);
}

#[test]
fn a_wrong_password_role_or_database_is_refused_at_once() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let server = Temporary::shared();
    let (address, password) = (server.database().expect("a database"), server.password().expose());
    let database = &*address.database;
    let began = Instant::now();
    let said = refused(&address.to_string(), "wrong");
    has(&said, &[&address.to_string(), "password authentication failed for user", "--store-password-file"]);
    let said = refused(&of(&address, "nobody", database), password);
    has(&said, &["password authentication failed for user \"nobody\"", "hint: name the right user"]);
    let said = refused(&of(&address, &address.user, "nothing"), password);
    has(&said, &["database \"nothing\" does not exist", "hint: name the right user and database"]);
    let said = refused_by(&mut serve(&address.to_string()));
    has(&said, &[&address.to_string(), "password", "--store-password-file"]);
    let said = refused_by(serve(&address.to_string()).arg("--store-password-file").arg("/no/such/file"));
    has(&said, &["/no/such/file", "hint: ", "must hold the password of the database's role"]);
    assert!(began.elapsed().as_secs() < 10, "nothing was waited for: {:?}", began.elapsed());
}

#[test]
fn a_role_that_may_not_make_the_schema_is_named() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let server = Temporary::shared();
    let address = server.database().expect("a database");
    let (powerless, password) = role(server, &address, "powerless", "LOGIN");
    let revoke = format!("REVOKE CREATE ON DATABASE {} FROM {powerless}", address.database);
    server.run("postgres", &revoke).expect("runs");
    let said = refused(&of(&address, &powerless, &address.database), password.expose());
    has(&said, &["the schema products", "permission denied", "hint: ", "CREATE"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_a_newer_program_is_refused_and_left_alone() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let server = Temporary::shared();
    let (address, processes) = super::services(server).await;
    drop(processes);
    let raise = "UPDATE products.meta SET version = 900, oldest_program = 899";
    server.run(&address.database, raise).expect("runs");
    let said = refused(&address.to_string(), server.password().expose());
    has(&said, &["the schema products", "version 900", "899 at least", "hint: start the newer program"]);
    let meta = server.run(&address.database, "SELECT version, oldest_program FROM products.meta");
    assert_eq!(meta.expect("runs"), "900|899");
}
