//! Lists of users: each page goes through a bounded number of them.

use std::ops::ControlFlow;

use ordersys_contract::user::User;
use ordersys_contract::{EmailKey, TestData, UserId};
use ordersys_store::{Add, Reached, STEP_ROWS, StoreError};
use rusqlite::{Connection, params};

use super::Users;
use super::rows::{COLUMNS, user};
use crate::store::list::Filter;

impl Users {
    /// A page of users. It goes through a bounded number of them, some at a time, and may hold fewer than asked for,
    /// or none; the user to go on after is then returned beside it.
    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        page: P,
        mut add: Add<P, User>,
    ) -> Result<(P, Option<UserId>), StoreError> {
        let after = filter.after;
        let step = move |connection: &Connection, after: Option<UserId>, page: &mut P| {
            let filter = Filter { after, ..filter.clone() };
            visit(connection, &filter, |user| add(page, user))
        };
        self.0.visit(after, page, step).await
    }
}

/// Adds the users among the next ones that a filter lets through.
fn visit(
    connection: &Connection,
    filter: &Filter,
    mut add: impl FnMut(User) -> ControlFlow<()>,
) -> rusqlite::Result<Reached<UserId>> {
    // Only without alternatives SQLite uses the indexes.
    let of = if filter.address.is_some() { "address = ?2" } else { "?2 IS NULL" };
    let test = if filter.test == TestData::Only { "AND test = 1" } else { "" };
    let select =
        format!("SELECT {COLUMNS} FROM user WHERE id > ?1 AND {of} {test} ORDER BY id LIMIT {STEP_ROWS}");
    let after = filter.after.as_ref().map_or(&[][..], |id| id.as_bytes());
    let mut statement = connection.prepare_cached(&select)?;
    let (mut reached, mut visited) = (Reached::End, 0);
    for user in statement.query_map(params![after, filter.address.as_ref().map(EmailKey::as_str)], user)? {
        let user = user?;
        visited += 1;
        reached = Reached::Row(user.id);
        if filter.test.shows(user.test) && add(user).is_break() {
            return Ok(Reached::Full);
        }
    }
    Ok(if visited < STEP_ROWS { Reached::End } else { reached })
}
