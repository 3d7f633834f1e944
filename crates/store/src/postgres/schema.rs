//! The schema of a store: which version it has, who may still work with it, and bringing it up to date.

use super::fault::{Fault, PgError, PgResult};
use super::session::Session;
use super::{PgOpenError, PgOptions};
use crate::pg_params;

/// How often a migration is tried that another instance is in the way of.
const TRIES: u32 = 10;

/// What a schema says of itself.
#[derive(Debug, Clone, Copy)]
struct Meta {
    version: usize,
    oldest: usize,
}

/// What became of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// Which one.
    pub schema: &'static str,
    /// The version it had; 0 if it was not there.
    pub from: usize,
    /// The version it has.
    pub to: usize,
}

/// Makes the schema what this program needs, unless it is already. Several instances may do so at once.
pub(super) async fn prepare(session: &Session, options: &PgOptions) -> Result<Migrated, PgOpenError> {
    let failed = |error: PgError| PgOpenError::Migration {
        address: options.address.to_string(),
        schema: options.schema,
        why: error.to_string(),
    };
    let stays = |meta: Meta| Migrated { schema: options.schema, from: meta.version, to: meta.version };
    if let Some(meta) = known(session, options.schema).await.map_err(failed)?
        && suits(meta, options)?
    {
        return Ok(stays(meta));
    }
    let mut tries = 0;
    loop {
        match migrate(session, options).await {
            Ok(meta) if meta.version > options.migrations.len() => {
                return suits(meta, options).map(|_| stays(meta));
            }
            Ok(Meta { version: from, .. }) => {
                return Ok(Migrated { schema: options.schema, from, to: options.migrations.len() });
            }
            // Another instance makes it at the same moment.
            Err(error) if error.fault() == Fault::Contended && tries < TRIES => tries += 1,
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Whether nothing is to be done; an error if this program is too old.
fn suits(meta: Meta, options: &PgOptions) -> Result<bool, PgOpenError> {
    let known = options.migrations.len();
    if meta.oldest > known {
        return Err(PgOpenError::TooNew {
            address: options.address.to_string(),
            schema: options.schema,
            found: meta.version,
            known,
            oldest: meta.oldest,
        });
    }
    Ok(meta.version >= known)
}

async fn known(session: &Session, schema: &str) -> PgResult<Option<Meta>> {
    let exists = "SELECT to_regclass($1) IS NOT NULL";
    let row = session.query_opt(exists, pg_params![format!("{schema}.meta")]).await?;
    let exists: bool = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(false);
    if !exists {
        return Ok(None);
    }
    read(session.query_opt(format!("SELECT version, oldest_program FROM {schema}.meta"), pg_params![]).await?)
}

fn read(row: Option<tokio_postgres::Row>) -> PgResult<Option<Meta>> {
    let Some(row) = row else { return Ok(None) };
    let number = |column| {
        let number: i32 = row.try_get(column)?;
        usize::try_from(number).map_err(PgError::unreadable)
    };
    Ok(Some(Meta { version: number(0)?, oldest: number(1)? }))
}

/// Runs the migrations that the schema has not seen, all in one transaction, and returns what the schema said before.
/// One that has seen more than this program knows stays as it is.
async fn migrate(session: &Session, options: &PgOptions) -> PgResult<Meta> {
    let PgOptions { schema, migrations, oldest, .. } = options;
    session
        .batch(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE TABLE IF NOT EXISTS {schema}.meta(
                 one int PRIMARY KEY CHECK (one = 1), version int NOT NULL, oldest_program int NOT NULL);
             INSERT INTO {schema}.meta VALUES (1, 0, 0) ON CONFLICT DO NOTHING;"
        ))
        .await?;
    let transaction = session.begin();
    let select = format!("SELECT version, oldest_program FROM {schema}.meta FOR UPDATE");
    let meta =
        read(transaction.query_opt(select, pg_params![]).await?)?.unwrap_or(Meta { version: 0, oldest: 0 });
    if meta.version > migrations.len() {
        return Ok(meta);
    }
    for migration in &migrations[meta.version..] {
        session.batch(migration).await?;
    }
    let (version, oldest) = (number(migrations.len())?, number(*oldest)?);
    transaction.execute(
        format!("UPDATE {schema}.meta SET version = $1, oldest_program = greatest(oldest_program, $2)"),
        pg_params![version, oldest],
    );
    transaction.commit().await?;
    Ok(meta)
}

fn number(count: usize) -> PgResult<i32> {
    i32::try_from(count).map_err(PgError::unreadable)
}
