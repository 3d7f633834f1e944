//! A PostgreSQL database for a stack that is brought up through the command line.

use std::path::PathBuf;

use ordersys_postgres::Temporary;
use tempfile::TempDir;

/// An empty database on the server that all tests of this process share.
pub struct Database {
    address: String,
    password: PathBuf,
    /// Holds the file with the password.
    _dir: TempDir,
}

impl Database {
    /// Makes one; `None` where PostgreSQL is not installed and need not be.
    pub fn new() -> Option<Self> {
        if !ordersys_postgres::is_here() {
            return None;
        }
        let server = Temporary::shared();
        let address = server.database().expect("a database").to_string();
        let dir = tempfile::tempdir().expect("a directory");
        let password = dir.path().join("password");
        std::fs::write(&password, server.password().expose()).expect("writes");
        Some(Self { address, password, _dir: dir })
    }

    /// The flags with which `up` keeps a stack's data in it.
    pub fn flags(&self) -> [&str; 4] {
        let file = self.password.to_str().expect("UTF-8");
        ["--store", &self.address, "--store-password-file", file]
    }
}
