//! Looks a database through that was not closed, beside the service: a crash may have left a
//! damaged file. Reads the whole file once, at the lowest priority.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rusqlite::Connection;

use crate::database::condition::{Condition, Trouble};
use crate::database::fault::Fault;

/// The lowest priority there is.
const NICE: i32 = 19;
/// Steps of SQLite's machine between two looks at whether the store is closed.
const STEPS: i32 = 10_000;

/// Checks the structure of every table and index. Ends early when the store is closed.
pub(crate) fn run(
    mut connection: Connection,
    name: &'static str,
    condition: &Condition,
    closing: &Arc<AtomicBool>,
) {
    // Of this thread alone: Linux knows no priority of a process.
    let _ = rustix::process::setpriority_process(None, NICE);
    let began = Instant::now();
    let asked = Arc::clone(closing);
    let outcome = connection
        .progress_handler(STEPS, Some(move || asked.load(Ordering::Relaxed)))
        .and_then(|()| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)));
    match outcome {
        Ok(found) if found == "ok" => {
            let seconds = began.elapsed().as_secs_f64();
            tracing::info!(store = name, seconds, "the store was not closed: it was checked and is sound");
        }
        Ok(found) => condition.notice(Trouble::Damaged, &found),
        Err(error) if Fault::of(&error) == Fault::Damaged => condition.notice_reading(&error),
        Err(error) => tracing::debug!(store = name, %error, "the store is not checked"),
    }
}
