//! What people see: data on stdout, talk on stderr. The only user of crossterm and indicatif.

use std::fmt::Write as _;

use ordersys_command::progress::Event;
use ordersys_command::{Events, Pasted, steers};
use ordersys_report::draw::terminal;
use serde::Serialize;

mod failure;
mod live;
mod out;
mod progress;
mod screen;

use crate::render::progress::Bars;

pub use crate::render::failure::{failure, help, usage};
pub(crate) use crate::render::live::Live;
pub use crate::render::live::run;
pub use crate::render::out::{Lines, lost};
pub use crate::render::progress::Progress;
pub use crate::render::screen::{Screen, stops};

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

    /// The same, which may take the whole terminal to show what goes on; that needs one at stdout that can be drawn over.
    #[must_use]
    pub fn full_screen(self) -> Option<Self> {
        terminal::stdout().is_live.then_some(Self { full_screen: true, ..self })
    }

    /// The whole terminal, if it may be taken.
    pub fn screen(&self) -> std::io::Result<Option<Screen>> {
        self.full_screen.then(Screen::take).transpose()
    }

    /// How data goes out.
    #[must_use]
    pub fn output(&self) -> Output {
        self.output
    }

    /// Whether data goes out as JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    /// Prints data: as JSON, or as what `text` makes of it.
    pub fn data<T: Serialize + ?Sized>(&self, value: &T, text: impl FnOnce() -> String) {
        match self.output {
            Output::Json => match serde_json::to_string_pretty(value) {
                Ok(json) => out::write(&json_text(&json)),
                Err(error) => out::unwritable(error),
            },
            Output::Table => out::print(&text()),
            Output::Nothing => {}
        }
    }

    /// Prints text that is the same however data is printed: what another program reads, such as a page or a script.
    pub fn out(&self, text: &str) {
        if self.output != Output::Nothing {
            out::write(text.trim_end());
        }
    }

    /// Takes what was printed off the terminal, where stdout is one: the next data is shown in its place.
    pub fn clear(&self) {
        if self.output == Output::Table && terminal::stdout().is_live {
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
            out::say(&set_in(&self.pasted.text(text.as_ref()), "  "));
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
        let stderr = terminal::stderr();
        Progress::new(total, what, stderr.width.filter(|_| stderr.is_live && !self.quiet))
    }
}

/// A text whose further lines are set in, so that none of them can pass for a line of ours.
fn set_in(text: &str, margin: &str) -> String {
    text.trim_end().replace('\n', &format!("\n{margin}"))
}

/// JSON as a terminal may be shown it, too: what would steer it stands in strings only, and is escaped there.
#[must_use]
pub fn json_text(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if steers(c) && !matches!(c, '\n' | '\t' | '\r') {
            let _ = write!(text, "\\u{:04x}", u32::from(c)); // all of these have four digits
        } else {
            text.push(c);
        }
    }
    text
}
