//! Users of earlier versions, moved here, get the form of their address in which it is compared now.

use ordersys_store::postgres::{PgResult, Row, Session, Transaction};
use ordersys_store::{StoreError, pg_params};
use uuid::Uuid;

use super::Users;
use super::rows::read;
use crate::domain::login;

/// Most users that are completed in one transaction.
const BATCH: usize = 500;

impl Users {
    pub(crate) async fn complete_addresses(&self) -> Result<(), StoreError> {
        while self.0.write(|session| Box::pin(complete_some(session))).await? == BATCH {}
        Ok(())
    }
}

async fn complete_some(session: &Session) -> PgResult<usize> {
    let select =
        "SELECT id, email, login IS NOT NULL FROM users.user WHERE address IS NULL ORDER BY id LIMIT $1
                  FOR UPDATE";
    let transaction = session.begin();
    let most = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let rows = transaction.query(select, pg_params![most]).await?;
    if !rows.is_empty() {
        complete(&transaction, &rows)?;
        transaction.commit().await?;
    }
    Ok(rows.len())
}

fn complete(transaction: &Transaction<'_>, rows: &[Row]) -> PgResult<()> {
    let (mut ids, mut forms) = (Vec::new(), Vec::new());
    let (mut registered, mut logins) = (Vec::new(), Vec::new());
    for row in rows {
        let (id, form): (Uuid, String) = (read(row, 0)?, login(read(row, 1)?));
        // Of those that have the same form here, the first one gets it.
        if read(row, 2)? && !logins.contains(&form) {
            registered.push(id);
            logins.push(form.clone());
        }
        ids.push(id);
        forms.push(form);
    }
    let address = "UPDATE users.user AS u SET address = n.form FROM unnest($1, $2) AS n(id, form)
                   WHERE u.id = n.id";
    transaction.execute_exactly(rows.len(), address, pg_params![ids, forms]);
    let own = "UPDATE users.user AS u SET login = n.form FROM unnest($1, $2) AS n(id, form)
               WHERE u.id = n.id AND NOT EXISTS (SELECT 1 FROM users.user AS o WHERE o.login = n.form)";
    transaction.execute(own, pg_params![registered, logins]);
    Ok(())
}
