//! A session with the server: statements that are sent one behind the other, and transactions.
//!
//! Statements are not prepared under a name, and nothing is set in a session: so one may be behind a pooler that gives
//! each transaction another connection.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::fault::PgResult;
use super::params::Params;

/// What is under way, and may be asked for from any task.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = PgResult<T>> + Send + 'a>>;

/// The text of a statement.
type Sql = Cow<'static, str>;

/// A connection to the server; clones share it.
#[derive(Clone)]
pub struct Session(Arc<Client>);

impl Session {
    pub(crate) fn new(client: Client) -> Self {
        Self(Arc::new(client))
    }

    /// Whether it is the same connection.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Runs one statement in a transaction of its own, and returns its rows.
    pub async fn query(&self, sql: impl Into<Sql> + Send, params: Params) -> PgResult<Vec<Row>> {
        let (sql, params) = (sql.into(), params.into_typed());
        Ok(self.0.query_typed(&sql, &borrowed(&params)).await?)
    }

    /// The same for a statement that returns one row at most.
    pub async fn query_opt(&self, sql: impl Into<Sql> + Send, params: Params) -> PgResult<Option<Row>> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Runs one statement in a transaction of its own, and returns how many rows it changed.
    pub async fn execute(&self, sql: impl Into<Sql> + Send, params: Params) -> PgResult<u64> {
        let (sql, params) = (sql.into(), params.into_typed());
        Ok(self.0.execute_typed(&sql, &borrowed(&params)).await?)
    }

    /// Runs statements without parameters, one after the other.
    pub(crate) async fn batch(&self, sql: &str) -> PgResult<()> {
        Ok(self.0.batch_execute(sql).await?)
    }

    /// Begins a transaction that writes. Nothing is waited for: the statement goes out with the next ones.
    #[must_use]
    pub fn begin(&self) -> Transaction<'_> {
        Transaction::begun(self, "BEGIN")
    }

    /// Begins a transaction that reads all it reads from one snapshot.
    #[must_use]
    pub fn begin_snapshot(&self) -> Transaction<'_> {
        Transaction::begun(self, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }
}

type Typed = (Box<dyn ToSql + Sync + Send>, Type);

fn borrowed(params: &[Typed]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    params.iter().map(|(value, of)| (&**value as &(dyn ToSql + Sync), of.clone())).collect()
}

/// A transaction. Dropped without a commit it is rolled back. No other statement may be sent in its session meanwhile.
pub struct Transaction<'s> {
    session: &'s Session,
    /// What was sent and not waited for yet, in this order.
    sent: Mutex<Vec<Asked<'s, ()>>>,
    is_open: bool,
}

impl<'s> Transaction<'s> {
    fn begun(session: &'s Session, how: &'static str) -> Self {
        let transaction = Self { session, sent: Mutex::default(), is_open: true };
        transaction.send(session.batch(how));
        transaction
    }

    /// Sends now what is waited for at the commit.
    fn send(&self, asked: impl Future<Output = PgResult<()>> + Send + 's) {
        let mut asked: Asked<'s, ()> = Box::pin(asked);
        // A request goes out when it is first polled.
        if let Some(done) = asked.as_mut().now_or_never() {
            asked = Box::pin(std::future::ready(done));
        }
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    }

    /// Runs a statement and returns its rows. Several that are joined go out together.
    pub async fn query(&self, sql: impl Into<Sql> + Send, params: Params) -> PgResult<Vec<Row>> {
        self.session.query(sql, params).await
    }

    /// The same for a statement that returns one row at most.
    pub async fn query_opt(&self, sql: impl Into<Sql> + Send, params: Params) -> PgResult<Option<Row>> {
        self.session.query_opt(sql, params).await
    }

    /// Sends a statement whose result is of interest to the commit alone.
    pub fn execute(&self, sql: impl Into<Sql> + Send + 's, params: Params) {
        let session = self.session;
        self.send(async move { session.execute(sql, params).await.map(|_| ()) });
    }

    /// Sends a statement that has to change so many rows, or the transaction fails and is run again. The commit is on
    /// its way before the count is known here, so the server itself fails the statement.
    pub fn execute_exactly(&self, rows: usize, sql: &str, params: Params) {
        let returning = if sql.contains("RETURNING") { "" } else { " RETURNING 1" };
        let counted =
            format!("WITH changed AS ({sql}{returning}) SELECT 1 / (count(*) = {rows})::int FROM changed");
        self.execute(counted, params);
    }

    /// Commits. The server tells no error for the commit of a transaction in which a statement failed, it rolls back:
    /// so it is committed only if everything that was sent before went well.
    ///
    /// # Errors
    /// The first failure of a statement, or that of the commit. Whether a session that was lost meanwhile had
    /// committed is not known.
    pub async fn commit(mut self) -> PgResult<()> {
        let commit = self.session.batch("COMMIT");
        self.is_open = false;
        self.send(commit);
        let sent = std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner));
        let mut outcome = Ok(());
        for asked in sent {
            let done = asked.await;
            outcome = outcome.and(done);
        }
        outcome
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // It goes out before whatever is sent next; nothing is waiting for its answer.
            let _ = Box::pin(self.session.batch("ROLLBACK")).as_mut().now_or_never();
        }
    }
}
