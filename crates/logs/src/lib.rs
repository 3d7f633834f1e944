//! The logs of a stack as one stream: read from each service's source, filtered, merged by time.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

mod container;
mod file;
mod filter;
mod find;
mod last;
mod line;
mod merge;
mod rolling;
mod source;
mod text;
pub mod trace;

pub use crate::filter::Filter;
pub use crate::find::{Found, find};
pub use crate::line::{Level, Line};
pub use crate::source::Source;
pub use crate::text::{Colour, render};

use crate::last::Last;
use crate::merge::{Merger, Step};
use crate::source::Feed;

/// Batches of lines a source may be ahead.
const AHEAD: usize = 4;

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was written; a line that does not say is put behind the one before it.
    pub at: jiff::Timestamp,
    /// The source it was read from.
    pub source: Arc<str>,
    /// The line as it stands, without its end.
    pub text: String,
}

impl Entry {
    /// Which service wrote it, given the one that the line names: of several replicas a line names only what they are.
    #[must_use]
    pub fn service<'a>(&'a self, named: Option<&'a str>) -> &'a str {
        named.filter(|_| !self.is_of_a_replica()).unwrap_or(&self.source)
    }

    /// Whether it is of a further one of several services that are alike.
    #[must_use]
    pub fn is_of_a_replica(&self) -> bool {
        self.source.contains('.')
    }
}

/// When the stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When all that is there was shown.
    Now,
    /// Never by itself: new lines are shown as they come.
    Stopped,
}

/// What a stream shows next.
#[derive(Debug)]
pub enum Shown<'a> {
    /// So many lines that were there already were left out before the next one.
    LeftOut(u64),
    /// A line.
    Line(&'a Entry),
    /// Nothing at the moment: a good time to write out what is buffered.
    Pause,
}

/// Shows the wanted lines of all sources in the order of their times, until there are no more or
/// `show` breaks off. Of those that are there already it shows the last ones only, if their number is given.
pub async fn stream(
    sources: Vec<Source>,
    filter: Filter,
    until: Until,
    last: Option<usize>,
    mut show: impl FnMut(Shown<'_>) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let mut merger = Merger::new(sources.len());
    let mut last = last.map(|most| Last::new(most, jiff::Timestamp::now()));
    let (sender, mut receiver) = mpsc::channel(AHEAD * sources.len().max(1));
    let filter = Arc::new(filter);
    for (index, source) in sources.into_iter().enumerate() {
        source.start(Feed { index, filter: Arc::clone(&filter), until, to: sender.clone() })?;
    }
    drop(sender);
    loop {
        let step = merger.step(Instant::now());
        let is_over = match &step {
            Step::Show(entry) => !last.as_mut().is_some_and(|last| last.keeps(entry)),
            Step::Receive => merger.has_caught_up(),
            Step::ReceiveUntil(_) => false,
            Step::Done => true,
        };
        if is_over
            && let Some(last) = last.take()
            && last.show(&mut show).is_break()
        {
            return Ok(());
        }
        let flow = match &step {
            Step::Show(_) if last.is_some() => ControlFlow::Continue(()),
            Step::Show(entry) => show(Shown::Line(entry)),
            Step::Receive | Step::ReceiveUntil(_) if receiver.is_empty() => show(Shown::Pause),
            Step::Receive | Step::ReceiveUntil(_) => ControlFlow::Continue(()),
            Step::Done => return Ok(()),
        };
        if flow.is_break() {
            return Ok(());
        }
        let received = match step {
            Step::Receive => receiver.recv().await,
            Step::ReceiveUntil(moment) => {
                match tokio::time::timeout_at(moment.into(), receiver.recv()).await {
                    Ok(received) => received,
                    Err(_) => continue,
                }
            }
            Step::Show(_) | Step::Done => continue,
        };
        let Some((source, input)) = received else { return Ok(()) };
        merger.take(source, input?, Instant::now());
    }
}
