//! What checks from outside read beyond the orders themselves.

use ordersys_contract::order::KeyRecord;
use ordersys_contract::{OrderId, UserId};
use ordersys_store::{Add, StoreError};
use rusqlite::{Row, params};

use super::Orders;
use crate::store::{KeyCursor, KeyFilter};

impl Orders {
    /// Idempotency keys after a position, by key and user.
    pub(crate) async fn keys<P: Send + 'static>(
        &self,
        KeyFilter { after, limit }: KeyFilter,
        mut page: P,
        mut add: Add<P, KeyRecord>,
    ) -> Result<P, StoreError> {
        let select = "SELECT user_id, key, order_id FROM keys
                      WHERE (key, user_id) > (?1, ?2) ORDER BY key, user_id LIMIT ?3";
        self.0
            .scan(move |connection| {
                let (key, user) = match &after {
                    KeyCursor::Start => ("", &[][..]),
                    KeyCursor::After(user, key) => (key.as_str(), &user.as_bytes()[..]),
                };
                let mut statement = connection.prepare_cached(select)?;
                for record in statement.query_map(params![key, user, limit], key_record)? {
                    if add(&mut page, record?).is_break() {
                        break;
                    }
                }
                Ok(page)
            })
            .await
    }
}

fn key_record(row: &Row<'_>) -> rusqlite::Result<KeyRecord> {
    Ok(KeyRecord {
        user_id: UserId::from_bytes(row.get(0)?),
        key: row.get(1)?,
        order_id: OrderId::from_bytes(row.get(2)?),
    })
}
