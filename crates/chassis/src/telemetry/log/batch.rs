//! Writes log lines in large pieces: at high load a system call per line would cost more than the line.
//! `tracing_appender` writes each line as it comes, and flushes when none is left; it counts the lines it
//! drops, and reports them nowhere.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing_appender::non_blocking::ErrorCounter;

/// How long lines are collected before they are written.
const BATCH_INTERVAL: Duration = Duration::from_millis(20);
/// Bytes after which a piece is written although more lines wait.
const MAX_PIECE_BYTES: usize = 1024 * 1024;

/// How many lines were dropped; clones share it. The counter exists only once the writer does.
#[derive(Debug, Clone, Default)]
pub(super) struct DropCount(Arc<OnceLock<ErrorCounter>>);

impl DropCount {
    pub(super) fn connect(&self, counter: ErrorCounter) {
        let _ = self.0.set(counter);
    }

    pub(super) fn lines(&self) -> usize {
        self.0.get().map_or(0, ErrorCounter::dropped_lines)
    }
}

/// Collects lines for a moment and writes them as one piece. A reader that went away ends nothing.
pub(super) struct Batched<W> {
    output: W,
    piece: Vec<u8>,
    dropped: DropCount,
    reported: usize,
}

impl<W: Write> Batched<W> {
    pub(super) fn new(output: W, dropped: DropCount) -> Self {
        Self { output, piece: Vec::new(), dropped, reported: 0 }
    }

    fn write_piece(&mut self) {
        let _ = self.output.write_all(&self.piece).and_then(|()| self.output.flush());
        self.piece.clear();
        let dropped = self.dropped.lines();
        let more = dropped - self.reported;
        if more > 0 {
            self.reported = dropped;
            tracing::warn!(dropped = more, "log lines were dropped: what reads them was too slow");
        }
    }
}

impl<W: Write> Write for Batched<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            std::thread::sleep(BATCH_INTERVAL);
        }
        self.piece.extend_from_slice(line);
        if self.piece.len() >= MAX_PIECE_BYTES {
            self.write_piece();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.piece.is_empty() {
            self.write_piece();
        }
        Ok(())
    }
}
