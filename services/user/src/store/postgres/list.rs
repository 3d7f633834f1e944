//! Lists of users: each page goes through a bounded number of them.

use std::ops::ControlFlow;

use ordersys_contract::user::User;
use ordersys_contract::{EmailKey, MAX_PAGE, TestData, UserId};
use ordersys_store::postgres::{PgResult, Session};
use ordersys_store::{Add, STEP_ROWS, StoreError, pg_params};

use super::Users;
use super::rows::{COLUMNS, behind, read, user};
use crate::store::list::Filter;

/// Steps for one page. What is left is for the next one.
const MAX_STEPS: u32 = 50;
/// Users that the first step fetches at most: most pages hold fewer.
const FETCHED_FIRST: u32 = 100;
/// Users that any other step fetches at most.
const FETCHED: u32 = MAX_PAGE;
/// The column after those of a user.
const IS_MARK: usize = 7;

/// What a step found.
struct Step {
    users: Vec<User>,
    /// The last user it went through, if there may be more behind.
    last: Option<UserId>,
}

impl Users {
    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        mut page: P,
        mut add: Add<P, User>,
    ) -> Result<(P, Option<UserId>), StoreError> {
        let mut from = filter.after;
        for number in 0..MAX_STEPS {
            let most = if number == 0 { FETCHED_FIRST } else { FETCHED };
            let filter = Filter { after: from, ..filter.clone() };
            let step = self.0.scan(move |session| Box::pin(step(session, filter.clone(), most)));
            let Step { users, last } = step.await?;
            if users.into_iter().any(|user| add(&mut page, user) == ControlFlow::Break(())) {
                return Ok((page, None));
            }
            from = last;
            if from.is_none() {
                break;
            }
        }
        Ok((page, from))
    }
}

/// Goes through the next users, and fetches so many at most. The last one of a full step comes with it, marked,
/// whether it is shown or not.
async fn step(session: &Session, filter: Filter, most: u32) -> PgResult<Step> {
    let of = if filter.address.is_some() { "address = $2" } else { "$2::text IS NULL" };
    let (marked, shown, through) = match filter.test {
        TestData::Exclude => ("true", "NOT test", STEP_ROWS),
        TestData::Include => ("true", "true", most),
        TestData::Only => ("test", "true", most),
    };
    let select = format!(
        "WITH step AS MATERIALIZED (SELECT {COLUMNS} FROM users.user
             WHERE id > $1 AND {of} AND {marked} ORDER BY id LIMIT {through}),
         shown AS (SELECT * FROM step WHERE {shown} ORDER BY id LIMIT {most}),
         mark AS (SELECT * FROM step ORDER BY id OFFSET {through} - 1)
         SELECT *, false AS is_mark FROM shown UNION ALL SELECT *, true FROM mark ORDER BY is_mark, id"
    );
    let address = filter.address.as_ref().map(|address| EmailKey::as_str(address).to_owned());
    let rows = session.query(select, pg_params![behind(filter.after), address]).await?;
    let (mut users, mut last) = (Vec::with_capacity(rows.len()), None);
    for row in &rows {
        let user = user(row)?;
        if read(row, IS_MARK)? {
            last = Some(user.id);
        } else {
            users.push(user);
        }
    }
    if users.len() == most as usize {
        last = users.last().map(|user| user.id);
    }
    Ok(Step { users, last })
}
