//! Leases end by the clock of the database. Any replica may end them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use ordersys_contract::OrderId;
use ordersys_store::postgres::{PgResult, Session, get};
use ordersys_store::{StoreError, pg_params};
use uuid::Uuid;

use super::Tables;
use super::working_set::Wanted;
use crate::domain::transition::Event;

impl Tables {
    /// Nothing to do: the ends of leases are stored.
    #[expect(clippy::unused_async, reason = "the same call as of the store on SQLite")]
    pub(crate) async fn recover_leases(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Ends leases that are over by the database's clock, whatever this process counts.
    pub(crate) async fn end_leases(&self, _: Instant) -> Result<usize, StoreError> {
        let over = self.store.read(|session| Box::pin(over(session))).await?;
        if over.is_empty() {
            return Ok(0);
        }
        let over = Arc::new(over);
        self.store
            .write(move |session| {
                let over = Arc::clone(&over);
                Box::pin(async move { end(session, &over).await })
            })
            .await
    }
}

/// The reservations whose leases have been over for longest.
async fn over(session: &Session) -> PgResult<BTreeSet<OrderId>> {
    let select = "SELECT order_id FROM products.reservation
                  WHERE state = 0 AND lease_until IS NOT NULL AND lease_until <= now() ORDER BY lease_until LIMIT 512";
    let rows = session.query(select, pg_params![]).await?;
    rows.iter().map(|row| Ok(OrderId::from_bytes(*get::<Uuid>(row, 0)?.as_bytes()))).collect()
}

/// Ends those that are over still, once they are locked.
async fn end(session: &Session, ids: &BTreeSet<OrderId>) -> PgResult<usize> {
    let mut wanted = Wanted { reservations: ids.clone(), moving: ids.clone(), ..Wanted::default() };
    wanted.name_products(session).await?;
    let transaction = session.begin();
    let mut set = wanted.lock(&transaction).await?;
    for id in &set.over {
        set.inventory.advance(*id, Event::LeaseEnd);
    }
    set.write_back(&transaction, None)?;
    transaction.commit().await?;
    Ok(set.over.len())
}
