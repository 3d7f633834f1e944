//! The rows that commands may change: locked, decided on, and written back, all in one transaction.
//!
//! Products are locked before reservations, and both in the order of their ids, so that no two replicas wait for each
//! other. The reservations are read after the products are locked: whoever changed them, and them, is done.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::join;
use ordersys_contract::reservation::{PricedLine, ReservationState};
use ordersys_contract::{OrderId, ProductId};
use ordersys_store::pg_params;
use ordersys_store::postgres::{PgError, PgResult, Row, Session, Transaction, get, signed};

use super::rows::{self, id, item, json, overdue_ms, stored, uuid, uuids};
use crate::domain::inventory::{Change, Inventory};
use crate::domain::stock::Stock;
use crate::store::forms;

/// The longest lease whose end is counted, in milliseconds: a hundred years. A longer one does not end.
const COUNTED_LEASE_MS: i64 = 36_525 * 24 * 60 * 60 * 1000;

/// Which rows commands ask for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Products of which units may move.
    pub(super) products: BTreeSet<ProductId>,
    /// Reservations that may be there.
    pub(super) reservations: BTreeSet<OrderId>,
    /// Those of them that may move units of products which only their rows name.
    pub(super) moving: BTreeSet<OrderId>,
}

/// Rows that are locked.
#[derive(Debug, Default)]
pub(super) struct WorkingSet {
    pub(super) inventory: Inventory,
    /// Reservations whose leases are over.
    pub(super) over: BTreeSet<OrderId>,
    stocks: HashMap<ProductId, Stock>,
    states: HashMap<OrderId, ReservationState>,
}

impl Wanted {
    /// Adds the products that reservations name. Those of a reservation never change; of one that is not stored yet
    /// they are not known, which is noticed once the rows are locked.
    pub(super) async fn name_products(&mut self, session: &Session) -> PgResult<()> {
        if self.moving.is_empty() {
            return Ok(());
        }
        let select = "SELECT lines FROM products.reservation WHERE order_id = ANY($1)";
        for row in session.query(select, pg_params![uuids(&self.moving)]).await? {
            let lines: Vec<PricedLine> = json(get(&row, 0)?)?;
            self.products.extend(lines.iter().map(|line| line.product_id));
        }
        Ok(())
    }

    /// Locks all of them, in one flight.
    pub(super) async fn lock(&self, transaction: &Transaction<'_>) -> PgResult<WorkingSet> {
        let reservations = format!(
            "SELECT {} FROM products.reservation WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE",
            rows::RESERVATION
        );
        // In this order.
        let (products, reservations) = join(
            lock_products(transaction, &self.products),
            transaction.query(reservations, pg_params![uuids(&self.reservations)]),
        )
        .await;
        let set = WorkingSet::of(&products?, &reservations?)?;
        self.moving.iter().try_for_each(|id| self.check(&set, *id))?;
        Ok(set)
    }

    /// Whether the products of a reservation are locked with it.
    fn check(&self, set: &WorkingSet, id: OrderId) -> PgResult<()> {
        let Some(stored) = set.inventory.reservation(id) else { return Ok(()) };
        for PricedLine { product_id, .. } in stored.lines.iter().filter(|_| stored.state.holds_stock()) {
            if !self.products.contains(product_id) {
                // It was stored since its products were asked for.
                return Err(PgError::Unguarded);
            }
            if set.inventory.item(*product_id).is_none() {
                let why = format!("reservation {id} has units of product {product_id}, which is not stored");
                return Err(PgError::unreadable(why));
            }
        }
        Ok(())
    }
}

/// Locks products in the order of their ids.
pub(super) async fn lock_products(
    transaction: &Transaction<'_>,
    ids: &BTreeSet<ProductId>,
) -> PgResult<Vec<Row>> {
    let select =
        format!("SELECT {} FROM products.product WHERE id = ANY($1) ORDER BY id FOR UPDATE", rows::PRODUCT);
    transaction.query(select, pg_params![uuids(ids)]).await
}

impl WorkingSet {
    /// What was read of rows that are locked.
    pub(super) fn of(products: &[Row], reservations: &[Row]) -> PgResult<Self> {
        let mut set = Self::default();
        for row in products {
            let (id, item) = (id(row, 0)?, item(row)?);
            set.stocks.insert(id, item.stock);
            set.inventory.add_item(id, item);
        }
        for row in reservations {
            let (id, stored) = (id(row, 0)?, stored(row)?);
            set.states.insert(id, stored.state);
            set.inventory.add_reservation(id, stored);
            if overdue_ms(row)?.is_some() {
                set.over.insert(id);
            }
        }
        Ok(set)
    }

