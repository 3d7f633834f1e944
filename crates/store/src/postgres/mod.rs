//! Durable group commit on PostgreSQL: lanes that commit what waits together, and reads beside them.
//!
//! A lane owns one session. What its callers ask for while a commit is under way is the next batch. A commit whose
//! outcome is not known, because the session was lost, is settled by running the same batch again: batches decide from
//! the tables alone. Nothing depends on the state of a session, on advisory locks or on notifications, so a pooler may
//! be in between.
//!
//! Nothing here knows what is stored: tables belong to the services' `store` modules.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use ordersys_contract::Secret;
use ordersys_contract::settings::DatabaseAddress;
use tokio::task::JoinHandle;

mod answers;
mod condition;
mod connect;
mod fault;
mod lane;
mod open;
mod params;
mod promise;
mod row;
mod schema;
mod session;
mod slot;
mod watch;

pub use answers::Answers;
pub(crate) use fault::Fault as PgFault;
pub use fault::{PgError, PgResult};
pub use lane::{Batch, Lane};
pub use open::PgOpenError;
pub use params::{Param, Params, signed};
pub use promise::{Promise, Reach, promise};
pub use row::{get, unsigned};
pub use schema::Migrated;
pub use session::{Asked, Session, Transaction};
pub use tokio_postgres::Row;
pub use tokio_postgres::types::FromSql;
pub use uuid::Uuid;

use crate::{OpenError, StoreError, StoreMetrics};
use condition::Reachability;
use connect::Target;
pub(crate) use slot::Failed;
use slot::{Attempt, Slot, Tries};

/// What a store on PostgreSQL needs to open.
#[derive(Debug, Clone)]
pub struct PgOptions {
    /// The database.
    pub address: DatabaseAddress,
    /// The password of its role, where one is asked for.
    pub password: Option<Secret>,
    /// Names the store in metrics and log lines.
    pub name: &'static str,
    /// The schema of this store alone.
    pub schema: &'static str,
    /// What makes the schema: statements run once each, in order. Only ever appended to.
    pub migrations: &'static [&'static str],
    /// The first of the migrations that programs before it cannot work with; 0 if there is none.
    pub oldest: usize,
}

/// A handle on an open store; clones share it.
#[derive(Clone)]
pub struct Postgres(Arc<Shared>);

struct Shared {
    target: Arc<Target>,
    reachability: Reachability,
    metrics: StoreMetrics,
    name: &'static str,
    reads: tokio::sync::Mutex<Slot>,
    scans: tokio::sync::Mutex<Slot>,
    writes: Mutex<Option<Lane<Singles>>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Postgres {
    /// Makes or migrates the schema of a store, as opening it would.
    pub async fn migrate(options: &PgOptions) -> Result<Migrated, OpenError> {
        Ok(open::prepare(&open::target(options), options).await?)
    }

    /// Opens the store, making or migrating its schema as needed.
    pub async fn open(options: &PgOptions) -> Result<Self, OpenError> {
        let target = Arc::new(open::target(options));
        open::prepare(&target, options).await?;
        let reachability = Reachability::new(options.name, &options.address.to_string());
        let slot = || Slot::new(Arc::clone(&target), reachability.clone());
        let (metrics, mut workers) = (StoreMetrics::default(), Vec::new());
        let (writes, worker) = Lane::start(options.name, slot(), metrics.clone(), Singles);
        workers.push(worker);
        let shared = Arc::new(Shared {
            reads: tokio::sync::Mutex::new(slot()),
            scans: tokio::sync::Mutex::new(slot()),
            writes: Mutex::new(Some(writes)),
            workers: Mutex::new(workers),
            name: options.name,
            target,
            reachability,
            metrics,
        });
        tokio::spawn(watch::run(Arc::downgrade(&shared), options.schema));
        Ok(Self(shared))
    }

    /// A further lane, with a session of its own.
    pub fn lane<B: Batch>(&self, batch: B) -> Lane<B> {
        let slot = Slot::new(Arc::clone(&self.0.target), self.0.reachability.clone());
        let (lane, worker) = Lane::start(self.0.name, slot, self.0.metrics.clone(), batch);
        self.0.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        lane
    }

    /// Does something that is rarely done, after all others of its kind, and returns once it is committed. It may be
    /// done again: it decides from the tables alone. A caller that goes away does not end it.
    ///
    /// # Errors
    /// Nothing was written, unless it is [`StoreError::Unknown`].
    pub async fn write<T, F>(&self, command: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a Session) -> Asked<'a, T> + Send + Sync + 'static,
    {
        let lane = self.0.writes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let lane = lane.ok_or(StoreError::Stopped)?;
        let command: Command = Box::new(move |session| {
            let asked = command(session);
            Box::pin(async move { asked.await.map(|answer| Box::new(answer) as Box<dyn Any + Send>) })
        });
        let answer = lane.run(command).await?.downcast::<T>();
        answer
            .map(|answer| *answer)
            .map_err(|_| StoreError::Statement("an answer of another type".to_owned()))
    }

    /// Runs a query of single statements. It sees every write that was answered before.
    pub async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a Session) -> Asked<'a, T> + Send + Sync,
    {
        slot::read(&self.0.reads, &Query(query)).await.map_err(|failed| StoreError::from_failed(&failed))
    }

