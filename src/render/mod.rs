//! What people see: data on stdout, talk on stderr. The only user of comfy-table, crossterm and indicatif.

use std::io::{IsTerminal, Write};

use ordersys_command::progress::Event;
use ordersys_command::{Events, Pasted};
use serde::Serialize;

pub mod bench;
pub mod calibration;
pub mod comparison;
pub mod export;
pub mod html;
mod lines;
mod live;
mod progress;
pub mod saturation;
mod screen;
pub mod stack;
mod table;

pub use crate::render::lines::Lines;
use crate::render::progress::Bars;

pub(crate) use crate::render::live::Live;
pub use crate::render::live::run;
pub use crate::render::progress::Progress;
pub use crate::render::screen::{Screen, stops};
pub use crate::render::table::Table;

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// Tables to read.
    Table,
    /// JSON to pipe.
    Json,
    /// Not at all.
    #[value(skip)]
    Nothing,
}

/// Prints for one command.
#[derive(Debug, Clone)]
pub struct Printer {
    output: Output,
    quiet: bool,
    full_screen: bool,
    pasted: Pasted,
}

impl Printer {
    /// A printer; `quiet` drops talk, never data or errors.
    #[must_use]
    pub fn new(output: Output, quiet: bool) -> Self {
        Self { output, quiet, full_screen: false, pasted: Pasted::default() }
    }

    /// The same, completing each command it names with these flags.
    #[must_use]
    pub fn pasting(self, pasted: Pasted) -> Self {
        Self { pasted, ..self }
    }

    /// A printer that prints nothing: for work whose output the user did not ask for.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(Output::Nothing, true)
    }

    /// The same, which may take the whole terminal to show what goes on; that needs one at stdout.
    #[must_use]
    pub fn full_screen(self) -> Option<Self> {
        std::io::stdout().is_terminal().then_some(Self { full_screen: true, ..self })
    }

    /// The whole terminal, if it may be taken.
    pub fn screen(&self) -> std::io::Result<Option<Screen>> {
        self.full_screen.then(Screen::take).transpose()
    }

    /// Whether data goes out as JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    /// Prints data: as JSON, or as what `text` makes of it.
    pub fn data<T: Serialize + ?Sized>(&self, value: &T, text: impl FnOnce() -> String) {
        let text = match self.output {
            Output::Json => serde_json::to_string_pretty(value).unwrap_or_default(),
            Output::Table => text(),
            Output::Nothing => return,
        };
        self.out(&text);
    }

    /// Prints one line or block of text to stdout. A reader that went away (`| head`) ends nothing.
    pub fn out(&self, text: &str) {
        if self.output == Output::Nothing {
            return;
        }
        let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end());
    }

    /// Takes what was printed off the terminal, where stdout is one: the next data is shown in its place.
    pub fn clear(&self) {
        if self.output == Output::Table && std::io::stdout().is_terminal() {
            let _ = crossterm::execute!(
                std::io::stdout(),
                crossterm::terminal::Clear(crossterm::terminal::ClearType::All),
                crossterm::cursor::MoveTo(0, 0)
            );
        }
    }

    /// A stream of lines to stdout.
    #[must_use]
    pub fn lines(&self) -> Lines {
        Lines::new()
    }

    /// Says something to the person at the terminal, on stderr. Commands between backticks are completed.
    pub fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{}", self.pasted.text(text.as_ref()));
        }
    }

    /// Names the likely next command: a whole one, which is completed so that it works when pasted.
    pub fn next(&self, command: &str) {
        self.say(format!("next: {}", self.pasted.command(command)));
    }

    /// Shows what libraries report: talk and progress on stderr.
    #[must_use]
    pub fn events(&self) -> Events {
        let (printer, bars) = (self.clone(), Bars::default());
        Events::to(move |event| match event {
            Event::Said(text) => printer.say(text),
            Event::Started { task, what, total } => bars.add(task, printer.progress(total, &what)),
            Event::Advanced(task, more) => bars.with(task, |bar| bar.add(more)),
            Event::Reached(task, done) => bars.with(task, |bar| bar.set(done)),
            Event::Doing(task, what) => bars.with(task, |bar| bar.message(what)),
            Event::Finished(task) => bars.finish(task),
        })
    }

    /// A progress display on stderr, silent when quiet or not on a terminal.
    #[must_use]
    pub fn progress(&self, total: Option<u64>, what: &str) -> Progress {
        Progress::new(total, what, !self.quiet && std::io::stderr().is_terminal())
    }
}

/// Prints an error, its causes and the next step to stderr.
pub fn error(error: &anyhow::Error, hint: Option<&str>) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "error: {error}");
    for cause in error.chain().skip(1) {
        let _ = writeln!(stderr, "  cause: {cause}");
    }
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "\nhint: {hint}");
    }
}

#[cfg(test)]
mod tests;
