//! Many lines on stdout, as fast as the reader takes them.

use std::io::{self, BufWriter, Stdout, Write as _};
use std::ops::ControlFlow;

/// Bytes gathered before they are written.
const BUFFER: usize = 64 * 1024;

/// Lines on their way to stdout. Breaks off when the reader is gone (`| head`).
#[derive(Debug)]
pub struct Lines(BufWriter<Stdout>);

impl Lines {
    pub(super) fn new() -> Self {
        Self(BufWriter::with_capacity(BUFFER, io::stdout()))
    }

    /// Adds a line; it is written with the next [`Self::flush`] at the latest.
    pub fn line(&mut self, text: &str) -> ControlFlow<()> {
        go_on(&writeln!(self.0, "{text}"))
    }

    /// Writes what was gathered.
    pub fn flush(&mut self) -> ControlFlow<()> {
        go_on(&self.0.flush())
    }
}

/// Lines for a stdout that is gone or full are lost, and that cannot be reported there either.
fn go_on(written: &io::Result<()>) -> ControlFlow<()> {
    if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}
