//! The user service's store, on SQLite or on PostgreSQL: the same users, sessions and answers in both.

use std::net::IpAddr;

use ordersys_chassis::Deadline;
use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::evidence::{SessionRecord, UserRecord};
use ordersys_contract::test_data::{Cleaned, Cleanup};
use ordersys_contract::user::{User, UserStatus, UserSummary};
use ordersys_contract::{SessionId, Timestamp, UserId};
use ordersys_store::answers::CommandId;
use ordersys_store::{Add, Location, OpenError, StoreError};

use crate::domain::Role;
use crate::keys::Home;

mod accounts;
mod cleanup;
mod codes;
mod list;
mod names;
pub(crate) mod postgres;
mod sessions;
mod sqlite;
#[cfg(test)]
mod tests;

pub(crate) use accounts::{Account, Change, Reached, Registration};
pub(crate) use list::Filter;
pub(crate) use sessions::{Begun, NewLogin, Rotated, Rotation};

use sessions::TokenHash;

/// The stored users and their sessions; clones share them.
#[derive(Clone)]
pub(crate) struct Users(Backend);

#[derive(Clone)]
enum Backend {
    Sqlite(sqlite::Users),
    Postgres(postgres::Users),
}

/// The same of whichever store there is.
macro_rules! either {
    ($users:ident, $store:ident => $call:expr) => {
        match &$users.0 {
            Backend::Sqlite($store) => $call,
            Backend::Postgres($store) => $call,
        }
    };
}

impl Users {
    /// Opens the store, making or migrating it as needed.
    pub(crate) async fn open(location: &Location) -> Result<Self, OpenError> {
        let backend = match location.clone() {
            Location::Directory { dir, durability } => Backend::Sqlite(sqlite::Users::open(dir, durability)?),
            Location::Database { address, password } => {
                Backend::Postgres(postgres::Users::open(address, password).await?)
            }
        };
        Ok(Self(backend))
    }

    /// Where the keys for access tokens are kept.
    pub(crate) fn home_of_keys(&self) -> Home {
        match &self.0 {
            Backend::Sqlite(users) => Home::beside(users.dir()),
            Backend::Postgres(users) => Home::Table(users.clone()),
        }
    }

    /// Why the service does not start that cannot read or write what it needs.
    pub(crate) fn unusable(&self, source: StoreError) -> OpenError {
        either!(self, users => users.unusable(source))
    }

    /// Why the store cannot do its work, if it cannot.
    pub(crate) fn trouble(&self) -> Option<String> {
        either!(self, users => users.trouble())
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        either!(self, users => users.register(registry));
    }

    pub(crate) async fn close(&self) {
        either!(self, users => users.close().await);
    }

    /// Lets some of the answers go that were kept for minutes; returns how many.
    pub(crate) async fn forget_answers(&self) -> Result<usize, StoreError> {
        either!(self, users => users.forget_answers().await)
    }

