//! The store on SQLite: one process, which counts leases itself.

use std::path::Path;
use std::time::Instant;

use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_store::answers::{self, Answers};
use ordersys_store::retention::{Recent, Retention};
use ordersys_store::{Durability, OpenError, Options, Store, StoreError};

use crate::NAME;

mod audit;
mod catalog;
mod changes;
mod cleanup;
#[cfg(test)]
mod dump;
mod editions;
mod leases;
mod refused;
mod reservations;
mod rows;
mod totals;

use leases::Leases;

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE product(
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        name TEXT NOT NULL,
        price INTEGER NOT NULL CHECK (price >= 0),
        currency TEXT NOT NULL CHECK (length(currency) = 3),
        version INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        initial INTEGER NOT NULL CHECK (initial >= 0),
        restocked INTEGER NOT NULL DEFAULT 0 CHECK (restocked >= 0),
        available INTEGER NOT NULL CHECK (available >= 0),
        reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
        sold INTEGER NOT NULL DEFAULT 0 CHECK (sold >= 0),
        CHECK (initial + restocked = available + reserved + sold)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE reservation(
        order_id BLOB PRIMARY KEY CHECK (length(order_id) = 16),
        state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5),
        lines TEXT NOT NULL,
        shortages TEXT,
        lease_until INTEGER,
        direct_product BLOB
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX held_by_lease ON reservation(lease_until) WHERE state = 0 AND lease_until IS NOT NULL;
    CREATE INDEX held_directly ON reservation(direct_product, order_id)
        WHERE state = 0 AND direct_product IS NOT NULL;

    CREATE TABLE clock(one INTEGER PRIMARY KEY CHECK (one = 1), now INTEGER NOT NULL) STRICT;
    INSERT INTO clock VALUES (1, 0);
    CREATE TABLE seeded(one INTEGER PRIMARY KEY CHECK (one = 1)) STRICT;
",
    "
    -- No clock decides: a stored one that jumped ahead once stopped all sales. Of a lease its length is kept, not
    -- its end; those that are open begin anew.
    DROP TABLE clock;
    ALTER TABLE reservation RENAME COLUMN lease_until TO lease_ms;
    UPDATE reservation SET lease_ms = CASE state WHEN 0 THEN 30000 END WHERE lease_ms IS NOT NULL;
",
    "
    -- What a product was in each version: what reservations and the product itself are held to.
    CREATE TABLE edition(
        product_id BLOB NOT NULL,
        version INTEGER NOT NULL,
        name TEXT NOT NULL,
        price INTEGER NOT NULL,
        currency TEXT NOT NULL,
        initial INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (product_id, version)
    ) STRICT, WITHOUT ROWID;
    -- The sum of what was added to a product, a second time.
    CREATE TABLE added(product_id BLOB PRIMARY KEY, units INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO added SELECT id, restocked FROM product WHERE restocked > 0;
    INSERT INTO edition SELECT id, version, name, price, currency, initial, created_at FROM product;
",
    "
    -- What was short, in the form of refused.rs. Those that hold nothing and never will are found by their
    -- age; the terms are those of the queries, and no list, which SQLite would build for each row written.
    ALTER TABLE reservation ADD COLUMN short BLOB;
    CREATE INDEX refused ON reservation(order_id) WHERE state = 2 OR state = 3 OR state = 4;
",
    "
    -- Amounts were hundredths in every currency, and are minor units of their own now: what is finer is rounded.
    CREATE TEMP TABLE fine(currency TEXT PRIMARY KEY, times INTEGER, divided INTEGER);
    INSERT INTO fine SELECT value, 1, 100 FROM json_each('[
        \"BIF\", \"CLP\", \"DJF\", \"GNF\", \"ISK\", \"JPY\", \"KMF\", \"KRW\",
        \"PYG\", \"RWF\", \"UGX\", \"VND\", \"VUV\", \"XAF\", \"XOF\", \"XPF\"]');
    INSERT INTO fine SELECT value, 10, 1 FROM json_each('[
        \"BHD\", \"IQD\", \"JOD\", \"KWD\", \"LYD\", \"OMR\", \"TND\"]');
    UPDATE reservation SET lines = (
        SELECT json_group_array(json_set(value, '$.unitPrice',
            (ifnull(json_extract(value, '$.unitPrice') * times, json_extract(value, '$.unitPrice'))
                + ifnull(divided / 2, 0)) / ifnull(divided, 1)))
        FROM json_each(reservation.lines) LEFT JOIN fine ON fine.currency = json_extract(value, '$.currency')
    ) WHERE EXISTS (SELECT 1 FROM product JOIN fine USING (currency))
        AND EXISTS (SELECT 1 FROM json_each(reservation.lines)
                    JOIN fine ON fine.currency = json_extract(value, '$.currency'));
    UPDATE product SET price = (price * times + divided / 2) / divided FROM fine
        WHERE fine.currency = product.currency;
    UPDATE edition SET price = (price * times + divided / 2) / divided FROM fine
        WHERE fine.currency = edition.currency;
    DROP TABLE fine;
",
    "
    -- Test data, and whether units of it were ever reserved or sold: see cleanup.rs.
    ALTER TABLE product ADD COLUMN test INTEGER NOT NULL DEFAULT 0 CHECK (test IN (0, 1));
    ALTER TABLE product ADD COLUMN used INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1));
    CREATE INDEX test_product ON product(id) WHERE test = 1;
",
    answers::TABLE,
];

/// The stored catalog, stock and reservations.
#[derive(Clone)]
pub(crate) struct Tables(Store, Leases, Recent, Answers);

impl Tables {
    pub(crate) fn open(dir: &Path, durability: Durability, retention: Retention) -> Result<Self, OpenError> {
        let now = Instant::now();
        let (recent, answers) = (Recent::new(retention, now), Answers::new(now));
        Store::open(&Options { dir: dir.to_owned(), durability, name: NAME, migrations: MIGRATIONS })
            .map(|store| Self(store, Leases::default(), recent, answers))
    }

    /// Why the store cannot do its work, if it cannot.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.0.trouble()
    }

    /// Why the service does not start that cannot read or write what it needs.
    pub(crate) fn unusable(&self, source: StoreError) -> OpenError {
        self.0.unusable(source)
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        self.0.metrics().register(registry);
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }

    /// Lets some of the answers go that were kept for minutes; returns how many.
    pub(crate) async fn forget_answers(&self) -> Result<usize, StoreError> {
        self.3.forget(&self.0).await
    }

    /// Writes what no command of the service writes.
    #[cfg(feature = "defects")]
    pub(super) async fn write<F>(&self, command: F) -> Result<(), StoreError>
    where
        F: Fn(&rusqlite::Connection) -> rusqlite::Result<()> + Send + 'static,
    {
        self.0.write(command).await
    }
}
