//! Removing test data that no order needs.
//!
//! Whenever units of such a product move for a reservation, this is noted in its row, in the same transaction. Only
//! products of which it is not noted are removed, while their rows are locked: no reservation has a line of them.
//! Orders that come later name a product that does not exist, and are rejected as all such orders are.

use futures_util::future::join;
use ordersys_contract::ProductId;
use ordersys_contract::test_data::{CLEANUP_ROWS, Cleaned, Cleanup};
use ordersys_store::answers::CommandId;
use ordersys_store::postgres::{PgResult, Session, Transaction, get};
use ordersys_store::{StoreError, pg_params};
use uuid::Uuid;

use super::rows::{id, uuid, uuids};
use super::{ANSWERS, Tables};

impl Tables {
    pub(crate) async fn clean_up(
        &self,
        command: CommandId,
        step: Cleanup<ProductId>,
    ) -> Result<Cleaned<ProductId>, StoreError> {
        self.store.write(move |session| Box::pin(clean_up(session, command, step))).await
    }
}

async fn clean_up(
    session: &Session,
    command: CommandId,
    step: Cleanup<ProductId>,
) -> PgResult<Cleaned<ProductId>> {
    let select = "
        SELECT id, used, created_at > (extract(epoch FROM now()) * 1000)::bigint - $3 * 1000
        FROM products.product WHERE test AND ($1 IS NULL OR id > $1) ORDER BY id LIMIT $2 FOR UPDATE";
    let params = pg_params![step.after.map(uuid), i64::from(CLEANUP_ROWS), i64::from(step.older_than)];
    let transaction = session.begin();
    let (rows, done) = join(transaction.query(select, params), ANSWERS.find(&transaction, command)).await;
    let (rows, done) = (rows?, done?);
    if let Some(done) = done {
        transaction.commit().await?;
        return Ok(done);
    }
    let mut cleaned = Cleaned { removed: 0, kept: 0, young: 0, next: None };
    let mut removed: Vec<ProductId> = Vec::new();
    for row in &rows {
        match (get(row, 1)?, get(row, 2)?) {
            (true, _) => cleaned.kept += 1,
            (false, true) => cleaned.young += 1,
            (false, false) => removed.push(id(row, 0)?),
        }
    }
    cleaned.removed = removed.len() as u64;
    let last = rows.last().filter(|_| rows.len() == CLEANUP_ROWS as usize);
    cleaned.next = last.map(|row| id(row, 0)).transpose()?;
    remove(&transaction, uuids(&removed));
    ANSWERS.keep(&transaction, command, &cleaned)?;
    transaction.commit().await?;
    Ok(cleaned)
}

fn remove(transaction: &Transaction<'_>, ids: Vec<Uuid>) {
    for delete in [
        "DELETE FROM products.edition WHERE product_id = ANY($1)",
        "DELETE FROM products.added WHERE product_id = ANY($1)",
    ] {
        transaction.execute(delete, pg_params![ids.clone()]);
    }
    let delete = "DELETE FROM products.product WHERE id = ANY($1)";
    transaction.execute_exactly(ids.len(), delete, pg_params![ids]);
}
