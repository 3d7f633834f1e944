//! Holds of single products, without a lease.

use std::collections::BTreeSet;

use futures_util::future::join3;
use ordersys_contract::reservation::Line;
use ordersys_contract::{OrderId, ProductId, Quantity};
use ordersys_store::postgres::{Params, PgResult, Row, Session, Transaction};
use ordersys_store::{StoreError, pg_params};

use super::rows::{self, id, uuid};
use super::working_set::{Wanted, WorkingSet, lock_products};
use super::{ANSWERS, Tables};
use crate::store::{HoldOutcome, Part, holds};

impl Tables {
    pub(crate) async fn hold(
        &self,
        id: OrderId,
        product: ProductId,
        quantity: Quantity,
    ) -> Result<HoldOutcome, StoreError> {
        let line = Line { product_id: product, quantity };
        self.store.write(move |session| Box::pin(hold(session, id, line))).await
    }

    pub(crate) async fn give_back(&self, product: ProductId, part: Part) -> Result<HoldOutcome, StoreError> {
        self.store.write(move |session| Box::pin(give_back(session, product, part))).await
    }
}

async fn hold(session: &Session, id: OrderId, line: Line) -> PgResult<HoldOutcome> {
    let (products, reservations) = ([line.product_id].into(), [id].into());
    let transaction = session.begin();
    let mut set = Wanted { products, reservations, moving: BTreeSet::new() }.lock(&transaction).await?;
    let outcome = holds::hold(&mut set.inventory, id, line);
    set.write_back(&transaction, Some(line.product_id))?;
    transaction.commit().await?;
    Ok(outcome)
}

async fn give_back(session: &Session, product: ProductId, part: Part) -> PgResult<HoldOutcome> {
    let transaction = session.begin();
    let locked: BTreeSet<_> = [product].into();
    // Whatever changes a hold of the product locks the product first.
    let (products, done, holds) = join3(
        lock_products(&transaction, &locked),
        ANSWERS.find(&transaction, part.command),
        lock_holds(&transaction, product, &part),
    )
    .await;
    let (products, done, holds) = (products?, done?, holds?);
    if let Some(available) = done {
        transaction.commit().await?;
        return Ok(HoldOutcome::Done { available });
    }
    let mut set = WorkingSet::of(&products, &holds)?;
    let ids = holds.iter().map(|row| id(row, 0)).collect::<PgResult<Vec<_>>>()?;
    let outcome = holds::give_back(&mut set.inventory, product, part.quantity, &ids);
    if let HoldOutcome::Done { available } = &outcome {
        set.write_back(&transaction, Some(product))?;
        ANSWERS.keep(&transaction, part.command, available)?;
    }
    transaction.commit().await?;
    Ok(outcome)
}

/// Locks the hold that is named, or the oldest ones of a product; each holds at least one unit, so `quantity` of them
/// suffice.
async fn lock_holds(transaction: &Transaction<'_>, product: ProductId, part: &Part) -> PgResult<Vec<Row>> {
    let (which, params): (&str, Params) = match part.of {
        Some(id) => ("order_id = $1", pg_params![uuid(id)]),
        None => (
            "state = 0 AND direct_product = $1 ORDER BY order_id LIMIT $2",
            pg_params![uuid(product), i64::from(part.quantity.get())],
        ),
    };
    let select = format!("SELECT {} FROM products.reservation WHERE {which} FOR UPDATE", rows::RESERVATION);
    transaction.query(select, params).await
}
