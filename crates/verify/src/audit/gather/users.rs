//! The users of orders, looked up many at a time; memory holds a bounded number of them.

use std::collections::HashMap;

use http::StatusCode;
use ordersys_contract::evidence::{USERS_BY_ID, UserRecord};
use ordersys_contract::{Client, ClientError, MAX_BATCH, UserId};

use crate::audit::gather::failure::{CheckError, Of as _};
use ordersys_contract::Role;

/// Users that are remembered at most, about 20 MB; then all are forgotten and looked up anew.
const MOST: usize = 65_536;

/// The users that were looked up; `None` where there is none.
#[derive(Debug, Default)]
pub(crate) struct Users(HashMap<UserId, Option<UserRecord>>);

impl Users {
    /// Makes `first` known, and of those that come next as many as fit into the same call.
    pub(crate) async fn know(
        &mut self,
        client: &Client,
        first: UserId,
        next: impl Iterator<Item = UserId>,
    ) -> Result<(), CheckError> {
        if self.0.contains_key(&first) {
            return Ok(());
        }
        if self.0.len() + MAX_BATCH > MOST {
            self.0.clear();
        }
        let mut ids = vec![first];
        for id in next {
            if ids.len() < MAX_BATCH && !self.0.contains_key(&id) && !ids.contains(&id) {
                ids.push(id);
            }
        }
        let found = client.users_by_id(ids.clone()).await.of(Role::User)?;
        let fits =
            |(id, found): (&UserId, &Option<UserRecord>)| found.as_ref().is_none_or(|user| user.id == *id);
        if found.len() != ids.len() || !ids.iter().zip(&found).all(fits) {
            let detail = "not one answer for each user that was asked for".to_owned();
            let url = format!("{}{USERS_BY_ID}", client.endpoints().user);
            return Err(ClientError::BadAnswer { url, status: StatusCode::OK, detail }).of(Role::User);
        }
        self.0.extend(ids.into_iter().zip(found));
        Ok(())
    }

    pub(crate) fn get(&self, id: UserId) -> Option<&UserRecord> {
        self.0.get(&id)?.as_ref()
    }
}
