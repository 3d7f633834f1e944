//! The store on PostgreSQL: any number of replicas, whose rows decide. Time is the database's.

use std::sync::{Arc, Mutex, PoisonError};

use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::Secret;
use ordersys_contract::settings::DatabaseAddress;
use ordersys_store::postgres::{Answers, Lane, PgOptions, Postgres};
use ordersys_store::retention::Retention;
use ordersys_store::{OpenError, StoreError};

use crate::NAME;

mod apply;
mod audit;
mod catalog;
mod changes;
mod cleanup;
#[cfg(test)]
mod dump;
mod editions;
mod holds;
mod leases;
mod refused;
mod rows;
mod schema;
mod working_set;

use apply::Apply;
use schema::{MIGRATIONS, SCHEMA};

const ANSWERS: Answers = Answers { schema: SCHEMA };

/// The stored catalog, stock and reservations.
#[derive(Clone)]
pub(crate) struct Tables {
    store: Postgres,
    /// Gone once the store is closed.
    apply: Arc<Mutex<Option<Lane<Apply>>>>,
    retention: Retention,
}

/// The store of products in a database.
pub(crate) fn options(address: DatabaseAddress, password: Option<Secret>) -> PgOptions {
    PgOptions { address, password, name: NAME, schema: SCHEMA, migrations: MIGRATIONS, oldest: 0 }
}

impl Tables {
    pub(crate) async fn open(
        address: &DatabaseAddress,
        password: Option<&Secret>,
        retention: Retention,
    ) -> Result<Self, OpenError> {
        let store = Postgres::open(&options(address.clone(), password.cloned())).await?;
        let apply = Arc::new(Mutex::new(Some(store.lane(Apply))));
        Ok(Self { store, apply, retention })
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        self.store.trouble()
    }

    pub(crate) fn unusable(&self, source: StoreError) -> OpenError {
        self.store.unusable(source)
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        self.store.metrics().register(registry);
    }

    pub(crate) async fn close(&self) {
        self.apply.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.store.close().await;
    }

    fn lane(&self) -> Option<Lane<Apply>> {
        self.apply.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn forget_answers(&self) -> Result<usize, StoreError> {
        ANSWERS.forget(&self.store).await
    }
}
