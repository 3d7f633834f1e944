//! What is known of the system under test besides its addresses.

use std::sync::Arc;

use super::{Globals, Outcome};
use crate::load::settings::Surroundings;
use crate::stack;
use crate::stack::chaos::Chaos;
use crate::stack::record::{RuntimeKind, StackRecord};

/// What the project's record and its services' state say of the system, unless other addresses were named.
pub(super) async fn surroundings(globals: &Globals) -> Surroundings {
    let (Ok(project), Some(record)) = (globals.project(), record(globals)) else {
        return Surroundings::default();
    };
    let mut server_pids = Vec::new();
    if record.runtime == RuntimeKind::Process {
        // Without their processes the report has no processor time of theirs; that must not stop a run.
        if let Ok(status) = stack::status(&globals.engine.lookup(), &project).await {
            server_pids = status.services.iter().filter_map(|service| service.pid).collect();
            server_pids.sort_unstable();
            server_pids.dedup();
        }
    }
    Surroundings { server_pids, ..Surroundings::of(&record) }
}

/// What can be done to the services: nothing, unless they are the project's own stack.
pub(super) async fn chaos(globals: &Globals) -> Outcome<Option<Arc<Chaos>>> {
    if record(globals).is_none() {
        return Ok(None);
    }
    let chaos = Chaos::open(&globals.engine.lookup(), &globals.project()?).await?;
    Ok(Some(Arc::new(chaos)))
}

/// The record of the project's stack, if it is the system under test.
fn record(globals: &Globals) -> Option<StackRecord> {
    let record = StackRecord::load(&globals.project().ok()?).ok().flatten()?;
    globals.endpoints().is_ok_and(|urls| urls == record.endpoints).then_some(record)
}
