//! What the user service does.

use ordersys_chassis::Deadline;
use ordersys_contract::user::{NewUser, User, UserKindName, UserStatus, UserSummary};
use ordersys_contract::{RequestId, Timestamp, UserId};

use crate::domain::Profile;
use crate::store::{Filter, Users};
use crate::{NAME, UserError};

/// The use cases; clones share one store.
#[derive(Clone)]
pub struct App {
    users: Users,
}

impl App {
    pub(crate) fn new(users: Users) -> Self {
        Self { users }
    }

    pub(crate) async fn close(&self) {
        self.users.close().await;
    }

    pub(crate) async fn create(&self, new: &NewUser, now: Timestamp) -> Result<User, UserError> {
        let Profile { name, email } = Profile::new(new)?;
        let user = User {
            id: UserId::now(),
            name,
            email,
            kind: UserKindName::Guest,
            status: UserStatus::Active,
            created_at: now,
        };
        self.users.insert(user.clone()).await?;
        Ok(user)
    }

    pub(crate) async fn get(&self, id: UserId) -> Result<User, UserError> {
        self.users.get(id).await?.ok_or(UserError::NotFound)
    }

    pub(crate) async fn list(&self, filter: Filter) -> Result<Vec<User>, UserError> {
        Ok(self.users.list(filter).await?)
    }

    /// Looks up many users at once; one answer each, in order. `requests` names, for the log,
    /// on whose behalf. Past its deadline it does nothing.
    pub async fn lookup(
        &self,
        ids: Vec<UserId>,
        requests: &[RequestId],
        deadline: Deadline,
    ) -> Result<Vec<Option<UserSummary>>, UserError> {
        let found = self.users.summaries(ids.clone(), deadline).await?;
        for ((id, summary), request) in ids.iter().zip(&found).zip(requests) {
            let known = summary.is_some();
            tracing::info!(service = NAME, requestId = request.as_str(), userId = %id, known, "looked up");
        }
        Ok(found)
    }
}
