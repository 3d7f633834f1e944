//! The address of a PostgreSQL database.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The port of a server unless the address names another.
const DEFAULT_PORT: u16 = 5432;
/// Most servers that one address names.
const MAX_HOSTS: usize = 16;

/// One server of a database cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseHost {
    /// Its name or address.
    pub name: String,
    /// Its port.
    pub port: u16,
}

/// A PostgreSQL database: `postgres://USER@HOST[:PORT][,HOST[:PORT]...]/DATABASE`. With several hosts the one that can be
/// written is used. It never holds a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatabaseAddress {
    /// The role that connects.
    pub user: String,
    /// The servers of the cluster, at least one.
    pub hosts: Vec<DatabaseHost>,
    /// The name of the database.
    pub database: String,
}

/// What data is kept in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// Directories, with SQLite.
    Sqlite,
    /// A PostgreSQL database.
    Postgres(DatabaseAddress),
}

impl FromStr for Store {
    type Err = NotADatabase;

    fn from_str(text: &str) -> Result<Self, NotADatabase> {
        if text == "sqlite" { Ok(Self::Sqlite) } else { text.parse().map(Self::Postgres) }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite => f.write_str("sqlite"),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

/// Why a text is not the address of a database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotADatabase {
    /// It has another form.
    #[error("expected sqlite, or postgres://USER@HOST[:PORT][,HOST...]/DATABASE")]
    Form,
    /// It has a password in it, which others could read.
    #[error("the address of a database must not hold a password: name a file with --store-password-file")]
    Password,
    /// The user or the database has characters that are not taken.
    #[error("the {what} of a database address has letters, digits and _ . - only, not `{found}`")]
    Name {
        /// Which part.
        what: &'static str,
        /// What it is.
        found: String,
    },
    /// A host has no name, or no usable port.
    #[error("`{0}` is no HOST or HOST:PORT")]
    Host(String),
    /// There are more hosts than are taken.
    #[error("an address names {MAX_HOSTS} hosts at most")]
    Hosts,
    /// A parameter other than `sslmode=disable`.
    #[error(
        "`{0}` is not understood: sslmode=disable is, since connections to a database are not encrypted so far"
    )]
    Parameter(String),
}

impl DatabaseAddress {
    /// The same database, its hosts on this machine under another name; `None` if there are none.
    #[must_use]
    pub fn seen_from(&self, host: &str) -> Option<Self> {
        let is_here = |name: &str| {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        };
        if !self.hosts.iter().any(|found| is_here(&found.name)) {
            return None;
        }
        let mut seen = self.clone();
        for found in seen.hosts.iter_mut().filter(|found| is_here(&found.name)) {
            host.clone_into(&mut found.name);
        }
        Some(seen)
    }
}

impl FromStr for DatabaseAddress {
    type Err = NotADatabase;

    fn from_str(text: &str) -> Result<Self, NotADatabase> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let (authority, path) = rest.and_then(|rest| rest.split_once('/')).ok_or(NotADatabase::Form)?;
        let (user, hosts) = authority.rsplit_once('@').ok_or(NotADatabase::Form)?;
        if user.contains(':') {
            return Err(NotADatabase::Password);
        }
        let (database, parameters) = path.split_once('?').unwrap_or((path, ""));
        let hosts = hosts.split(',').map(host).collect::<Result<Vec<_>, _>>()?;
        if hosts.len() > MAX_HOSTS {
            return Err(NotADatabase::Hosts);
        }
        unencrypted(parameters)?;
        Ok(Self { user: named("user", user)?, hosts, database: named("name", database)? })
    }
}

fn named(what: &'static str, text: &str) -> Result<String, NotADatabase> {
    let usable = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    if text.is_empty() || text.len() > 63 || !text.chars().all(usable) {
        return Err(NotADatabase::Name { what, found: text.to_owned() });
    }
    Ok(text.to_owned())
}

