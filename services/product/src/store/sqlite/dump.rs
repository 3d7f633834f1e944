//! All that is stored, for tests that look whether something was written.

use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::Tables;

impl Tables {
    /// All rows of all tables.
    pub(in crate::store) async fn rows(&self) -> Vec<String> {
        self.0.read(rows).await.expect("reads")
    }

    /// Runs a statement that no command of the service has.
    pub(in crate::store) async fn run(&self, statement: &'static str) {
        self.0.write(move |connection| connection.execute(statement, [])).await.expect("runs");
    }
}

fn rows(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let select = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let names =
        connection.prepare(select)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let mut all = Vec::new();
    for name in names {
        let mut statement = connection.prepare(&format!("SELECT * FROM {name}"))?;
        let columns = 0..statement.column_count();
        let values = |row: &Row<'_>| columns.clone().map(|column| row.get(column)).collect();
        for row in statement.query_map([], values)? {
            let row: Vec<Value> = row?;
            all.push(format!("{name} {row:?}"));
        }
    }
    Ok(all)
}
