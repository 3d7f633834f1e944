//! All that is stored, and statements of tests.

use ordersys_store::pg_params;
use ordersys_store::postgres::{PgResult, Session, get};

use super::Tables;

impl Tables {
    /// All rows of all tables.
    pub(in crate::store) async fn rows(&self) -> Vec<String> {
        self.store.scan(|session| Box::pin(rows(session))).await.expect("reads")
    }

    /// Runs a statement that no command of the service has; returns how many rows it changed.
    pub(in crate::store) async fn run(&self, statement: &'static str) -> u64 {
        let run = self
            .store
            .write(move |session| Box::pin(async move { session.execute(statement, pg_params![]).await }));
        run.await.expect("runs")
    }
}

async fn rows(session: &Session) -> PgResult<Vec<String>> {
    let mut all = Vec::new();
    for name in ["product", "reservation", "edition", "added", "seeded", "answered"] {
        let select = format!("SELECT t::text FROM products.{name} t ORDER BY 1");
        for row in session.query(select, pg_params![]).await? {
            all.push(format!("{name} {}", get::<&str>(&row, 0)?));
        }
    }
    Ok(all)
}
