//! What checks from outside read: every reservation, and the sums of their lines beside the stock.

use ordersys_contract::product::StockEvidence;
use ordersys_contract::reservation::{Reservation, ReservationRecord};
use ordersys_contract::{OrderId, ProductId};
use ordersys_store::postgres::{PgError, PgResult, Row, Session, get, unsigned};
use ordersys_store::{Add, StoreError, pg_params};

use super::Tables;
use super::rows::{
    AFTER_PRODUCT, PRODUCT, RESERVATION, account, direct_product, id, overdue_ms, stored, uuid,
};
use crate::domain::inventory::Stored;
use crate::store::{ReservationFilter, StockTotals};

/// Products whose evidence is read at once: more than a page has room for.
const EVIDENCE: u32 = 25_000;

impl Tables {
    pub(crate) async fn reservation(&self, id: OrderId) -> Result<Option<ReservationRecord>, StoreError> {
        self.store.read(move |session| Box::pin(reservation(session, id))).await
    }

    pub(crate) async fn reservations<P: Send + 'static>(
        &self,
        filter: ReservationFilter,
        mut page: P,
        mut add: Add<P, ReservationRecord>,
    ) -> Result<P, StoreError> {
        let found = self.store.read(move |session| Box::pin(reservations(session, filter))).await?;
        let _ = found.into_iter().try_for_each(|record| add(&mut page, record));
        Ok(page)
    }

    pub(crate) async fn evidence<P: Send + 'static>(
        &self,
        mut after: Option<ProductId>,
        mut page: P,
        mut add: Add<P, StockEvidence>,
    ) -> Result<P, StoreError> {
        loop {
            let some = self.store.scan(move |session| Box::pin(evidence(session, after))).await?;
            let is_last = some.len() < EVIDENCE as usize;
            after = some.last().map(|evidence| evidence.account.product_id);
            if some.into_iter().any(|evidence| add(&mut page, evidence).is_break()) || is_last {
                return Ok(page);
            }
        }
    }

    pub(crate) async fn stock_totals(&self) -> Result<StockTotals, StoreError> {
        self.store.scan(|session| Box::pin(totals(session))).await
    }
}

async fn reservation(session: &Session, id: OrderId) -> PgResult<Option<ReservationRecord>> {
    let select = format!("SELECT {RESERVATION} FROM products.reservation WHERE order_id = $1");
    session.query_opt(select, pg_params![uuid(id)]).await?.as_ref().map(record).transpose()
}

async fn reservations(
    session: &Session,
    ReservationFilter { before, limit }: ReservationFilter,
) -> PgResult<Vec<ReservationRecord>> {
    let select = format!(
        "SELECT {RESERVATION} FROM products.reservation WHERE ($1 IS NULL OR order_id < $1)
         ORDER BY order_id DESC LIMIT $2"
    );
    let found = session.query(select, pg_params![before.map(uuid), i64::from(limit)]).await?;
    found.iter().map(record).collect()
}

fn record(row: &Row) -> PgResult<ReservationRecord> {
    let Stored { state, lines, shortages, lease_ms } = stored(row)?;
    let direct_product = direct_product(row)?;
    let reservation = Reservation { order_id: id(row, 0)?, state, lines, shortages };
    let (direct, overdue_ms) = (direct_product.is_some(), overdue_ms(row)?);
    Ok(ReservationRecord { reservation, lease_ms, overdue_ms, direct, direct_product })
}

/// Accounts, each with the sums of the lines that bind its stock: one statement, and so one snapshot.
async fn evidence(session: &Session, after: Option<ProductId>) -> PgResult<Vec<StockEvidence>> {
    let select = format!(
        "SELECT {PRODUCT}, coalesce(held, 0)::bigint, coalesce(committed, 0)::bigint
         FROM (SELECT {PRODUCT} FROM products.product WHERE ($1 IS NULL OR id > $1) ORDER BY id LIMIT $2) page
         LEFT JOIN (
             SELECT (line->>'productId')::uuid AS product_id,
                 sum((line->>'quantity')::bigint) FILTER (WHERE state = 0) AS held,
                 sum((line->>'quantity')::bigint) FILTER (WHERE state = 1) AS committed
             FROM products.reservation, json_array_elements(lines::json) line
             WHERE state IN (0, 1) GROUP BY 1) sums ON sums.product_id = page.id
         ORDER BY id"
    );
    let found =
        session.query(select, pg_params![after.map(uuid), i64::from(EVIDENCE)]).await.map_err(unreadable)?;
    let read = |row: &Row| {
        let (held_lines, committed_lines) =
            (unsigned(row, AFTER_PRODUCT)?, unsigned(row, AFTER_PRODUCT + 1)?);
        Ok(StockEvidence { account: account(row)?, held_lines, committed_lines })
    };
    found.iter().map(read).collect()
}

/// Lines that are no lines are damage.
fn unreadable(error: PgError) -> PgError {
    match &error {
        PgError::Server(said) if said.code().is_some_and(|state| state.code().starts_with("22")) => {
            PgError::unreadable(error)
        }
        _ => error,
    }
}

async fn totals(session: &Session) -> PgResult<StockTotals> {
    let sums = "
        SELECT (coalesce(sum(initial), 0) + coalesce(sum(restocked), 0))::float8,
            coalesce(sum(available), 0)::float8, coalesce(sum(reserved), 0)::float8,
            coalesce(sum(sold), 0)::float8,
            count(*) FILTER (WHERE initial + restocked <> available + reserved + sold
                OR least(available, reserved, sold) < 0)
        FROM products.product";
    let row = session.query_opt(sums, pg_params![]).await?;
    let row = row.ok_or_else(|| PgError::unreadable("sums without a row"))?;
    Ok(StockTotals {
        put_in: get(&row, 0)?,
        available: get(&row, 1)?,
        reserved: get(&row, 2)?,
        sold: get(&row, 3)?,
        unbalanced: get(&row, 4)?,
    })
}
