//! The one place through which text leaves the program. It remembers what could not be written, so that a command whose
//! output is cut off does not end as if all had been well.

use std::io::{self, BufWriter, ErrorKind, Stdout, Write as _};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use ordersys_report::draw::ink;
use ordersys_report::draw::terminal::{self, Terminal};
use ordersys_report::draw::words::folded;

/// Bytes gathered before they are written.
const BUFFER: usize = 64 * 1024;

/// Why standard output is no longer written to.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes text with a line's end to standard output: in the colours that it has, all else escaped. Lines that a terminal
/// would break anywhere are broken between words.
pub(super) fn print(text: &str) {
    let Terminal { width, colour, .. } = terminal::stdout();
    let text = text.trim_end();
    let text = width.map_or_else(|| text.to_owned(), |width| folded(text, width));
    write(&ink::shown(&text, colour));
}

/// Writes text with a line's end to standard output, as it is.
pub(super) fn write(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = keep(writeln!(stdout, "{text}").and_then(|()| stdout.flush()));
}

/// Writes text with a line's end to standard error: in the colours that it has, all else escaped. Where that cannot be
/// written, nothing can be told.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", ink::shown(text, terminal::stderr().colour));
}

/// Remembers the first failure; writing goes on only where there was none.
fn keep(written: io::Result<()>) -> ControlFlow<()> {
    let Err(error) = written else { return ControlFlow::Continue(()) };
    LOST.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    ControlFlow::Break(())
}

/// Writes what is still buffered, and says why not all of standard output was written. A reader that went away (`| head`)
/// has all it wanted.
#[must_use]
pub fn lost() -> Option<io::Error> {
    let _ = keep(io::stdout().flush());
    let lost = LOST.lock().unwrap_or_else(PoisonError::into_inner).take();
    lost.filter(|error| error.kind() != ErrorKind::BrokenPipe)
}

/// Remembers data that could not be made into text.
pub(super) fn unwritable(error: serde_json::Error) {
    let _ = keep(Err(error.into()));
}

/// Many lines on their way to stdout, as fast as the reader takes them. Breaks off when they can go no further.
#[derive(Debug)]
pub struct Lines(BufWriter<Stdout>);

impl Lines {
    pub(super) fn new() -> Self {
        Self(BufWriter::with_capacity(BUFFER, io::stdout()))
    }

    /// Adds a line; it is written with the next [`Self::flush`] at the latest.
    pub fn line(&mut self, text: &str) -> ControlFlow<()> {
        keep(writeln!(self.0, "{text}"))
    }

    /// Writes what was gathered.
    pub fn flush(&mut self) -> ControlFlow<()> {
        keep(self.0.flush())
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}
