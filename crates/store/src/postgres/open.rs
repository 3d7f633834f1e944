//! Opening a store on PostgreSQL, and why it does not open.

use std::time::{Duration, Instant};

use ordersys_contract::Names;

use super::PgOptions;
use super::connect::{Obstacle, Target};
use super::fault::PgError;
use super::schema;
use super::schema::Migrated;
use super::session::Session;
use crate::StoreError;

/// The oldest server that is used: 14.0.
const OLDEST_SERVER: i32 = 140_000;
/// How long a server is waited for that does not answer, or is not the one that can be written.
const OPENING: Duration = Duration::from_secs(10);
/// Pause between two searches.
const AGAIN: Duration = Duration::from_millis(200);

/// Why a store on PostgreSQL does not open.
#[derive(Debug, thiserror::Error)]
pub enum PgOpenError {
    /// No server can be reached, or none of them can be written.
    #[error("the database {address} cannot be used: {why}")]
    Unreachable {
        /// Which database.
        address: String,
        /// What the servers say.
        why: String,
    },
    /// The servers that answer cannot be written: standbys, or set to be read only.
    #[error("no server of the database {address} can be written: {why}")]
    ReadOnly {
        /// Which database.
        address: String,
        /// What the servers say.
        why: String,
    },
    /// The server, or the role, has no connection to spare.
    #[error("the database {address} takes no more connections: {why}")]
    Crowded {
        /// Which database.
        address: String,
        /// What the server says.
        why: String,
    },
    /// The server refuses the role, its password or the database.
    #[error("the database {address} refuses the connection: {why}")]
    Refused {
        /// Which database.
        address: String,
        /// What the server says.
        why: String,
    },
    /// The server is older than the oldest one that is used.
    #[error("the server of the database {address} has version {found}, and 14 is the oldest that is used")]
    OldServer {
        /// Which database.
        address: String,
        /// Its version.
        found: String,
    },
    /// What is in between gives statements of one transaction to different sessions.
    #[error("the database {address} takes no transactions: {why}")]
    Pooler {
        /// Which database.
        address: String,
        /// What it says.
        why: String,
    },
    /// The schema is of a newer program, that older ones cannot work with.
    #[error(
        "the schema {schema} of the database {address} has version {found}; this program knows {known} and the \
             schema asks for {oldest} at least"
    )]
    TooNew {
        /// Which database.
        address: String,
        /// Which schema.
        schema: &'static str,
        /// Its version.
        found: usize,
        /// The newest version this program knows.
        known: usize,
        /// The oldest version that a program has to know.
        oldest: usize,
    },
    /// The schema cannot be made or changed.
    #[error("the schema {schema} of the database {address} cannot be made or changed: {why}")]
    Migration {
        /// Which database.
        address: String,
        /// Which schema.
        schema: &'static str,
        /// What the server says.
        why: String,
    },
    /// The store opened, and what the service needs of it cannot be read or written.
    #[error("the database {address} cannot be used")]
    Unusable {
        /// Which database.
        address: String,
        /// Why not.
        source: StoreError,
    },
}

impl PgOpenError {
    /// What to do next, where the program can tell.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { .. } => Some("start the server, or name the right hosts with --store".into()),
            Self::ReadOnly { .. } => {
                Some("name the server that can be written with --store, or have default_transaction_read_only off for the role".into())
            }
            Self::Crowded { .. } => {
                Some("raise max_connections of the server or the CONNECTION LIMIT of the role, or run fewer instances".into())
            }
            Self::Refused { .. } => {
                Some("name the right user and database with --store and the password's file with --store-password-file".into())
            }
            Self::OldServer { .. } => Some("use a server of version 14 or newer".into()),
            Self::Pooler { .. } => Some("let the pooler work in transaction or session mode".into()),
            Self::TooNew { .. } => Some("start the newer program that made it".into()),
            Self::Migration { .. } => {
                Some("let a role that owns the database run `ordersys migrate`, or grant this one CREATE".into())
            }
            Self::Unusable { .. } => None,
        }
    }
}

pub(super) fn target(options: &PgOptions) -> Target {
    Target {
        address: options.address.clone(),
        password: options.password.clone(),
        application: format!("ordersys-{}", options.name),
        names: Names::default(),
    }
}

/// Finds the server, asks whether it will do, and makes the schema what it should be.
pub(super) async fn prepare(target: &Target, options: &PgOptions) -> Result<Migrated, PgOpenError> {
    let session = found(target).await?;
    let address = || options.address.to_string();
    check_version(&session, &address()).await?;
    check_transactions(&session)
        .await
        .map_err(|error| PgOpenError::Pooler { address: address(), why: error.to_string() })?;
    schema::prepare(&session, options).await
}

pub(super) async fn found(target: &Target) -> Result<Session, PgOpenError> {
    let until = Instant::now() + OPENING;
    loop {
        let error = match target.connect().await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        let obstacle = error.obstacle();
        if obstacle == Obstacle::Refusal || Instant::now() >= until {
            let (address, why) = (target.address.to_string(), error.to_string());
            return Err(match obstacle {
                Obstacle::Refusal => PgOpenError::Refused { address, why },
                Obstacle::Crowd => PgOpenError::Crowded { address, why },
                Obstacle::ReadOnly => PgOpenError::ReadOnly { address, why },
                Obstacle::Other | Obstacle::Silence => PgOpenError::Unreachable { address, why },
            });
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn check_version(session: &Session, address: &str) -> Result<(), PgOpenError> {
    let select = "SELECT current_setting('server_version_num')::int4, current_setting('server_version')";
    let asked = session.query_opt(select, crate::pg_params![]).await;
    let unusable = |why: String| PgOpenError::Unreachable { address: address.to_owned(), why };
    let row = asked
        .map_err(|error| unusable(error.to_string()))?
        .ok_or_else(|| unusable("no version".to_owned()))?;
    let number: i32 = row.try_get(0).map_err(|error| unusable(error.to_string()))?;
    let found: String = row.try_get(1).map_err(|error| unusable(error.to_string()))?;
    if number < OLDEST_SERVER {
        return Err(PgOpenError::OldServer { address: address.to_owned(), found });
    }
    Ok(())
}

async fn check_transactions(session: &Session) -> Result<(), PgError> {
    let transaction = session.begin();
    let first = transaction.query_opt("SELECT pg_backend_pid()", crate::pg_params![]).await?;
    let second = transaction.query_opt("SELECT pg_backend_pid()", crate::pg_params![]).await?;
    let pid = |row: Option<tokio_postgres::Row>| row.and_then(|row| row.try_get::<_, i32>(0).ok());
    if pid(first) != pid(second) {
        return Err(PgError::unreadable("two statements of one transaction reached different sessions"));
    }
    transaction.commit().await
}
