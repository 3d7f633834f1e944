//! Lists whose filters let little through: each page goes through a bounded number of rows, some at a time, so
//! that others have their turn in between.

use rusqlite::Connection;

use crate::{Store, StoreError};

/// Rows that one step goes through: a few milliseconds.
pub const STEP_ROWS: u32 = 5_000;
/// Steps for one page. What is left is for the next one.
pub const MAX_STEPS: u32 = 50;

/// How far a step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached<K> {
    /// All rows were gone through.
    End,
    /// The page has no room for another row.
    Full,
    /// This row is the last one the step went through.
    Row(K),
}

impl Store {
    /// Makes a page in steps, each beginning after the row that the one before reached, or at `from`. Returns
    /// the page, and the last row gone through if the page still has room and rows are left.
    pub async fn visit<P, K, F>(
        &self,
        mut from: Option<K>,
        mut page: P,
        mut step: F,
    ) -> Result<(P, Option<K>), StoreError>
    where
        P: Send + 'static,
        K: Copy + Send + 'static,
        F: FnMut(&Connection, Option<K>, &mut P) -> rusqlite::Result<Reached<K>> + Send + 'static,
    {
        for _ in 0..MAX_STEPS {
            let stepped = self.scan(move |connection| {
                let reached = step(connection, from, &mut page)?;
                Ok((reached, page, step))
            });
            let reached;
            (reached, page, step) = stepped.await?;
            match reached {
                Reached::End | Reached::Full => return Ok((page, None)),
                Reached::Row(last) => from = Some(last),
            }
        }
        Ok((page, from))
    }
}