    /// Sends what changed. New rows are marked as direct holds of `direct`, if given. Each row has to be as it was
    /// read, or the commit fails.
    pub(super) fn write_back(
        &self,
        transaction: &Transaction<'_>,
        direct: Option<ProductId>,
    ) -> PgResult<()> {
        self.write_stocks(transaction)?;
        self.insert_reservations(transaction, direct);
        self.update_reservations(transaction);
        Ok(())
    }

    /// Where the units of products are after some moved. Of test data this is noted.
    fn write_stocks(&self, transaction: &Transaction<'_>) -> PgResult<()> {
        let update = "
            UPDATE products.product p
            SET available = n.available, reserved = n.reserved, sold = n.sold, used = p.test
            FROM unnest($1, $2, $3, $4, $5, $6, $7)
                AS n(id, available, reserved, sold, available_before, reserved_before, sold_before)
            WHERE p.id = n.id AND p.available = n.available_before AND p.reserved = n.reserved_before
                AND p.sold = n.sold_before";
        let (mut ids, mut now, mut before) = (Vec::new(), Units::default(), Units::default());
        for (id, item) in self.inventory.changed_items() {
            ids.push(uuid(*id));
            now.push(item.stock)?;
            before.push(self.stocks.get(id).copied().unwrap_or(item.stock))?;
        }
        let (rows, Units(available, reserved, sold)) = (ids.len(), now);
        if rows > 0 {
            let params = pg_params![ids, available, reserved, sold, before.0, before.1, before.2];
            transaction.execute_exactly(rows, update, params);
        }
        Ok(())
    }

    fn insert_reservations(&self, transaction: &Transaction<'_>, direct: Option<ProductId>) {
        let insert = "
            INSERT INTO products.reservation(order_id, state, lines, short, lease_ms, direct_product, lease_until)
            SELECT id, state, lines, short, lease_ms, $6,
                CASE WHEN lease_ms <= $7 THEN now() + lease_ms * interval '1 millisecond' END
            FROM unnest($1, $2, $3, $4, $5) AS n(id, state, lines, short, lease_ms)";
        let new = |change| change == Change::Inserted;
        let (mut ids, mut states, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        let (mut short, mut leases) = (Vec::new(), Vec::new());
        for (id, stored, _) in self.inventory.changed_reservations().filter(|(.., change)| new(*change)) {
            ids.push(uuid(*id));
            states.push(forms::code(stored.state));
            lines.push(forms::lines(stored));
            short.push(forms::short(stored));
            leases.push(forms::lease_ms(stored));
        }
        let rows = ids.len();
        if rows > 0 {
            let params = pg_params![ids, states, lines, short, leases, direct.map(uuid), COUNTED_LEASE_MS];
            transaction.execute_exactly(rows, insert, params);
        }
    }

    fn update_reservations(&self, transaction: &Transaction<'_>) {
        let update = "
            UPDATE products.reservation r SET state = n.state, lines = n.lines, lease_ms = n.lease_ms,
                lease_until = CASE WHEN n.lease_ms IS NOT NULL THEN r.lease_until END, written = now()
            FROM unnest($1, $2, $3, $4, $5) AS n(id, state, lines, lease_ms, state_before)
            WHERE r.order_id = n.id AND r.state = n.state_before";
        let known = |change| change == Change::Updated;
        let (mut ids, mut states, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        let (mut leases, mut before) = (Vec::new(), Vec::new());
        for (id, stored, _) in self.inventory.changed_reservations().filter(|(.., change)| known(*change)) {
            ids.push(uuid(*id));
            states.push(forms::code(stored.state));
            lines.push(forms::lines(stored));
            leases.push(forms::lease_ms(stored));
            before.push(forms::code(self.states.get(id).copied().unwrap_or(stored.state)));
        }
        let rows = ids.len();
        if rows > 0 {
            transaction.execute_exactly(rows, update, pg_params![ids, states, lines, leases, before]);
        }
    }
}

/// Columns of units: available, reserved, sold.
#[derive(Default)]
struct Units(Vec<i64>, Vec<i64>, Vec<i64>);

impl Units {
    fn push(&mut self, stock: Stock) -> PgResult<()> {
        self.0.push(signed(stock.available)?);
        self.1.push(signed(stock.reserved)?);
        self.2.push(signed(stock.sold)?);
        Ok(())
    }
}
