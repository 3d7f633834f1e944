//! Log output: JSON lines for machines, text for a terminal, written off the request path.
//!
//! Lines are collected in memory and written by a thread of their own a few times a second, in
//! large pieces: at high load a system call per line would cost more than the line.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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
/// Bytes that may wait to be written. Further lines are dropped and counted: a reader that stands still must
/// not hold up requests.
const MAX_WAITING: usize = 8 * 1024 * 1024;
/// How long the lines that still wait may take to be written when logging ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// The filter is not one.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a log level (error, warn, info, debug, trace) or filter")]
pub struct NotAFilter(String);

/// Writes the lines still waiting when dropped, unless their reader stands still.
#[derive(Debug)]
pub struct Guard {
    lines: Lines,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut waiting = self.lines.waiting();
        waiting.ended = true;
        self.lines.0.changed.notify_all();
        let writing = |waiting: &mut Waiting| waiting.has_writer;
        drop(self.lines.0.changed.wait_timeout_while(waiting, FAREWELL, writing));
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
    lines.waiting().has_writer &= writer.is_ok();
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
    Ok(Guard { lines })
}

#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    /// Lines for which there was no room, since that was last told.
    dropped: u64,
    ended: bool,
    /// Whether what waits is going to be written.
    has_writer: bool,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { bytes: Vec::new(), dropped: 0, ended: false, has_writer: true }
    }
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
            let _ = output.write_all(&piece).and_then(|()| output.flush());
            piece.clear();
            let mut waiting = self.waiting();
            let dropped = std::mem::take(&mut waiting.dropped);
            if ended && waiting.bytes.is_empty() {
                waiting.has_writer = false;
                self.0.changed.notify_all();
                return;
            }
            drop(waiting);
            if dropped > 0 {
                tracing::warn!(dropped, "log lines were dropped: what reads them was too slow");
            }
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.waiting();
        if waiting.bytes.len() >= MAX_WAITING {
            waiting.dropped += 1;
            return Ok(line.len());
        }
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
        drop(Guard { lines });
        let output = String::from_utf8(writer.join().expect("ends")).expect("text");
        let expected: Vec<_> = (0..10_000).map(|number| number.to_string()).collect();
        assert_eq!(output.lines().collect::<Vec<_>>(), expected);
    }

    /// Takes nothing, like a full pipe that is not read.
    struct Stuck;

    impl Write for Stuck {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            loop {
                std::thread::park();
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stands_still_holds_up_neither_lines_nor_the_end() {
        let lines = Lines::default();
        std::thread::spawn({
            let lines = lines.clone();
            move || lines.write_all(&mut Stuck)
        });
        let line = [b'x'; 1024];
        for _ in 0..3 * MAX_WAITING / line.len() {
            Write::write_all(&mut lines.clone(), &line).expect("is taken or dropped");
        }
        assert!(lines.waiting().dropped >= (MAX_WAITING / line.len()) as u64);
        assert!(lines.waiting().bytes.len() <= MAX_WAITING);
        let began = std::time::Instant::now();
        drop(Guard { lines });
        assert!(began.elapsed() < 2 * FAREWELL, "{:?}", began.elapsed());
    }
}
