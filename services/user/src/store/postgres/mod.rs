//! The user service's tables on PostgreSQL, which several instances of the service share.
//!
//! Every command locks the user's row before it looks at anything else of the user, decides, and writes. It may be
//! run again after it was committed: what it finds under the lock tells that it was done. Nothing is remembered
//! between two calls.

use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::Secret;
use ordersys_contract::settings::DatabaseAddress;
use ordersys_store::postgres::{PgOptions, Postgres};
use ordersys_store::{OpenError, StoreError};

use crate::NAME;

mod accounts;
mod addresses;
mod answers;
mod cleanup;
mod keys;
mod list;
mod lookup;
mod networks;
mod records;
mod rows;
mod schema;
mod sessions;

/// The stored users and their sessions; clones share them.
#[derive(Clone)]
pub(crate) struct Users(Postgres);

/// The store of users in a database.
pub(crate) fn options(address: DatabaseAddress, password: Option<Secret>) -> PgOptions {
    let (schema, migrations, oldest) = (schema::SCHEMA, schema::MIGRATIONS, schema::OLDEST);
    PgOptions { address, password, name: NAME, schema, migrations, oldest }
}

impl Users {
    pub(crate) async fn open(address: DatabaseAddress, password: Option<Secret>) -> Result<Self, OpenError> {
        Postgres::open(&options(address, password)).await.map(Self)
    }

    pub(crate) fn unusable(&self, source: StoreError) -> OpenError {
        self.0.unusable(source)
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        self.0.trouble()
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        self.0.metrics().register(registry);
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }
}
