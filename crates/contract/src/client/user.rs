//! The calls of the user service.

use http::Method;

use super::{Again, Call, Client, ClientError, Page, at, bare, get, given, shown, with_query};
use crate::session::{CURRENT_SESSION, JWKS, Jwks, NewSession, REFRESH, RefreshSession, SESSIONS, Session};
use crate::test_data::{Cleaned, Cleanup};
use crate::user::{
    DISABLE, ENABLE, LOOKUP, Lookup, NewUser, USER, USER_CLEANUP, USERS, User, UserPatch, UserSummary,
};
use crate::{TestData, UserId};

/// What narrows `GET /users`.
#[derive(Debug, Clone, Copy, Default)]
pub struct UserFilter<'a> {
    /// Users with this address only.
    pub email: Option<&'a str>,
    /// Whether test data is shown.
    pub test: TestData,
    /// Items on a page.
    pub limit: Option<u32>,
}

impl Client {
    /// `POST /users`.
    pub async fn create_user(&self, new: &NewUser) -> Result<User, ClientError> {
        self.json(self.post(&self.endpoints.user, USERS.into(), new)).await
    }

    /// `GET /users/{id}`.
    pub async fn user(&self, id: UserId) -> Result<User, ClientError> {
        self.json(get(&self.endpoints.user, at(USER, &id))).await
    }

    /// `GET /users`: the first page.
    pub async fn users(&self, filter: &UserFilter<'_>) -> Result<Page<User>, ClientError> {
        let limit = filter.limit.map(|limit| limit.to_string());
        let pairs =
            given([("email", filter.email), ("test", shown(filter.test)), ("limit", limit.as_deref())]);
        self.page(&self.endpoints.user, with_query(USERS, &pairs)).await
    }

    /// The page of users that [`Page::next`] names.
    pub async fn more_users(&self, next: &str) -> Result<Page<User>, ClientError> {
        self.page(&self.endpoints.user, next.to_owned()).await
    }

    /// `POST /internal/users/cleanup`: one step.
    pub async fn clean_up_users(&self, step: &Cleanup<UserId>) -> Result<Cleaned<UserId>, ClientError> {
        self.json(self.post(&self.endpoints.user, USER_CLEANUP.into(), step)).await
    }

    /// `POST /internal/users/lookup`.
    pub async fn lookup(&self, lookup: &Lookup) -> Result<Vec<Option<UserSummary>>, ClientError> {
        let call = self.post(&self.endpoints.user, LOOKUP.into(), lookup);
        self.json(Call { again: Again::Harmless, ..call }).await // it only reads
    }

    /// `PATCH /users/{id}`, as the user or the admin.
    pub async fn edit_user(&self, id: UserId, patch: &UserPatch) -> Result<User, ClientError> {
        let mut call = self.post(&self.endpoints.user, at(USER, &id), patch);
        call.method = Method::PATCH;
        self.json(call).await
    }

    /// `POST /users/{id}/disable`, as the admin.
    pub async fn disable_user(&self, id: UserId) -> Result<User, ClientError> {
        self.json(bare(Method::POST, &self.endpoints.user, at(DISABLE, &id))).await
    }

    /// `POST /users/{id}/enable`, as the admin.
    pub async fn enable_user(&self, id: UserId) -> Result<User, ClientError> {
        self.json(bare(Method::POST, &self.endpoints.user, at(ENABLE, &id))).await
    }

    /// `POST /sessions`: logs in.
    pub async fn log_in(&self, new: &NewSession) -> Result<Session, ClientError> {
        self.json(self.post(&self.endpoints.user, SESSIONS.into(), new)).await
    }

    /// `POST /sessions/refresh`: the next tokens of a session. The token that is given is used up.
    pub async fn refresh(&self, refresh: &RefreshSession) -> Result<Session, ClientError> {
        self.json(self.post(&self.endpoints.user, REFRESH.into(), refresh)).await
    }

    /// `DELETE /sessions/current`: ends the session whose access token is the client's credential.
    pub async fn log_out(&self) -> Result<(), ClientError> {
        self.done(bare(Method::DELETE, &self.endpoints.user, CURRENT_SESSION.into())).await
    }

    /// `DELETE /sessions`: ends all sessions of the user whose token is the client's credential.
    pub async fn log_out_everywhere(&self) -> Result<(), ClientError> {
        self.done(bare(Method::DELETE, &self.endpoints.user, SESSIONS.into())).await
    }

    /// `GET /.well-known/jwks.json`.
    pub async fn jwks(&self) -> Result<Jwks, ClientError> {
        self.json(get(&self.endpoints.user, JWKS.into())).await
    }
}
