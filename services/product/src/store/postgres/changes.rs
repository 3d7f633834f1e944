//! Changes to products that are there: edits and restocks. Each is done once, however often it is run.

use std::sync::Arc;

use futures_util::future::join;
use ordersys_contract::ProductId;
use ordersys_contract::product::Product;
use ordersys_store::answers::CommandId;
use ordersys_store::postgres::{PgResult, Row, Session, Transaction, signed};
use ordersys_store::{StoreError, pg_params};

use super::rows::{self, uuid};
use super::working_set::lock_products;
use super::{ANSWERS, Tables, editions};
use crate::store::{Addition, Edit, Edited, Restocked};

impl Tables {
    pub(crate) async fn edit(&self, id: ProductId, edit: Edit) -> Result<Edited, StoreError> {
        let edit = Arc::new(edit);
        self.store
            .write(move |session| {
                let edit = Arc::clone(&edit);
                Box::pin(async move { change(session, id, &edit).await })
            })
            .await
    }

    pub(crate) async fn restock(&self, id: ProductId, addition: Addition) -> Result<Restocked, StoreError> {
        self.store.write(move |session| Box::pin(add(session, id, addition))).await
    }
}

/// Locks a product, and reads what was answered to this command if it was done.
async fn lock(
    transaction: &Transaction<'_>,
    id: ProductId,
    command: CommandId,
) -> PgResult<(Option<Row>, Option<Product>)> {
    let locked = [id].into();
    let (found, done) = join(lock_products(transaction, &locked), ANSWERS.find(transaction, command)).await;
    Ok((found?.into_iter().next(), done?))
}

async fn change(session: &Session, id: ProductId, edit: &Edit) -> PgResult<Edited> {
    let transaction = session.begin();
    let (found, done) = lock(&transaction, id, edit.command).await?;
    if let Some(done) = done {
        transaction.commit().await?;
        return Ok(Edited::Done(done));
    }
    let Some(row) = found else { return Ok(Edited::NotFound) };
    let edited = edit.of(rows::product(&row)?);
    if let Edited::Done(product) = &edited {
        let update = "UPDATE products.product SET name = $2, price = $3, version = $4
                      WHERE id = $1 AND version = $4 - 1";
        let params =
            pg_params![uuid(id), product.name.clone(), product.price.minor(), signed(product.version)?];
        transaction.execute_exactly(1, update, params);
        editions::note(&transaction, id, edit.now);
        editions::forget(&transaction, id, product.version)?;
        ANSWERS.keep(&transaction, edit.command, product)?;
    }
    transaction.commit().await?;
    Ok(edited)
}

async fn add(session: &Session, id: ProductId, addition: Addition) -> PgResult<Restocked> {
    let transaction = session.begin();
    let (found, done) = lock(&transaction, id, addition.command).await?;
    if let Some(done) = done {
        transaction.commit().await?;
        return Ok(Restocked::Done(done));
    }
    let Some(row) = found else { return Ok(Restocked::NotFound) };
    let (before, mut product) = (rows::item(&row)?.stock, rows::product(&row)?);
    let Some(stock) = before.restocked_by(addition.units) else { return Ok(Restocked::TooMany) };
    let update = "UPDATE products.product SET restocked = $2, available = $3
                  WHERE id = $1 AND restocked = $4 AND available = $5";
    let params = pg_params![
        uuid(id),
        signed(stock.restocked)?,
        signed(stock.available)?,
        signed(before.restocked)?,
        signed(before.available)?,
    ];
    transaction.execute_exactly(1, update, params);
    editions::note_added(&transaction, id, addition.units)?;
    product.stock = stock.available;
    ANSWERS.keep(&transaction, addition.command, &product)?;
    transaction.commit().await?;
    Ok(Restocked::Done(product))
}
