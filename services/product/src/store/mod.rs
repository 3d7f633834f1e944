//! The product service's store: catalog, stock and reservations, in SQLite or in PostgreSQL.
//!
//! Both do the same. What is asked of them and what comes of it is here; the domain decides in both.

use std::time::Instant;

use ordersys_chassis::Deadline;
use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::evidence::ProductRecord;
use ordersys_contract::product::{Product, StockAccount, StockEvidence};
use ordersys_contract::reservation::{Answer, Operation, ReservationRecord};
use ordersys_contract::test_data::{Cleaned, Cleanup};
use ordersys_contract::{OrderId, ProductId, Quantity, Timestamp};
use ordersys_store::answers::CommandId;
use ordersys_store::{Add, Location, OpenError, StoreError};

use crate::Config;

mod changes;
#[cfg(feature = "defects")]
mod defects;
mod forms;
mod holds;
mod lists;
pub(crate) mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;

pub(crate) use changes::{Addition, Edit, Edited, Restocked};
#[cfg(feature = "defects")]
pub(crate) use defects::DefectiveTables;
pub(crate) use holds::{HoldOutcome, Part};
pub(crate) use lists::{Filter, ReservationFilter, StockTotals};

/// The stored catalog, stock and reservations; clones share them.
#[derive(Clone)]
pub(crate) struct Tables(Backend);

#[derive(Clone)]
enum Backend {
    Sqlite(sqlite::Tables),
    Postgres(postgres::Tables),
}

/// The same for either store.
macro_rules! either {
    ($self:ident, $tables:ident => $call:expr) => {
        match &$self.0 {
            Backend::Sqlite($tables) => $call,
            Backend::Postgres($tables) => $call,
        }
    };
}

impl Tables {
    pub(crate) async fn open(config: &Config) -> Result<Self, OpenError> {
        let retention = config.retention;
        Ok(Self(match &config.store {
            Location::Directory { dir, durability } => {
                Backend::Sqlite(sqlite::Tables::open(dir, *durability, retention)?)
            }
            Location::Database { address, password } => {
                Backend::Postgres(postgres::Tables::open(address, password.as_ref(), retention).await?)
            }
        }))
    }

    /// Why the store cannot do its work, if it cannot.
    pub(crate) fn trouble(&self) -> Option<String> {
        either!(self, tables => tables.trouble())
    }

    /// Why the service does not start that cannot read or write what it needs.
    pub(crate) fn unusable(&self, source: StoreError) -> OpenError {
        either!(self, tables => tables.unusable(source))
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        either!(self, tables => tables.register(registry));
    }

    pub(crate) async fn close(&self) {
        either!(self, tables => tables.close().await);
    }

    pub(crate) async fn insert(&self, product: Product) -> Result<(), StoreError> {
        either!(self, tables => tables.insert(product).await)
    }

    /// Puts the first products into a new store; later calls change nothing, also if the note that it was
    /// done is lost: a store with products is not new.
    pub(crate) async fn seed_once(&self, products: Vec<Product>) -> Result<(), StoreError> {
        either!(self, tables => tables.seed_once(products).await)
    }

    /// When the product with the newest id was made.
    pub(crate) async fn newest_product(&self) -> Result<Option<Timestamp>, StoreError> {
        either!(self, tables => tables.newest_product().await)
    }

    pub(crate) async fn get(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        either!(self, tables => tables.get(id).await)
    }

