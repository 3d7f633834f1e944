//! Progress of long work.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ordersys_command::progress::Task;

/// A bar, or a spinner where the total is not known. Drops off the screen when finished.
#[derive(Debug, Clone)]
pub struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(total: Option<u64>, what: &str, visible: bool) -> Self {
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        bar.set_draw_target(if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        let template = match total {
            Some(_) => "{prefix} [{bar:32}] {pos}/{len} {msg}",
            None => "{prefix} {spinner} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what.to_owned());
        if visible {
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
    pub fn message(&self, text: impl Into<String>) {
        self.0.set_message(text.into());
    }

    /// A line above the display, kept on the screen.
    pub fn line(&self, text: impl AsRef<str>) {
        self.0.println(text);
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
