//! The networks that users logged in from.

use std::net::IpAddr;

use ordersys_contract::{Timestamp, UserId};
use ordersys_store::postgres::Transaction;
use ordersys_store::{StoreError, pg_params};

use super::Users;
use super::accounts::is_text;
use super::rows::uuid;
use crate::store::sessions::MAX_NETWORKS;

impl Users {
    pub(crate) async fn logged_in_from(&self, login: String, network: IpAddr) -> Result<bool, StoreError> {
        if !is_text(&login) {
            return Ok(false);
        }
        let select = "SELECT 1 FROM users.network
                      WHERE user_id = (SELECT id FROM users.user WHERE login = $1) AND prefix = $2";
        self.0
            .read(move |session| {
                let params = pg_params![login.clone(), network.to_string()];
                Box::pin(async move { Ok(session.query_opt(select, params).await?.is_some()) })
            })
            .await
    }
}

/// A user, whose row is locked, logs in from a network.
pub(super) fn remember(transaction: &Transaction<'_>, user: UserId, network: IpAddr, now: Timestamp) {
    let insert = "INSERT INTO users.network(user_id, prefix, used_at) VALUES ($1, $2, $3)
                  ON CONFLICT (user_id, prefix) DO UPDATE SET used_at = excluded.used_at";
    transaction.execute(insert, pg_params![uuid(user), network.to_string(), now.as_millis()]);
    let surplus = "DELETE FROM users.network WHERE user_id = $1 AND prefix IN
                   (SELECT prefix FROM users.network WHERE user_id = $1 ORDER BY used_at DESC, prefix OFFSET $2)";
    transaction.execute(surplus, pg_params![uuid(user), i64::from(MAX_NETWORKS)]);
}
