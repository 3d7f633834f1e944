//! What a transaction on PostgreSQL promises: all of it or nothing, and no success that is none.

use ordersys_postgres::Temporary;
use ordersys_store::postgres::{Asked, PgOptions, Postgres, Session};
use ordersys_store::{StoreError, pg_params};

const MIGRATIONS: &[&str] =
    &["CREATE TABLE shop.item(id int8 PRIMARY KEY, units int8 NOT NULL CHECK (units >= 0));
     INSERT INTO shop.item VALUES (1, 10), (2, 20)"];

async fn opened() -> (Postgres, String) {
    let server = Temporary::shared();
    let address = server.database().expect("a database");
    let (database, password) = (address.database.clone(), Some(server.password().clone()));
    let (name, schema, migrations) = ("test", "shop", MIGRATIONS);
    let options = PgOptions { address, password, name, schema, migrations, oldest: 0 };
    (Postgres::open(&options).await.expect("opens"), database)
}

fn stored(database: &str) -> String {
    let sql = "SELECT string_agg(id || '=' || units, ' ' ORDER BY id) FROM shop.item";
    Temporary::shared().run(database, sql).expect("runs")
}

const UPDATE: &str = "UPDATE shop.item SET units = 5 WHERE id = ANY($1)";

/// Adds a row, changes what there is of the first three, and adds another row.
fn change(session: &Session, exactly: usize) -> Asked<'_, ()> {
    Box::pin(async move {
        let transaction = session.begin();
        transaction.execute("INSERT INTO shop.item VALUES (8, 1)", pg_params![]);
        transaction.execute_exactly(exactly, UPDATE, pg_params![vec![1_i64, 2, 3]]);
        transaction.execute("INSERT INTO shop.item VALUES (9, 1)", pg_params![]);
        transaction.commit().await
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_changes_another_number_of_rows_than_it_must_changes_nothing() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let (store, database) = opened().await;
    let refused = store.write(|session| change(session, 3)).await.expect_err("there are two");
    assert!(matches!(refused, StoreError::Busy), "{refused}");
    assert_eq!(stored(&database), "1=10 2=20");
    store.write(|session| change(session, 2)).await.expect("there are two");
    assert_eq!(stored(&database), "1=5 2=5 8=1 9=1");
}

/// A failing statement whose own result nobody waits for.
fn fail(session: &Session) -> Asked<'_, ()> {
    Box::pin(async move {
        let transaction = session.begin();
        transaction.execute("INSERT INTO shop.item VALUES (7, 1)", pg_params![]);
        transaction.execute("UPDATE shop.item SET units = -1", pg_params![]);
        transaction.commit().await
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_after_a_failed_statement_is_told_as_a_failure() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let (store, database) = opened().await;
    let refused = store.write(|session| fail(session)).await.expect_err("units cannot be negative");
    assert!(matches!(&refused, StoreError::Statement(why) if why.contains("check constraint")), "{refused}");
    assert_eq!(stored(&database), "1=10 2=20");
}
