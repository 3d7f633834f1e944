//! Progress of long work.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ordersys_command::printable;
use ordersys_command::progress::Task;

use ordersys_report::draw::terminal;
use ordersys_report::draw::words::{cut, fitting, width};

/// A terminal this wide has room for a bar; a narrower one shows the numbers alone.
const ROOM_FOR_BAR: usize = 72;
/// What a bar takes, with the blanks around it.
const BAR: usize = 24;

/// A bar, or a spinner where the total is not known. It keeps to one line, and drops off the screen when finished.
#[derive(Debug, Clone)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A display for a terminal of this width; none where there is no terminal for it.
    pub(super) fn new(total: Option<u64>, what: &str, terminal: Option<usize>) -> Self {
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let target = terminal.map_or_else(ProgressDrawTarget::hidden, |_| ProgressDrawTarget::stderr());
        bar.set_draw_target(target);
        let template = match (total, terminal) {
            (None, _) => "{prefix} {spinner} {wide_msg}",
            (Some(_), Some(ROOM_FOR_BAR..)) => "{prefix} [{bar:20}] {pos}/{len} {wide_msg}",
            (Some(_), _) => "{prefix} {pos}/{len} {wide_msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(printable(what).into_owned());
        if terminal.is_some() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Self(bar)
    }

    /// So much more is done.
    pub fn add(&self, more: u64) {
        self.0.inc(more);
    }

    /// So much is done.
    pub fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// What is going on, in a few words.
    pub fn message(&self, text: impl AsRef<str>) {
        self.0.set_message(cut(&printable(text.as_ref()), self.room()));
    }

    /// What is going on, the most important part first: as many parts as the line has room for.
    pub fn parts(&self, parts: &[String]) {
        self.0.set_message(fitting(parts, self.room()));
    }

    /// How much of the line is left for words.
    fn room(&self) -> usize {
        let whole = terminal::stderr().width.unwrap_or(usize::MAX);
        let bar = if self.0.length().is_some() && whole >= ROOM_FOR_BAR { BAR } else { 2 };
        let numbers = self.0.length().map_or(1, |total| 2 * total.to_string().len() + 1);
        whole.saturating_sub(width(&self.0.prefix()) + bar + numbers + 2)
    }

    /// Takes the display off the screen.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// The displays of tasks that libraries report on.
#[derive(Debug, Default)]
pub(super) struct Bars(Mutex<HashMap<Task, Progress>>);

impl Bars {
    fn all(&self) -> MutexGuard<'_, HashMap<Task, Progress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, task: Task, bar: Progress) {
        self.all().insert(task, bar);
    }

    pub(super) fn with(&self, task: Task, change: impl FnOnce(&Progress)) {
        if let Some(bar) = self.all().get(&task) {
            change(bar);
        }
    }

    pub(super) fn finish(&self, task: Task) {
        if let Some(bar) = self.all().remove(&task) {
            bar.finish();
        }
    }
}
