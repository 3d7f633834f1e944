//! Users as rows, and how values become columns.

use ordersys_contract::id::Id;
use ordersys_contract::user::{User, UserKindName, UserStatus};
use ordersys_contract::{SessionId, Timestamp, UserId};
use ordersys_store::pg_params;
use ordersys_store::postgres::FromSql;
use ordersys_store::postgres::{Params, PgError, PgResult, Row, Session, Transaction};
use uuid::Uuid;

use crate::domain::Role;
use crate::hasher::PasswordHash;
use crate::store::accounts::Reached;
use crate::store::codes::{kind, status};

/// What a user's row begins with.
pub(super) const COLUMNS: &str =
    "id, name, email, created_at, login IS NOT NULL AS registered, disabled, test";

/// A value of a row. One that is not of its kind was never written by us.
pub(super) fn read<'row, T: FromSql<'row>>(row: &'row Row, column: usize) -> PgResult<T> {
    row.try_get(column).map_err(PgError::unreadable)
}

pub(super) fn uuid<K>(id: Id<K>) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// Ids as one parameter.
pub(super) fn uuids<K>(ids: &[Id<K>]) -> Vec<Uuid> {
    ids.iter().map(|id| Uuid::from_bytes(*id.as_bytes())).collect()
}

/// Behind which id a list goes on; all ids are behind that of none.
pub(super) fn behind<K>(after: Option<Id<K>>) -> Uuid {
    after.map_or(Uuid::nil(), uuid)
}

pub(super) fn id<K>(row: &Row, column: usize) -> PgResult<Id<K>> {
    read::<Uuid>(row, column).map(|uuid| Id::from_bytes(*uuid.as_bytes()))
}

pub(super) fn time(row: &Row, column: usize) -> PgResult<Timestamp> {
    read(row, column).map(Timestamp::from_millis)
}

/// A number that is never negative.
pub(super) fn count(row: &Row, column: usize) -> PgResult<u64> {
    u64::try_from(read::<i64>(row, column)?).map_err(PgError::unreadable)
}

pub(super) fn user(row: &Row) -> PgResult<User> {
    Ok(User {
        id: id(row, 0)?,
        name: read(row, 1)?,
        email: read(row, 2)?,
        created_at: time(row, 3)?,
        kind: kind(read(row, 4)?),
        status: status(read(row, 5)?),
        test: read(row, 6)?,
    })
}

/// What is stored of a user.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) user: User,
    pub(super) former_names: String,
    pub(super) password: Option<PasswordHash>,
    pub(super) epoch: u64,
}

impl Stored {
    fn of(row: &Row) -> PgResult<Self> {
        let password: Option<String> = read(row, 8)?;
        Ok(Self {
            user: user(row)?,
            former_names: read(row, 7)?,
            password: password.map(PasswordHash::stored),
            epoch: count(row, 9)?,
        })
    }
}

/// Which user is meant.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    Id(UserId),
    Session(SessionId),
}

impl By {
    fn select(self) -> (String, Params) {
        let (condition, key) = match self {
            Self::Id(id) => ("$1", uuid(id)),
            // Whose a session is never changes.
            Self::Session(id) => ("(SELECT user_id FROM users.session WHERE id = $1)", uuid(id)),
        };
        let select = format!(
            "SELECT {COLUMNS}, former_names, password, token_epoch FROM users.user WHERE id = {condition}"
        );
        (select, pg_params![key])
    }
}

/// A user as it is now.
pub(super) async fn stored(session: &Session, id: UserId) -> PgResult<Option<Stored>> {
    let (select, params) = By::Id(id).select();
    session.query_opt(select, params).await?.as_ref().map(Stored::of).transpose()
}

/// A user as it is now, and stays until the transaction ends.
pub(super) async fn locked(transaction: &Transaction<'_>, by: By) -> PgResult<Option<Stored>> {
    let (select, params) = by.select();
    let found = transaction.query_opt(format!("{select} FOR UPDATE"), params).await?;
    found.as_ref().map(Stored::of).transpose()
}

/// Replaces what is stored of a user whose row is locked.
pub(super) fn save(transaction: &Transaction<'_>, before: &Stored, after: &Stored) -> PgResult<()> {
    let update = "UPDATE users.user SET name = $2, former_names = $3, password = $4, disabled = $5, token_epoch = $6
                  WHERE id = $1 AND token_epoch = $7 AND former_names = $8 AND password IS NOT DISTINCT FROM $9";
    let password = |stored: &Stored| stored.password.as_ref().map(|hash| hash.as_str().to_owned());
    let params = pg_params![
        uuid(before.user.id),
        after.user.name.clone(),
        after.former_names.clone(),
        password(after),
        after.user.status == UserStatus::Disabled,
        number(after.epoch)?,
        number(before.epoch)?,
        before.former_names.clone(),
        password(before),
    ];
    transaction.execute_exactly(1, update, params);
    Ok(())
}

/// A number as a parameter.
pub(super) fn number(number: u64) -> PgResult<i64> {
    i64::try_from(number).map_err(PgError::unreadable)
}

/// The user, as far as the caller may see it.
pub(super) fn reach(found: Option<Stored>, role: Role) -> Reached<Stored> {
    match (found, role) {
        (Some(stored), Role::Owner(epoch)) if epoch != stored.epoch => Reached::Revoked,
        (Some(stored), Role::Stranger) if stored.user.kind == UserKindName::Registered => Reached::NotFound,
        (Some(stored), _) => Reached::Done(stored),
        (None, _) => Reached::NotFound,
    }
}
