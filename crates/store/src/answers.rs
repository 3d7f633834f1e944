//! Answers to commands that must not be done twice, kept for minutes under an id that the caller made once.
//!
//! A commit whose outcome is unknown is settled by running its commands again. Most commands see by the rows they
//! wrote that they were done. Those that add something, or whose rows others may change at once, see it here. Of what
//! wrote nothing no answer is kept: it is decided anew.

use std::time::Instant;

use ordersys_contract::Id;
use ordersys_contract::id::Kind;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::retention::{BATCH, Id as Number, Recent, Retention};
use crate::{Store, StoreError};

/// The migration that makes the table.
pub const TABLE: &str = "
    -- What was answered to commands that must not be done twice, as JSON, for minutes.
    CREATE TABLE answered(
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        answer TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Marks the id of a command.
#[derive(Debug, Clone, Copy)]
pub enum CommandKind {}

impl Kind for CommandKind {
    const NAME: &'static str = "command";
}

/// The id of a command. The use case makes one for each request, before it asks the store.
pub type CommandId = Id<CommandKind>;

/// The answers that a store keeps; clones share what they know of their age.
#[derive(Debug, Clone)]
pub struct Answers(Recent);

impl Answers {
    /// Answers that go once they have been kept for `Retention::settle` of the default.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self(Recent::new(Retention::default(), now))
    }

    /// What was answered to this command, if it was done.
    pub fn find<T: DeserializeOwned>(connection: &Connection, id: CommandId) -> rusqlite::Result<Option<T>> {
        let select = "SELECT answer FROM answered WHERE id = ?1";
        let mut statement = connection.prepare_cached(select)?;
        let answer: Option<String> = statement.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
        let read = |answer: String| {
            serde_json::from_str(&answer)
                .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
        };
        answer.map(read).transpose()
    }

    /// Keeps what is answered to this command, in the transaction that does it.
    pub fn keep<T: Serialize>(
        &self,
        connection: &Connection,
        id: CommandId,
        answer: &T,
    ) -> rusqlite::Result<()> {
        let answer = serde_json::to_string(answer)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let insert = "INSERT INTO answered(id, answer) VALUES (?1, ?2)";
        connection.prepare_cached(insert)?.execute(params![id.as_bytes(), answer])?;
        self.0.note(Number::from_be_bytes(*id.as_bytes()), Instant::now());
        Ok(())
    }

    /// Lets answers go that were kept long enough, up to a number; returns how many.
    pub async fn forget(&self, store: &Store) -> Result<usize, StoreError> {
        let some = "SELECT EXISTS (SELECT 1 FROM answered)";
        if self.0.bound(Instant::now()).is_none()
            || !store.read(move |connection| connection.query_row(some, [], |row| row.get(0))).await?
        {
            return Ok(0);
        }
        let recent = self.0.clone();
        let delete = "DELETE FROM answered WHERE id IN
                      (SELECT id FROM answered WHERE id < ?1 ORDER BY id LIMIT ?2)";
        let forget = move |connection: &Connection| {
            // Asked in the writer, after all that was written before.
            let Some(bound) = recent.bound(Instant::now()) else { return Ok(0) };
            connection.prepare_cached(delete)?.execute(params![bound.to_be_bytes(), BATCH])
        };
        store.write(forget).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retention::SETTLE;
    use crate::{Durability, Options};

    #[tokio::test]
    async fn an_answer_is_kept_for_a_while_whatever_the_clocks_say() {
        let dir = tempfile::tempdir().expect("a directory");
        let options = Options {
            dir: dir.path().to_owned(),
            durability: Durability::Memory,
            name: "test",
            migrations: &[TABLE],
        };
        let store = Store::open(&options).expect("opens");
        let keep = async |answers: &Answers, id: CommandId| {
            let answers = answers.clone();
            let command = move |connection: &Connection| match Answers::find::<u32>(connection, id)? {
                Some(answer) => Ok(answer),
                None => answers.keep(connection, id, &7).map(|()| 7),
            };
            store.write(command).await.expect("commits")
        };
        let long_ago = Instant::now().checked_sub(SETTLE).expect("the machine is up for longer");
        let (young, old) = (Answers::new(Instant::now()), Answers::new(long_ago));
        // As if its clock had been far behind.
        let [id, behind] = [CommandId::now(), CommandId::from_bytes([0; 16])];
        for id in [id, behind, id, behind] {
            assert_eq!(keep(&young, id).await, 7);
        }
        assert_eq!(young.forget(&store).await.expect("is asked"), 0, "who has just begun knows nothing");
        assert_eq!(old.forget(&store).await.expect("is asked"), 2, "they were written long before");
        assert_eq!((keep(&old, behind).await, old.forget(&store).await.ok()), (7, Some(0)));
    }
}