fn host(text: &str) -> Result<DatabaseHost, NotADatabase> {
    let wrong = || NotADatabase::Host(text.to_owned());
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or_else(wrong)?,
        None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
    };
    let port = match port {
        "" => DEFAULT_PORT,
        port => port.strip_prefix(':').and_then(|port| port.parse().ok()).ok_or_else(wrong)?,
    };
    let usable = |character: char| character.is_ascii_alphanumeric() || "_.-:".contains(character);
    if name.is_empty() || port == 0 || !name.chars().all(usable) {
        return Err(wrong());
    }
    Ok(DatabaseHost { name: name.to_owned(), port })
}

fn unencrypted(parameters: &str) -> Result<(), NotADatabase> {
    match parameters {
        "" | "sslmode=disable" => Ok(()),
        other => Err(NotADatabase::Parameter(other.to_owned())),
    }
}

impl fmt::Display for DatabaseHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') { write!(f, "[{name}]:{port}") } else { write!(f, "{name}:{port}") }
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://{}@", self.user)?;
        for (number, host) in self.hosts.iter().enumerate() {
            write!(f, "{}{host}", if number == 0 { "" } else { "," })?;
        }
        write!(f, "/{}", self.database)
    }
}

impl TryFrom<String> for DatabaseAddress {
    type Error = NotADatabase;

    fn try_from(text: String) -> Result<Self, NotADatabase> {
        text.parse()
    }
}

impl From<DatabaseAddress> for String {
    fn from(address: DatabaseAddress) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown_whole() {
        let shown = |text: &str| text.parse::<DatabaseAddress>().map(|address| address.to_string());
        for (text, whole) in [
            ("postgres://o@db/orders", "postgres://o@db:5432/orders"),
            ("postgresql://o@db:6432/orders?sslmode=disable", "postgres://o@db:6432/orders"),
            ("postgres://o@a,b:1,[::1]:2/x", "postgres://o@a:5432,b:1,[::1]:2/x"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(whole));
            assert_eq!(shown(whole).as_deref(), Ok(whole));
        }
    }

    #[test]
    fn hosts_of_this_machine_have_another_name_elsewhere() {
        let seen = |text: &str| {
            let address: DatabaseAddress = text.parse().expect("an address");
            address.seen_from("host").map(|seen| seen.to_string())
        };
        let here = seen("postgres://o@localhost:1,[::1]:2,db:3/x");
        assert_eq!(here.as_deref(), Some("postgres://o@host:1,host:2,db:3/x"));
        assert_eq!(seen("postgres://o@10.0.0.7/x"), None);
    }

    #[test]
    fn what_is_no_address_is_named() {
        let wrong = |text: &str| text.parse::<DatabaseAddress>().expect_err(text);
        for text in ["", "sqlite", "postgres://db/x", "postgres://o@db", "mysql://o@db/x"] {
            assert_eq!(wrong(text), NotADatabase::Form, "{text}");
        }
        assert_eq!(wrong("postgres://o:secret@db/x"), NotADatabase::Password);
        assert!(!wrong("postgres://o:secret@db/x").to_string().contains("secret"));
        for text in [
            "postgres://o@/x",
            "postgres://o@a,,b/x",
            "postgres://o@db:0/x",
            "postgres://o@db:x/x",
            "postgres://o@[::1/x",
        ] {
            assert!(matches!(wrong(text), NotADatabase::Host(_)), "{text}");
        }
        for text in ["postgres://@db/x", "postgres://o@db/", "postgres://o@db/a b", "postgres://o@db/a/b"] {
            assert!(matches!(wrong(text), NotADatabase::Name { .. }), "{text}");
        }
        for text in ["postgres://o@db/x?sslmode=verify-full", "postgres://o@db/x?password=s"] {
            assert!(matches!(wrong(text), NotADatabase::Parameter(_)), "{text}");
        }
        let many = ["h"; MAX_HOSTS + 1].join(",");
        assert_eq!(wrong(&format!("postgres://o@{many}/x")), NotADatabase::Hosts);
    }
}
