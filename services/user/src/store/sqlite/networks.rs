//! The networks that users logged in from.

use std::net::IpAddr;

use ordersys_contract::{Timestamp, UserId};
use ordersys_store::StoreError;
use rusqlite::{Connection, params};

use super::Users;
use crate::store::sessions::MAX_NETWORKS;

impl Users {
    /// Whether the account with this form of the address logged in from this network before.
    pub(crate) async fn logged_in_from(&self, login: String, network: IpAddr) -> Result<bool, StoreError> {
        let select = "SELECT count(*) FROM network
                      WHERE user_id = (SELECT id FROM user WHERE login = ?1) AND prefix = ?2";
        self.0
            .read(move |connection| {
                let row = params![login, network.to_string()];
                connection.prepare_cached(select)?.query_row(row, |row| row.get(0))
            })
            .await
    }
}

/// A user logs in from a network.
pub(super) fn remember(
    connection: &Connection,
    user: UserId,
    network: IpAddr,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let insert = "INSERT OR REPLACE INTO network(user_id, prefix, used_at) VALUES (?1, ?2, ?3)";
    let row = params![user.as_bytes(), network.to_string(), now.as_millis()];
    connection.prepare_cached(insert)?.execute(row)?;
    let surplus = "DELETE FROM network WHERE user_id = ?1 AND prefix IN
                   (SELECT prefix FROM network WHERE user_id = ?1 ORDER BY used_at DESC LIMIT -1 OFFSET ?2)";
    connection.prepare_cached(surplus)?.execute(params![user.as_bytes(), MAX_NETWORKS]).map(|_| ())
}
