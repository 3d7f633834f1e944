//! What long work reports while it goes on. Libraries emit these events; their caller decides whether
//! to show them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One thing that long work reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A sentence for people.
    Said(String),
    /// A task began.
    Started {
        /// Which, for the events that follow.
        task: Task,
        /// What it does, in a word.
        what: String,
        /// How many steps it has, if that is known.
        total: Option<u64>,
    },
    /// So many more steps of a task are done.
    Advanced(Task, u64),
    /// So many steps of a task are done.
    Reached(Task, u64),
    /// What a task is doing, in a few words.
    Doing(Task, String),
    /// A task is over.
    Finished(Task),
}

/// Tells tasks apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Task(u64);

/// Where events go.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(Event) + Send + Sync>);

impl Events {
    /// Hands each event to this function, on the thread where it happens.
    pub fn to(handler: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(handler))
    }

    /// Drops all events.
    #[must_use]
    pub fn ignored() -> Self {
        Self::to(drop)
    }

    /// Says a sentence.
    pub fn say(&self, text: impl Into<String>) {
        (self.0)(Event::Said(text.into()));
    }

    /// Begins a task of so many steps, if their number is known.
    #[must_use]
    pub fn progress(&self, total: Option<u64>, what: &str) -> Progress {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let task = Task(NEXT.fetch_add(1, Ordering::Relaxed));
        (self.0)(Event::Started { task, what: what.to_owned(), total });
        Progress { task, events: self.clone() }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

/// A task that goes on; over when dropped.
#[derive(Debug)]
pub struct Progress {
    task: Task,
    events: Events,
}

impl Progress {
    /// So many more steps are done.
    pub fn add(&self, more: u64) {
        (self.events.0)(Event::Advanced(self.task, more));
    }

    /// So many steps are done.
    pub fn set(&self, done: u64) {
        (self.events.0)(Event::Reached(self.task, done));
    }

    /// What is going on, in a few words.
    pub fn message(&self, text: impl Into<String>) {
        (self.events.0)(Event::Doing(self.task, text.into()));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        (self.events.0)(Event::Finished(self.task));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_task_is_over_however_its_work_ends() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let events = Events::to(move |event| log.lock().expect("not poisoned").push(event));
        let progress = events.progress(Some(2), "work");
        let task = progress.task;
        progress.add(1);
        drop(progress);
        let expected = [
            Event::Started { task, what: "work".to_owned(), total: Some(2) },
            Event::Advanced(task, 1),
            Event::Finished(task),
        ];
        assert_eq!(*seen.lock().expect("not poisoned"), expected);
    }
}
