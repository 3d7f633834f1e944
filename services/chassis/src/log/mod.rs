//! Log output: JSON lines for machines, text for a terminal, written off the request path.
//!
//! Lines are collected in memory and written by a thread of their own a few times a second, in
//! large pieces: at high load a system call per line would cost more than the line.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

mod json;

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

/// How long lines are collected before they are written.
const GATHER: Duration = Duration::from_millis(20);
/// Bytes that may wait to be written; then logging waits for the reader instead of losing lines.
const MAX_WAITING: usize = 8 * 1024 * 1024;

/// The filter is not one.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a log level (error, warn, info, debug, trace) or filter")]
pub struct NotAFilter(String);

/// Writes the lines still waiting when dropped.
#[derive(Debug)]
pub struct Guard {
    lines: Lines,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.lines.waiting().ended = true;
        self.lines.0.changed.notify_all();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Starts logging to stdout for the whole process.
pub fn start(format: Format, filter: &str) -> Result<Guard, NotAFilter> {
    let filter = EnvFilter::try_new(filter).map_err(|_| NotAFilter(filter.to_owned()))?;
    let lines = Lines::default();
    let writer = std::thread::Builder::new().name("log-writer".to_owned()).spawn({
        let lines = lines.clone();
        move || lines.write_all(&mut io::stdout())
    });
    let make = {
        let lines = lines.clone();
        move || lines.clone()
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(make).with_target(false);
    let started = match format {
        Format::Json => subscriber.event_format(json::JsonLines).try_init(),
        Format::Text(colour) => subscriber.compact().with_ansi(colour == Colour::On).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging had been started before");
    }
    Ok(Guard { lines, writer: writer.ok() })
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// Lines on their way to the writer; clones share them.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Shared>);

impl Lines {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what comes until logging ends. A reader that went away ends nothing.
    fn write_all(&self, output: &mut impl Write) {
        let mut piece = Vec::new();
        loop {
            let empty = |waiting: &mut Waiting| waiting.bytes.is_empty() && !waiting.ended;
            let waiting = self.0.changed.wait_while(self.waiting(), empty);
            let ended = waiting.unwrap_or_else(PoisonError::into_inner).ended;
            if !ended {
                std::thread::sleep(GATHER);
            }
            std::mem::swap(&mut piece, &mut self.waiting().bytes);
            self.0.changed.notify_all();
            let _ = output.write_all(&piece).and_then(|()| output.flush());
            piece.clear();
            if ended && self.waiting().bytes.is_empty() {
                return;
            }
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let full = |waiting: &mut Waiting| waiting.bytes.len() >= MAX_WAITING && !waiting.ended;
        let waiting = self.0.changed.wait_while(self.waiting(), full);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let first = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line);
        drop(waiting);
        if first {
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_written_in_its_order() {
        let lines = Lines::default();
        let writer = std::thread::spawn({
            let lines = lines.clone();
            move || {
                let mut output = Vec::new();
                lines.write_all(&mut output);
                output
            }
        });
        for number in 0..10_000 {
            writeln!(lines.clone(), "{number}").expect("is taken");
        }
        drop(Guard { lines, writer: None });
        let output = String::from_utf8(writer.join().expect("ends")).expect("text");
        let expected: Vec<_> = (0..10_000).map(|number| number.to_string()).collect();
        assert_eq!(output.lines().collect::<Vec<_>>(), expected);
    }
}
