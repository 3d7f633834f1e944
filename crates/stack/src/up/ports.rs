//! The published ports of a stack.

use std::collections::{BTreeMap, hash_map::DefaultHasher};
use std::hash::{Hash as _, Hasher as _};

use ordersys_command::{Exit, Failure, Outcome};
use ordersys_contract::Role;
use ordersys_supervisor::port::is_free;

use crate::model::observed::Observed;
use crate::model::project::Project;
use crate::model::spec::ServiceName;
use crate::model::started::Started;
use crate::ports::{KnownPorts, distinct, further};
use crate::up::options::{Memory, UpOptions};
use crate::up::wanted::Settled;

/// What decides ports besides flags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) settled: &'a Settled,
    pub(super) last: Option<&'a Started>,
}

/// The published ports of a stack.
#[derive(Debug)]
pub(super) struct Ports {
    /// That of the first service of each role.
    pub(super) first: BTreeMap<Role, u16>,
    /// Those of the others.
    pub(super) further: BTreeMap<ServiceName, u16>,
}

/// The published port of each service.
pub(super) fn ports(
    options: &UpOptions,
    project: &Project,
    observed: &Observed,
    kept: Kept<'_>,
) -> Outcome<Ports> {
    let Kept { settled, last } = kept;
    let known = KnownPorts {
        running: observed.ports(|name| !name.is_further()).into_iter().flat_map(|(_, ports)| ports).collect(),
        recorded: last.map(|last| last.ports.clone()).unwrap_or_default(),
    };
    let choices = match options.memory {
        Memory::Keep => options.wanted.ports.clone(),
        Memory::Forget => options.wanted.ports.clone().anew(),
    };
    // Any spread will do: two `up` at once must not find the same port free.
    let mut seed = DefaultHasher::new();
    (&project.name, std::process::id()).hash(&mut seed);
    let seed = seed.finish();
    let first = choices.assign(&known, seed, |port| is_free(settled.bind, port));
    let first = first.map_err(|error| Failure::new(Exit::Environment, error))?;
    distinct(first.clone()).map_err(|error| Failure::new(Exit::Usage, error))?;
    let of_further = observed.ports(ServiceName::is_further).into_iter();
    let known = further::Known {
        taken: first.values().chain(known.running.values()).copied().collect(),
        running: of_further.filter_map(|(name, ports)| Some((name, *ports.values().next()?))).collect(),
        recorded: last.map(|last| last.further.clone()).unwrap_or_default(),
    };
    let further =
        further::assign(settled.replicas.further(), &known, seed, |port| is_free(settled.bind, port));
    let further = further.map_err(|error| Failure::new(Exit::Environment, error))?;
    Ok(Ports { first, further })
}
