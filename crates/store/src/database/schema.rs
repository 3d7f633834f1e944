//! Whether a database has the tables, indexes and triggers that its schema number promises. What is missing makes
//! queries slow or wrong, and a trigger that was added by hand changes rows behind the services' backs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;

use crate::{OpenError, Options};

/// What a database is made of. Tables and indexes that were added by hand are of no concern.
#[derive(Debug, Default)]
struct Schema {
    /// The columns of each table.
    tables: BTreeMap<String, BTreeSet<String>>,
    /// The statement of each index, in one form.
    indexes: BTreeMap<String, String>,
    triggers: BTreeSet<String>,
}

impl Schema {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let mut schema = Self::default();
        let select = "SELECT type, name, ifnull(sql, '') FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*'";
        let mut objects = connection.prepare(select)?;
        let mut rows = objects.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            match kind.as_str() {
                "table" => drop(schema.tables.insert(name.clone(), columns(connection, &name)?)),
                "index" => drop(schema.indexes.insert(name, plain(&sql))),
                "trigger" => drop(schema.triggers.insert(name)),
                _ => {}
            }
        }
        Ok(schema)
    }

    /// Runs migrations in a database of their own, which is a file without a name once its cache is full.
    fn after(migrations: &[&str]) -> rusqlite::Result<Self> {
        let model = Connection::open("")?;
        model.pragma_update(None, "synchronous", "off")?;
        migrations.iter().try_for_each(|migration| model.execute_batch(migration))?;
        Self::of(&model)
    }

    /// What is the matter with `found`, if it should be this.
    fn differs(&self, found: &Self) -> Option<String> {
        if let Some(name) = found.triggers.difference(&self.triggers).next() {
            return Some(format!("has a trigger `{name}` that is not its own"));
        }
        if let Some(name) = self.triggers.difference(&found.triggers).next() {
            return Some(format!("has no trigger `{name}`"));
        }
        for (table, columns) in &self.tables {
            let Some(has) = found.tables.get(table) else { return Some(format!("has no table `{table}`")) };
            if let Some(column) = columns.difference(has).next() {
                return Some(format!("has no column `{column}` in its table `{table}`"));
            }
        }
        self.indexes.iter().find_map(|(name, sql)| match found.indexes.get(name) {
            None => Some(format!("has no index `{name}`: {sql}")),
            Some(has) if has != sql => Some(format!("has another index `{name}` than: {sql}")),
            Some(_) => None,
        })
    }
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<BTreeSet<String>> {
    let mut names = connection.prepare_cached("SELECT name FROM pragma_table_xinfo(?1)")?;
    names.query_map([table], |row| row.get(0))?.collect()
}

/// A statement in the one form that versions of SQLite, which rewrite it when a column is renamed, agree on.
fn plain(sql: &str) -> String {
    let words: Vec<_> = sql.split_whitespace().collect();
    words.join(" ").replace(['"', '`', '[', ']'], "")
}

/// Fails if the database is not what `number` migrations make. Changes nothing.
pub(crate) fn check(
    connection: &Connection,
    options: &Options,
    path: &Path,
    number: usize,
) -> Result<(), OpenError> {
    let done = &options.migrations[..number.min(options.migrations.len())];
    let differs = || Ok(Schema::after(done)?.differs(&Schema::of(connection)?));
    let why = differs().map_err(|source: rusqlite::Error| OpenError::database(path, source))?;
    why.map_or(Ok(()), |why| Err(OpenError::Schema { path: path.to_owned(), why }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: &str = "CREATE TABLE a(x TEXT, y INTEGER); CREATE INDEX a_by_x ON a(x) WHERE y = 1;";

    fn differs(changed: &str) -> Option<String> {
        let found = Schema::after(&[MADE, changed]).expect("runs");
        Schema::after(&[MADE]).expect("runs").differs(&found)
    }

    #[test]
    fn what_is_missing_or_changes_rows_by_itself_is_told_and_nothing_else() {
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a; END";
        let other = "DROP INDEX a_by_x; CREATE INDEX a_by_x ON a(x)";
        for (changed, told) in [
            ("DROP INDEX a_by_x", "has no index `a_by_x`: CREATE INDEX a_by_x ON a(x) WHERE y = 1"),
            (other, "has another index `a_by_x` than: CREATE INDEX a_by_x ON a(x) WHERE y = 1"),
            ("DROP TABLE a", "has no table `a`"),
            ("DROP INDEX a_by_x; ALTER TABLE a DROP COLUMN y", "has no column `y` in its table `a`"),
            (trigger, "has a trigger `t` that is not its own"),
        ] {
            assert_eq!(differs(changed).as_deref(), Some(told), "{changed}");
        }
        let rewritten = "ALTER TABLE a RENAME COLUMN x TO z; ALTER TABLE a RENAME COLUMN z TO x";
        for harmless in ["", "CREATE TABLE b(x); CREATE INDEX more ON a(y); ANALYZE", rewritten] {
            assert_eq!(differs(harmless), None, "{harmless}");
        }
    }
}
