//! What checks from outside read beyond the orders themselves.

use ordersys_contract::order::KeyRecord;
use ordersys_contract::{OrderId, UserId};
use ordersys_store::StoreError;
use rusqlite::{Row, params};

use super::Orders;

/// A place in the list of idempotency keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum KeyPlace {
    /// Before the first.
    #[default]
    Start,
    /// After this key of this user.
    After(UserId, String),
}

impl Orders {
    /// Idempotency keys after a place, by user and key.
    pub(crate) async fn keys(&self, after: KeyPlace, limit: u32) -> Result<Vec<KeyRecord>, StoreError> {
        let select = "SELECT user_id, key, order_id FROM idempotency
                      WHERE (user_id, key) > (?1, ?2) ORDER BY user_id, key LIMIT ?3";
        self.0
            .read(move |connection| {
                let (user, key) = match &after {
                    KeyPlace::Start => (&[][..], ""),
                    KeyPlace::After(user, key) => (&user.as_bytes()[..], key.as_str()),
                };
                let mut statement = connection.prepare_cached(select)?;
                statement.query_map(params![user, key, limit], key_record)?.collect()
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
