//! Log output: JSON lines for machines, text for a terminal, written off the request path.

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// Text to read.
    Text,
}

/// Lines that may wait to be written before the writing of a request waits for them.
const BUFFERED_LINES: usize = 16_384;

/// The filter is not one.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a log level (error, warn, info, debug, trace) or filter")]
pub struct NotAFilter(String);

/// Starts logging to stdout for the whole process. Lines still waiting are written when the
/// guard is dropped. No line is ever dropped for want of speed.
pub fn start(format: Format, filter: &str) -> Result<WorkerGuard, NotAFilter> {
    let filter = EnvFilter::try_new(filter).map_err(|_| NotAFilter(filter.to_owned()))?;
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(false)
        .buffered_lines_limit(BUFFERED_LINES)
        .finish(std::io::stdout());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    let started = match format {
        Format::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
        }
        Format::Text => lines.compact().try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging had been started before");
    }
    Ok(guard)
}
