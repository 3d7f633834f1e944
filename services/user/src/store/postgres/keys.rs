//! The keys that sign access tokens, in a table that all instances share.
//!
//! The one row of `keyring` is the lock: of several instances that find no key, or an old one, one makes the next and
//! the others find it. How old keys are the database's clock says. A seed is in parameters and rows alone, which no
//! message shows.

use std::time::Duration;

use futures_util::future::join;
use ordersys_contract::{Secret, Timestamp};
use ordersys_store::postgres::{PgError, PgResult, Row, Session, Transaction};
use ordersys_store::{StoreError, pg_params};
use ordersys_token::{CLOCK_SKEW, PrivateKey};

use super::Users;
use super::rows::{read, time};
use crate::domain::ring::{Aged, Certainty, Ring};

const SELECT: &str = "SELECT made, seed FROM users.signing_key";

impl Users {
    /// The keys as they are stored.
    pub(crate) async fn stored_keys(&self) -> Result<Vec<Aged>, StoreError> {
        self.0
            .read(move |session| {
                Box::pin(async move {
                    let rows = session.query(SELECT, pg_params![]).await?;
                    rows.iter().map(aged).collect()
                })
            })
            .await
    }

    /// Makes and forgets keys as the time asks for; the keys as they are stored then. Keys end only at a time that
    /// the clocks of the database and of this instance agree on.
    pub(crate) async fn turn_keys(
        &self,
        age: Duration,
        now: Timestamp,
        certainty: Certainty,
    ) -> Result<Ring, StoreError> {
        self.0.write(move |session| Box::pin(turn(session, age, (now, certainty)))).await
    }
}

async fn turn(session: &Session, age: Duration, (own, certainty): (Timestamp, Certainty)) -> PgResult<Ring> {
    let transaction = session.begin();
    let lock = "SELECT version, (extract(epoch FROM now()) * 1000)::int8 FROM users.keyring WHERE one = 1 FOR UPDATE";
    let lock = transaction.query_opt(lock, pg_params![]);
    let (lock, rows) = join(lock, transaction.query(SELECT, pg_params![])).await;
    let (lock, rows) = (lock?, rows?);
    let lock = lock.ok_or_else(|| PgError::unreadable("users.keyring has no row"))?;
    let (version, now): (i64, Timestamp) = (read(&lock, 0)?, time(&lock, 1)?);
    let stored = Ring::new(rows.iter().map(aged).collect::<PgResult<_>>()?, age);
    let is_agreed = now.since(own).max(own.since(now)) <= CLOCK_SKEW;
    let certainty = if is_agreed { certainty } else { Certainty::Unsure };
    let next = stored.clone().turned(now, certainty);
    if let Some(next) = &next {
        save(&transaction, &stored, next)?;
        let count = "UPDATE users.keyring SET version = version + 1 WHERE one = 1 AND version = $1";
        transaction.execute_exactly(1, count, pg_params![version]);
    }
    transaction.commit().await?;
    Ok(next.unwrap_or(stored))
}

fn save(transaction: &Transaction<'_>, stored: &Ring, next: &Ring) -> PgResult<()> {
    let kids = |ring: &Ring| -> Vec<_> { ring.keys().iter().map(|aged| aged.key.kid().to_owned()).collect() };
    let kept = kids(next);
    let gone: Vec<_> = kids(stored).into_iter().filter(|kid| !kept.contains(kid)).collect();
    transaction.execute("DELETE FROM users.signing_key WHERE kid = ANY($1)", pg_params![gone]);
    let made: Vec<_> = next.keys().iter().map(|aged| aged.made.as_millis()).collect();
    let seed = |aged: &Aged| {
        let text = aged.key.to_text().ok_or_else(|| PgError::unreadable("a key has no text"))?;
        Ok(text.expose().to_owned())
    };
    let seeds = next.keys().iter().map(seed).collect::<PgResult<Vec<_>>>()?;
    let upsert = "INSERT INTO users.signing_key(kid, made, seed) SELECT * FROM unnest($1, $2, $3)
                  ON CONFLICT (kid) DO UPDATE SET made = excluded.made";
    transaction.execute_exactly(kept.len(), upsert, pg_params![kept, made, seeds]);
    Ok(())
}

/// What is wrong with a stored key is not shown.
fn aged(row: &Row) -> PgResult<Aged> {
    let seed: String = read(row, 1)?;
    let key = Secret::new(&seed).and_then(|seed| PrivateKey::from_text(&seed));
    let key = key.ok_or_else(|| PgError::unreadable("a signing key is unusable"))?;
    Ok(Aged { key, made: time(row, 0)? })
}
