//! The calls of the user service.

use http::Method;

use super::{Client, ClientError, at, bare, get, given, with_query};
use crate::UserId;
use crate::session::{CURRENT_SESSION, JWKS, Jwks, NewSession, REFRESH, RefreshSession, SESSIONS, Session};
use crate::user::{DISABLE, ENABLE, LOOKUP, Lookup, NewUser, USER, USERS, User, UserPatch, UserSummary};

impl Client {
    /// `POST /users`.
    pub async fn create_user(&self, new: &NewUser) -> Result<User, ClientError> {
        self.json(self.post(&self.endpoints.user, USERS.into(), new)).await
    }

    /// `GET /users/{id}`.
    pub async fn user(&self, id: UserId) -> Result<User, ClientError> {
        self.json(get(&self.endpoints.user, at(USER, &id))).await
    }

    /// `GET /users`: the first page, only those with this address if one is given.
    pub async fn users(&self, email: Option<&str>) -> Result<Vec<User>, ClientError> {
        self.json(get(&self.endpoints.user, with_query(USERS, &given([("email", email)])))).await
    }

    /// `POST /internal/users/lookup`.
    pub async fn lookup(&self, lookup: &Lookup) -> Result<Vec<Option<UserSummary>>, ClientError> {
        self.json(self.post(&self.endpoints.user, LOOKUP.into(), lookup)).await
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
