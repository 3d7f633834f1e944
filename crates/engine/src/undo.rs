//! What a run has done to things it did not make, so that it can be taken back.

use std::sync::{Mutex, PoisonError};

use crate::engine::Engine;
use crate::engine::error::EngineError;
use crate::labels;
use crate::labels::{Names, RunId};
use crate::{container as containers, network, observe, volumes};

/// How one deed is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// A container was given another name: give it this one again.
    Rename {
        /// The container.
        id: String,
        /// The name it had.
        name: String,
    },
    /// A running container was stopped: start it.
    Start {
        /// The container.
        id: String,
        /// Its name.
        name: String,
    },
    /// A stopped container was started: stop it.
    Stop {
        /// The container.
        id: String,
    },
}

/// The deeds of a run, noted before they are done: taking back what was not done harms nothing.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Vec<Undo>>);

impl Journal {
    /// Notes what is about to be done.
    pub fn note(&self, undo: Undo) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(undo);
    }

    fn take(&self) -> Vec<Undo> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes back everything a run did: what it made is found by its label, also what it does not know it
/// made, and what it changed by its journal.
pub async fn roll_back(
    engine: &Engine,
    names: &Names,
    run: &RunId,
    journal: &Journal,
) -> Result<(), EngineError> {
    let made = labels::label_filter(&format!("{}={}", labels::RUN_ID, run.text()));
    let mut done = Vec::new(); // one thing that cannot be taken back does not keep the rest
    for id in observe::ids(engine, &made).await? {
        done.push(containers::remove(engine, &id).await);
    }
    for undo in journal.take().into_iter().rev() {
        done.push(take_back(engine, undo).await);
    }
    for name in volumes::of_run(engine, names, run).await? {
        done.push(volumes::delete(engine, &name).await);
    }
    for id in network::of_run(engine, names, run).await? {
        done.push(network::remove(engine, &id).await);
    }
    done.into_iter().collect()
}

async fn take_back(engine: &Engine, undo: Undo) -> Result<(), EngineError> {
    match undo {
        Undo::Rename { id, name } => rename_back(engine, &id, &name).await,
        Undo::Start { id, name } => containers::start(engine, &id, &name).await,
        Undo::Stop { id } => containers::stop(engine, &id).await,
    }
}

async fn rename_back(engine: &Engine, id: &str, name: &str) -> Result<(), EngineError> {
    let found = observe::inspect(engine, id).await?.and_then(|found| found.name);
    if found.is_none_or(|now| now.trim_start_matches('/') == name) {
        return Ok(()); // it is gone, or has the name still
    }
    if containers::rename(engine, id, name).await.is_ok() {
        return Ok(());
    }
    containers::stop(engine, id).await?; // one that keeps ending cannot be renamed between two starts
    containers::rename(engine, id, name).await?;
    containers::start(engine, id, name).await
}