    /// A page of products. A search goes through a bounded number of them, some at a time: its page may
    /// hold fewer than asked for, or none; the product to go on after is then returned beside it.
    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        page: P,
        add: Add<P, Product>,
    ) -> Result<(P, Option<ProductId>), StoreError> {
        either!(self, tables => tables.list(filter, page, add).await)
    }

    pub(crate) async fn edit(&self, id: ProductId, edit: Edit) -> Result<Edited, StoreError> {
        either!(self, tables => tables.edit(id, edit).await)
    }

    /// Adds units.
    pub(crate) async fn restock(&self, id: ProductId, addition: Addition) -> Result<Restocked, StoreError> {
        either!(self, tables => tables.restock(id, addition).await)
    }

    /// Where every unit of every product after `after` is, in one snapshot.
    pub(crate) async fn accounts<P: Send + 'static>(
        &self,
        after: Option<ProductId>,
        page: P,
        add: Add<P, StockAccount>,
    ) -> Result<P, StoreError> {
        either!(self, tables => tables.accounts(after, page, add).await)
    }

    /// Removes some of the products that are test data and of which no unit was ever reserved, with their versions.
    pub(crate) async fn clean_up(
        &self,
        command: CommandId,
        step: Cleanup<ProductId>,
    ) -> Result<Cleaned<ProductId>, StoreError> {
        either!(self, tables => tables.clean_up(command, step).await)
    }

    /// Products after this one, with their versions, in one snapshot; also those of which only versions
    /// or added units are left.
    pub(crate) async fn product_records(
        &self,
        after: Option<ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRecord>, StoreError> {
        either!(self, tables => tables.product_records(after, limit).await)
    }

    /// A product with its versions, in one snapshot; `None` if there is neither.
    pub(crate) async fn product_record(&self, id: ProductId) -> Result<Option<ProductRecord>, StoreError> {
        either!(self, tables => tables.product_record(id).await)
    }

    /// Decides a batch of operations that `arrived` then in one transaction; one answer each, in order. A batch
    /// whose deadline passes while it waits is not done.
    pub(crate) async fn apply(
        &self,
        operations: Vec<Operation>,
        arrived: Instant,
        deadline: Deadline,
    ) -> Result<Vec<Answer>, StoreError> {
        either!(self, tables => tables.apply(operations, arrived, deadline).await)
    }

    /// Lets the leases that an earlier process left open begin anew, where processes count them. To be called once,
    /// at the start.
    pub(crate) async fn recover_leases(&self) -> Result<(), StoreError> {
        either!(self, tables => tables.recover_leases().await)
    }

    /// Ends leases that are over; returns how many ended.
    pub(crate) async fn end_leases(&self, now: Instant) -> Result<usize, StoreError> {
        either!(self, tables => tables.end_leases(now).await)
    }

    /// The article's reserve: holds units of one product, without a lease.
    pub(crate) async fn hold(
        &self,
        id: OrderId,
        product: ProductId,
        quantity: Quantity,
    ) -> Result<HoldOutcome, StoreError> {
        either!(self, tables => tables.hold(id, product, quantity).await)
    }

    /// The article's release: gives back units held by [`Tables::hold`], of one hold if it is
    /// named, else of the oldest ones. All units or none.
    pub(crate) async fn give_back(&self, product: ProductId, part: Part) -> Result<HoldOutcome, StoreError> {
        either!(self, tables => tables.give_back(product, part).await)
    }

    pub(crate) async fn reservation(&self, id: OrderId) -> Result<Option<ReservationRecord>, StoreError> {
        either!(self, tables => tables.reservation(id).await)
    }

    /// Reservations, newest first.
    pub(crate) async fn reservations<P: Send + 'static>(
        &self,
        filter: ReservationFilter,
        page: P,
        add: Add<P, ReservationRecord>,
    ) -> Result<P, StoreError> {
        either!(self, tables => tables.reservations(filter, page, add).await)
    }

    /// The account of every product after `after` and the sums of its lines, in one snapshot.
    pub(crate) async fn evidence<P: Send + 'static>(
        &self,
        after: Option<ProductId>,
        page: P,
        add: Add<P, StockEvidence>,
    ) -> Result<P, StoreError> {
        either!(self, tables => tables.evidence(after, page, add).await)
    }

    /// The sums over all products, in one snapshot.
    pub(crate) async fn stock_totals(&self) -> Result<StockTotals, StoreError> {
        either!(self, tables => tables.stock_totals().await)
    }

    /// Lets the oldest of what was refused go, up to a number; returns how many.
    pub(crate) async fn forget_refused(&self) -> Result<usize, StoreError> {
        either!(self, tables => tables.forget_refused().await)
    }

    /// Lets some of the answers go that were kept for minutes; returns how many.
    pub(crate) async fn forget_answers(&self) -> Result<usize, StoreError> {
        either!(self, tables => tables.forget_answers().await)
    }
}
