//! Log output: JSON lines for machines, text for a terminal, written off the request path by
//! `tracing_appender`'s thread. Requests never wait for it: lines that find no room are dropped and counted.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use tracing::Subscriber;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

mod batch;
mod json;

use batch::{Batched, DropCount};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// Text to read.
    Text(Colour),
}

/// Whether text has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// For a terminal.
    On,
    /// For files and pipes.
    Off,
}

/// Lines that may wait to be written, some MiB. A reader that stands still must not hold up requests.
const MAX_WAITING_LINES: usize = 8192;
/// How long the lines that still wait may take to be written when logging ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// The filter is not one.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a log level (error, warn, info, debug, trace) or filter")]
pub struct NotAFilter(String);

/// Writes the lines still waiting when dropped, for at most two seconds.
#[derive(Debug)]
pub struct Guard(Option<WorkerGuard>);

impl Drop for Guard {
    /// The library's guard prints to stdout when its queue stays full: if that is what stands still, it never
    /// returns. So it is dropped in a thread of its own.
    fn drop(&mut self) {
        let worker = self.0.take();
        let (done, flushed) = mpsc::channel();
        let dropping = std::thread::Builder::new().name("log-flush".to_owned()).spawn(move || {
            drop(worker);
            let _ = done.send(());
        });
        if dropping.is_ok() {
            let _ = flushed.recv_timeout(FLUSH_TIMEOUT);
        }
    }
}

/// A text that says which lines are logged, if it is one.
pub fn filter(text: &str) -> Result<String, NotAFilter> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|_| NotAFilter(text.to_owned()))
}

/// Starts logging to stdout for the whole process.
pub fn start(format: Format, filter: &str) -> Result<Guard, NotAFilter> {
    let filter = EnvFilter::try_new(filter).map_err(|_| NotAFilter(filter.to_owned()))?;
    let (lines, guard) = queue(io::stdout());
    let started = match format {
        Format::Json => json_lines(lines, filter).try_init(),
        Format::Text(colour) => {
            let text = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines);
            text.with_target(false).compact().with_ansi(colour == Colour::On).finish().try_init()
        }
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging had been started before");
    }
    Ok(guard)
}

/// Lines on their way to `output`, and the guard of what waits.
fn queue(output: impl io::Write + Send + 'static) -> (NonBlocking, Guard) {
    let dropped = DropCount::default();
    let builder = NonBlockingBuilder::default().thread_name("log-writer");
    let builder = builder.lossy(true).buffered_lines_limit(MAX_WAITING_LINES);
    let (lines, worker) = builder.finish(Batched::new(output, dropped.clone()));
    dropped.connect(lines.error_counter());
    (lines, Guard(Some(worker)))
}

/// Lines with the members `timestamp`, `level` and the event's own, in its order.
fn json_lines<W>(lines: W, filter: EnvFilter) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines);
    lines.event_format(json::JsonLines).finish()
}

#[cfg(test)]
mod tests;
