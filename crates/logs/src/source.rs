//! Where lines come from, and what becomes of them on the way to the merger.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::mpsc;

use crate::filter::Filter;
use crate::line::Line;
use crate::merge::Input;
use crate::{Entry, Until, container, file};
use ordersys_engine::container::ContainerLog;

/// Where lines come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The log file of a local process, and its predecessor.
    File {
        /// The service's name.
        name: Arc<str>,
        /// The file; it need not be there yet.
        path: PathBuf,
    },
    /// The containers of a service.
    Container {
        /// The service's name.
        name: Arc<str>,
        /// Its log.
        log: Box<ContainerLog>,
    },
}

impl Source {
    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::File { name, .. } | Self::Container { name, .. } => name,
        }
    }

    /// Starts reading.
    pub(crate) fn start(self, feed: Feed) -> anyhow::Result<()> {
        match self {
            Self::File { name, path } => {
                let read = move || {
                    if let Err(error) = file::read(&feed, name, &path) {
                        let _ = feed.to.blocking_send((feed.index, Err(error))); // the receiver may be gone
                    }
                };
                let reader = std::thread::Builder::new().name("logs".to_owned());
                reader.spawn(read).context("cannot start a thread")?;
            }
            Self::Container { name, log } => {
                tokio::spawn(async move {
                    if let Err(error) = container::read(&feed, name, *log).await {
                        let _ = feed.to.send((feed.index, Err(error))).await; // the receiver may be gone
                    }
                });
            }
        }
        Ok(())
    }
}

/// What the merger receives: from which source, and what.
pub(crate) type Received = (usize, anyhow::Result<Input>);

/// What a source needs to feed the merger.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) index: usize,
    pub(crate) filter: Arc<Filter>,
    pub(crate) until: Until,
    pub(crate) to: mpsc::Sender<Received>,
}

/// Turns the lines of one source into entries and lets the wanted ones pass.
pub(crate) struct Sieve<'a> {
    source: Arc<str>,
    filter: &'a Filter,
    last: jiff::Timestamp,
}

impl<'a> Sieve<'a> {
    pub(crate) fn new(source: Arc<str>, filter: &'a Filter) -> Self {
        Self { source, filter, last: jiff::Timestamp::MIN }
    }

    /// The entry of a line, if it is wanted; `at` is the time the source knows, if it does.
    pub(crate) fn pass(&mut self, text: String, at: Option<jiff::Timestamp>) -> Option<Entry> {
        if !self.filter.may_keep(&text) {
            return None;
        }
        let line = Line::parse(&text);
        let at = at.or_else(|| line.as_ref()?.at).unwrap_or(self.last);
        self.last = at;
        if !self.filter.keeps(&self.source, at, line.as_ref()) {
            return None;
        }
        Some(Entry { at, source: Arc::clone(&self.source), text })
    }
}
