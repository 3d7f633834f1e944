//! Feeds the lines of a log file to the merger, and new ones as they come.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::merge::Input;
use crate::rolling::{LogFile, Progress};
use crate::source::{Feed, Sieve};
use crate::{Entry, Until};

/// Pause between two looks for new lines.
const LOOK: Duration = Duration::from_millis(50);

/// Feeds a file's lines to the merger: to its end, or on and on. Returns early when the receiver is
/// gone.
pub(crate) fn read(feed: &Feed, name: Arc<str>, path: &Path) -> anyhow::Result<()> {
    let mut log = LogFile::new(path.to_owned(), feed.filter.since);
    let mut sieve = Sieve::new(name, &feed.filter);
    let mut caught_up = false;
    loop {
        let mut lines = Vec::new();
        let progress = log.read(&mut lines).with_context(|| format!("cannot read {}", path.display()))?;
        let ended = progress == Progress::AtEnd && feed.until == Until::Now;
        if ended {
            log.finish(&mut lines);
        }
        let entries: Vec<Entry> = lines.into_iter().filter_map(|line| sieve.pass(line, None)).collect();
        let first_end = progress == Progress::AtEnd && !std::mem::replace(&mut caught_up, true);
        let said = [
            (!entries.is_empty()).then_some(Input::Lines(entries)),
            ended.then_some(Input::Ended).or(first_end.then_some(Input::CaughtUp)),
        ];
        for input in said.into_iter().flatten() {
            if feed.to.blocking_send((feed.index, Ok(input))).is_err() {
                return Ok(());
            }
        }
        if ended || feed.to.is_closed() {
            return Ok(());
        }
        if progress == Progress::AtEnd {
            std::thread::sleep(LOOK);
        }
    }
}