    /// Runs a query of several statements, or one that goes through many rows: it waits for others of its kind. In a
    /// [`Session::begin_snapshot`] all statements see the same state.
    pub async fn scan<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a Session) -> Asked<'a, T> + Send + Sync,
    {
        // Its time begins before its turn: what waits while there is no server is refused together.
        let (query, tries) = (Query(query), Tries::of_a_read());
        let found = self.0.scans.lock().await.run(&query, tries, |_| ()).await;
        found.map_err(|failed| StoreError::from_failed(&failed))
    }

    /// Why the store cannot do its work, if it cannot. Fit for any reader.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.reachability.reason()
    }

    /// Counts and durations of commits.
    #[must_use]
    pub fn metrics(&self) -> &StoreMetrics {
        &self.0.metrics
    }

    /// Why a service does not start that cannot read or write what it needs.
    #[must_use]
    pub fn unusable(&self, source: StoreError) -> OpenError {
        let address = self.0.target.address.to_string();
        OpenError::Postgres(PgOpenError::Unusable { address, source })
    }

    /// Finishes what is queued. Lanes end with the last handle on them: their owner drops them before.
    pub async fn close(&self) {
        self.0.writes.lock().unwrap_or_else(PoisonError::into_inner).take();
        let workers = std::mem::take(&mut *self.0.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for mut worker in workers {
            if tokio::time::timeout(slot::PATIENCE, &mut worker).await.is_err() {
                worker.abort();
            }
        }
    }
}

struct Query<F>(F);

impl<T, F> Attempt for Query<F>
where
    T: Send + 'static,
    F: for<'a> Fn(&'a Session) -> Asked<'a, T> + Send + Sync,
{
    type Output = T;

    fn run<'a>(&'a self, session: &'a Session) -> impl Future<Output = PgResult<T>> + Send + 'a {
        (self.0)(session)
    }
}

/// Commands that have nothing in common: each is a transaction of its own.
struct Singles;

type Command = Box<dyn for<'a> Fn(&'a Session) -> Asked<'a, Box<dyn Any + Send>> + Send + Sync>;

impl Batch for Singles {
    type Command = Command;
    type Answer = Box<dyn Any + Send>;

    const MOST: usize = 1;

    async fn run<'a>(&'a self, session: &'a Session, commands: &'a [Command]) -> PgResult<Vec<Self::Answer>> {
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            answers.push(command(session).await?);
        }
        Ok(answers)
    }
}
