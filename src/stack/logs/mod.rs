//! The logs of a stack as one stream: read from each service's source, filtered, merged by time.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::mpsc;

mod file;
mod filter;
mod line;
mod merge;
mod text;

pub use filter::Filter;
pub use line::{Level, Line};
pub use text::{Colour, render};

use file::{LogFile, Progress};
use merge::{Input, Merger, Step};

/// Pause between two looks for new lines.
const LOOK: Duration = Duration::from_millis(50);
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

/// Where lines come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The log file of a local process, and its predecessor.
    File {
        /// The service's name.
        name: Arc<str>,
        /// The file; it need not be there yet.
        path: PathBuf,
    },
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
    /// A line.
    Line(&'a Entry),
    /// Nothing at the moment: a good time to write out what is buffered.
    Pause,
}

type Received = (usize, anyhow::Result<Input>);

/// Shows the wanted lines of all sources in the order of their times, until there are no more or
/// `show` breaks off.
pub async fn stream(
    sources: Vec<Source>,
    filter: Filter,
    until: Until,
    mut show: impl FnMut(Shown<'_>) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let mut merger = Merger::new(sources.len());
    let (sender, mut receiver) = mpsc::channel(AHEAD * sources.len().max(1));
    let filter = Arc::new(filter);
    for (index, source) in sources.into_iter().enumerate() {
        start(index, source, Arc::clone(&filter), until, sender.clone())?;
    }
    drop(sender);
    loop {
        let step = merger.step(Instant::now());
        let flow = match &step {
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

/// Starts reading a source.
fn start(
    index: usize,
    source: Source,
    filter: Arc<Filter>,
    until: Until,
    to: mpsc::Sender<Received>,
) -> anyhow::Result<()> {
    match source {
        Source::File { name, path } => {
            let read = move || {
                let outcome = read_file(index, (name, path), &filter, until, &to);
                if let Err(error) = outcome {
                    let _ = to.blocking_send((index, Err(error))); // nobody listens any more
                }
            };
            std::thread::Builder::new()
                .name("logs".to_owned())
                .spawn(read)
                .context("cannot start a thread")?;
        }
    }
    Ok(())
}

/// Reads a file to its end, and on. Returns early when nobody listens any more.
fn read_file(
    index: usize,
    (name, path): (Arc<str>, PathBuf),
    filter: &Filter,
    until: Until,
    to: &mpsc::Sender<Received>,
) -> anyhow::Result<()> {
    let mut log = LogFile::new(path.clone(), filter.since);
    let mut sieve = Sieve::new(name, filter);
    let mut caught_up = false;
    loop {
        let mut lines = Vec::new();
        let progress = log.read(&mut lines).with_context(|| format!("cannot read {}", path.display()))?;
        let ended = progress == Progress::AtEnd && until == Until::Now;
        if ended {
            log.finish(&mut lines);
        }
        let entries: Vec<Entry> = lines.into_iter().filter_map(|line| sieve.pass(line, None)).collect();
        let mut inputs = Vec::new();
        if !entries.is_empty() {
            inputs.push(Input::Lines(entries));
        }
        if ended {
            inputs.push(Input::Ended);
        } else if progress == Progress::AtEnd && !std::mem::replace(&mut caught_up, true) {
            inputs.push(Input::CaughtUp);
        }
        for input in inputs {
            if to.blocking_send((index, Ok(input))).is_err() {
                return Ok(());
            }
        }
        match (ended, progress) {
            (true, _) => return Ok(()),
            (false, Progress::AtEnd) => std::thread::sleep(LOOK),
            (false, Progress::More) => {}
        }
        if to.is_closed() {
            return Ok(());
        }
    }
}

/// Turns the lines of one source into entries and lets the wanted ones pass.
struct Sieve<'a> {
    source: Arc<str>,
    filter: &'a Filter,
    last: jiff::Timestamp,
}

impl<'a> Sieve<'a> {
    fn new(source: Arc<str>, filter: &'a Filter) -> Self {
        Self { source, filter, last: jiff::Timestamp::MIN }
    }

    /// The entry of a line, if it is wanted; `at` is the time the source knows, if it does.
    fn pass(&mut self, text: String, at: Option<jiff::Timestamp>) -> Option<Entry> {
        if !self.filter.may_keep(&text) {
            return None;
        }
        let line = Line::parse(&text);
        let at = at.or_else(|| line.as_ref()?.at).unwrap_or(self.last);
        self.last = at;
        if !self.filter.keeps(&self.source, at, line.as_ref()) {
            return None;
        }
        Some(Entry { at, source: Arc::clone(&self.source), text })
    }
}