    /// When the user with the newest id was made.
    pub(crate) async fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        either!(self, users => users.newest().await)
    }

    /// Stores a user; `false` if it is to be registered with an address that is taken. One that is stored already
    /// stays as it is: ids are made once.
    pub(crate) async fn insert(
        &self,
        user: User,
        registration: Option<Registration>,
    ) -> Result<bool, StoreError> {
        either!(self, users => users.insert(user, registration).await)
    }

    pub(crate) async fn get(&self, id: UserId, role: Role) -> Result<Reached<User>, StoreError> {
        either!(self, users => users.get(id, role).await)
    }

    /// The registered user with the first of these forms of the address that one has.
    pub(crate) async fn by_login(&self, logins: [String; 2]) -> Result<Option<Account>, StoreError> {
        either!(self, users => users.by_login(logins).await)
    }

    /// The registered user with this id.
    pub(crate) async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        either!(self, users => users.account(id).await)
    }

    /// Changes a user. A new password ends all sessions and tokens; it is set only if the hash it
    /// replaces is the stored one, else nothing is changed and there is `None`.
    pub(crate) async fn change(
        &self,
        id: UserId,
        role: Role,
        change: Change,
    ) -> Result<Reached<Option<User>>, StoreError> {
        either!(self, users => users.change(id, role, change).await)
    }

    /// Enables or disables a user; disabling ends all sessions and tokens.
    pub(crate) async fn set_status(
        &self,
        id: UserId,
        status: UserStatus,
    ) -> Result<Reached<User>, StoreError> {
        either!(self, users => users.set_status(id, status).await)
    }

    /// Completes the addresses of all users that have none in the form in which they are compared now. A login whose
    /// new form another one has already stays as it is.
    pub(crate) async fn complete_addresses(&self) -> Result<(), StoreError> {
        either!(self, users => users.complete_addresses().await)
    }

    /// A page of users. It goes through a bounded number of them, some at a time, and may hold fewer than asked for,
    /// or none; the user to go on after is then returned beside it.
    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        page: P,
        add: Add<P, User>,
    ) -> Result<(P, Option<UserId>), StoreError> {
        either!(self, users => users.list(filter, page, add).await)
    }

    /// What the order path needs of each of these users; `None` for an unknown one.
    pub(crate) async fn summaries(
        &self,
        ids: Vec<UserId>,
        deadline: Deadline,
    ) -> Result<Vec<Option<UserSummary>>, StoreError> {
        either!(self, users => users.summaries(ids, deadline).await)
    }

    /// Removes some of the users that are test data and never looked up for an order, with their sessions.
    pub(crate) async fn clean_up(
        &self,
        command: CommandId,
        step: Cleanup<UserId>,
    ) -> Result<Cleaned<UserId>, StoreError> {
        either!(self, users => users.clean_up(command, step).await)
    }

    /// Whether the account with this form of the address logged in from this network before.
    pub(crate) async fn logged_in_from(&self, login: String, network: IpAddr) -> Result<bool, StoreError> {
        either!(self, users => users.logged_in_from(login, network).await)
    }

    /// Users after this one, with all that is stored of them.
    pub(crate) async fn records(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<UserRecord>, StoreError> {
        either!(self, users => users.records(after, limit).await)
    }

    /// All that is stored of each of these users; `None` for an unknown one.
    pub(crate) async fn records_of(&self, ids: Vec<UserId>) -> Result<Vec<Option<UserRecord>>, StoreError> {
        either!(self, users => users.records_of(ids).await)
    }

    /// Sessions after this one, each with the user it is of.
    pub(crate) async fn sessions(
        &self,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        either!(self, users => users.sessions(after, limit).await)
    }

    /// Some of the users of whom networks are remembered, and who are not there.
    pub(crate) async fn unowned_networks(&self) -> Result<Vec<UserId>, StoreError> {
        either!(self, users => users.unowned_networks().await)
    }

    pub(crate) async fn begin_session(&self, login: NewLogin) -> Result<Begun, StoreError> {
        either!(self, users => users.begin_session(login).await)
    }

    /// Replaces a refresh token.
    pub(crate) async fn rotate(&self, rotation: Rotation) -> Result<Rotated, StoreError> {
        either!(self, users => users.rotate(rotation).await)
    }

    /// Ends a session of a user whose token is of this epoch; `false` if it is of an earlier one.
    pub(crate) async fn end_session(
        &self,
        session: SessionId,
        user: UserId,
        epoch: u64,
    ) -> Result<bool, StoreError> {
        either!(self, users => users.end_session(session, user, epoch).await)
    }

    /// Ends all sessions and tokens of a user whose token is of this epoch; `false` if it is not.
    pub(crate) async fn end_sessions(
        &self,
        command: CommandId,
        user: UserId,
        epoch: u64,
    ) -> Result<bool, StoreError> {
        either!(self, users => users.end_sessions(command, user, epoch).await)
    }

    /// Lets no session be refreshed later than `now`, or last longer than until `latest`.
    pub(crate) async fn shorten(&self, now: Timestamp, latest: Timestamp) -> Result<(), StoreError> {
        either!(self, users => users.shorten(now, latest).await)
    }

    /// Whether this is the newest token of a session that lasts.
    pub(crate) async fn session_lives(
        &self,
        session: SessionId,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        either!(self, users => users.session_lives(session, token, now).await)
    }

    /// Forgets sessions that are over, up to a number at a time. Returns how many.
    pub(crate) async fn forget_expired(&self, now: Timestamp) -> Result<usize, StoreError> {
        either!(self, users => users.forget_expired(now).await)
    }
}
