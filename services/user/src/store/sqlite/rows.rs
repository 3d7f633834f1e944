//! Users as rows.

use ordersys_contract::user::User;
use ordersys_contract::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::Role;
use crate::hasher::PasswordHash;
use crate::store::accounts::{Account, Reached};
use crate::store::codes::{kind, status};

pub(super) const COLUMNS: &str = "id, name, email, created_at, login, disabled, test";

/// The column after those of a user.
pub(super) const NEXT: usize = 7;

/// The user, as far as the caller may see it: the owner is part of the query.
pub(super) fn reach(connection: &Connection, id: UserId, role: Role) -> rusqlite::Result<Reached<User>> {
    let select = format!(
        "SELECT {COLUMNS}, token_epoch FROM user
         WHERE id = ?1 AND (?2 OR login IS NULL)"
    );
    let mut statement = connection.prepare_cached(&select)?;
    let any = match role {
        Role::Admin | Role::Owner(_) => true,
        Role::Stranger => false,
    };
    let found =
        statement.query_row(params![id.as_bytes(), any], |row| Ok((user(row)?, row.get::<_, u64>(NEXT)?)));
    Ok(match (found.optional()?, role) {
        (Some((_, now)), Role::Owner(epoch)) if epoch != now => Reached::Revoked,
        (Some((user, _)), _) => Reached::Done(user),
        (None, _) => Reached::NotFound,
    })
}

pub(super) fn select_account(
    connection: &Connection,
    condition: &str,
    key: impl rusqlite::ToSql,
) -> rusqlite::Result<Option<Account>> {
    let select = format!(
        "SELECT id, email, name, password, disabled FROM user
         WHERE {condition} AND login IS NOT NULL"
    );
    let account = |row: &Row<'_>| {
        Ok(Account {
            id: UserId::from_bytes(row.get(0)?),
            email: row.get(1)?,
            name: row.get(2)?,
            password: PasswordHash::stored(row.get(3)?),
            status: status(row.get(4)?),
        })
    };
    connection.prepare_cached(&select)?.query_row([key], account).optional()
}

pub(super) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId::from_bytes(row.get(0)?),
        name: row.get(1)?,
        email: row.get(2)?,
        created_at: Timestamp::from_millis(row.get(3)?),
        kind: kind(row.get::<_, Option<String>>(4)?.is_some()),
        status: status(row.get(5)?),
        test: row.get(6)?,
    })
}
