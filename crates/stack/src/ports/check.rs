//! Looks, before anything is started, whether the ports a plan needs are free, and says who has them.

use std::collections::BTreeSet;

use crate::model::observed::Condition;
use crate::model::spec::ServiceSpec;
use crate::plan::Action;
use crate::runtime::Runtime;
use crate::up::apply::Work;
use crate::up::error::UpError;
use ordersys_contract::Role;
use ordersys_engine::EngineError;
use ordersys_supervisor::port::{is_free, listener};

/// Fails on the first port that another process or container has.
pub(crate) async fn check(runtime: &Runtime, work: &Work<'_>) -> Result<(), UpError> {
    if !runtime.is_local() {
        return Ok(()); // the ports are another machine's
    }
    let own: BTreeSet<u16> = own_ports(work);
    for spec in work.stack.services.iter().filter(|spec| is_begun(work, spec)) {
        for (role, port) in &spec.ports {
            if !own.contains(port) && !is_free(spec.bind, *port) {
                let owner = owner(runtime, work, *port).await;
                check_owner(*role, *port, owner)?;
            }
        }
    }
    Ok(())
}

/// The error of a run that was taken back, with the owner of the port if one was taken meanwhile: the engine
/// does not name it.
pub(crate) async fn with_owner(error: UpError, runtime: &Runtime, work: &Work<'_>) -> UpError {
    match error {
        UpError::Engine(EngineError::PortTaken { .. }) => check(runtime, work).await.err().unwrap_or(error),
        other => other,
    }
}

fn is_begun(work: &Work<'_>, spec: &ServiceSpec) -> bool {
    !matches!(work.plan.for_service(spec.name), Some(Action::Keep(_)))
}

/// Ports the project's own services hold now: they are given back before they are taken anew.
fn own_ports(work: &Work<'_>) -> BTreeSet<u16> {
    let holding = |condition: &Condition| match condition {
        Condition::Running
        | Condition::Paused
        | Condition::Cut
        | Condition::Unwatched
        | Condition::Restarting(_) => true,
        Condition::Created | Condition::Exited(_) | Condition::Dead => false,
    };
    let services = work.observed.services.iter().filter(|service| holding(&service.condition));
    services.flat_map(|service| service.ports.values().copied()).collect()
}

/// Who has a port.
enum Owner {
    /// A service of the project itself.
    Own,
    /// Another process or container, in words.
    Other(String),
}

async fn owner(runtime: &Runtime, work: &Work<'_>, port: u16) -> Owner {
    if let Some(container) = runtime.port_owner(port).await {
        return Owner::Other(container);
    }
    match listener(port) {
        Some(process) if work.observed.services.iter().any(|own| own.facts.pid == Some(process.pid)) => {
            Owner::Own
        }
        Some(process) => Owner::Other(process.to_string()),
        None => Owner::Other("a process that cannot be seen from here".to_owned()),
    }
}

fn check_owner(role: Role, port: u16, owner: Owner) -> Result<(), UpError> {
    match owner {
        Owner::Own => Ok(()),
        Owner::Other(owner) => Err(UpError::PortTaken { role, port, owner }),
    }
}
