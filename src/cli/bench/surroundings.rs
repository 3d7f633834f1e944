//! What is known of the system under test besides its addresses.

use super::Globals;
use crate::load::settings::Surroundings;
use crate::stack;
use crate::stack::record::{RuntimeKind, StackRecord};

/// What the project's record and its services' state say of the system, unless other addresses were named.
pub(super) async fn surroundings(globals: &Globals) -> Surroundings {
    let Ok(project) = globals.project() else { return Surroundings::default() };
    let record = StackRecord::load(&project).ok().flatten();
    let Some(record) = record.filter(|record| globals.endpoints().is_ok_and(|urls| urls == record.endpoints))
    else {
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
