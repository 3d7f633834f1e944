//! The decisions of a plan: pure, so that they are tested without an engine.

use crate::model::observed::{Condition, NetworkId, Observed, ObservedService, Standing};
use crate::model::spec::{ServiceName, ServiceSpec};
use crate::plan::{Action, Cause, Desired, ImagePolicy, Plan, Resource, Step};

/// The network a service has to be on.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    NoNetwork,
    /// One that is not made yet.
    NewNetwork,
    Network(&'a NetworkId),
}

/// Compares what is there with what should be.
#[must_use]
pub fn plan(desired: &Desired<'_>, observed: &Observed) -> Plan {
    let mut steps = Vec::new();
    let mut network = Wanted::NoNetwork;
    if let Some(names) = &desired.docker_names {
        steps.push(image(desired.image, &names.image, observed));
        let chosen = chosen_network(observed);
        steps.extend(networks(&names.network, chosen, observed));
        steps.extend(names.volumes.iter().map(|name| volume(name, observed)));
        network = chosen.map_or(Wanted::NewNetwork, Wanted::Network);
    }
    let serving: Vec<Option<&ObservedService>> =
        desired.stack.services.iter().map(|spec| incumbent(spec.name, observed)).collect();
    let is_serving = |service: &ObservedService| serving.iter().flatten().any(|kept| kept.id == service.id);
    steps.extend(observed.services.iter().filter(|service| !is_serving(service)).map(leftover));
    for (spec, now) in desired.stack.services.iter().zip(&serving) {
        let action = match now {
            None => Action::Create(Cause::NotThere),
            Some(now) => compare(spec, desired.artefact, network, now),
        };
        steps.push(Step { resource: Resource::Service(spec.name), action });
    }
    Plan { steps }
}

fn image(policy: ImagePolicy, tag: &str, observed: &Observed) -> Step {
    let action = match (observed.image_present, policy) {
        (false, _) => Action::Create(Cause::NotThere),
        (true, ImagePolicy::Always) => Action::Recreate(tag.to_owned(), Cause::AskedFor),
        (true, ImagePolicy::WhenMissing) => Action::Keep(tag.to_owned()),
    };
    Step { resource: Resource::Image(tag.to_owned()), action }
}

/// Of several networks of one name, the one most containers are on; the oldest of those.
fn chosen_network(observed: &Observed) -> Option<&String> {
    let members = |id: &String| observed.services.iter().filter(|s| s.networks.contains(id)).count();
    observed.networks.iter().rev().max_by_key(|id| members(id)) // the last maximum wins: the oldest
}

fn networks(name: &str, chosen: Option<&String>, observed: &Observed) -> Vec<Step> {
    let Some(chosen) = chosen else {
        return vec![Step {
            resource: Resource::Network(name.to_owned()),
            action: Action::Create(Cause::NotThere),
        }];
    };
    let one = |id: &String| {
        let action = if id == chosen {
            Action::Keep(id.clone())
        } else {
            Action::Remove(id.clone(), Cause::Duplicate)
        };
        Step { resource: Resource::Network(name.to_owned()), action }
    };
    observed.networks.iter().map(one).collect()
}

fn volume(name: &str, observed: &Observed) -> Step {
    let action = if observed.volumes.contains(name) {
        Action::Keep(name.to_owned())
    } else {
        Action::Create(Cause::NotThere)
    };
    Step { resource: Resource::Volume(name.to_owned()), action }
}

/// The container that stands for a service: the one with its name, else one that was set aside.
fn incumbent(name: ServiceName, observed: &Observed) -> Option<&ObservedService> {
    let of_service = || observed.services.iter().filter(|service| service.service == name.name());
    of_service().find(|service| service.standing == Standing::Current).or_else(|| of_service().next())
}

fn leftover(service: &ObservedService) -> Step {
    let wanted_elsewhere = service.standing == Standing::Current;
    let cause = if wanted_elsewhere { Cause::NoLongerWanted } else { Cause::LeftByKilledRun };
    let short = service.id.get(..12).unwrap_or(&service.id);
    let name = match service.service.as_str() {
        "" => short.to_owned(),
        name => format!("{name} ({short})"),
    };
    Step { resource: Resource::Leftover(name), action: Action::Remove(service.id.clone(), cause) }
}

fn compare(spec: &ServiceSpec, artefact: &str, network: Wanted<'_>, now: &ObservedService) -> Action {
    let id = now.id.clone();
    match replacement_cause(spec, artefact, network, now) {
        Some(cause) => Action::Recreate(id, cause),
        None => match &now.condition {
            Condition::Running => Action::Keep(id),
            Condition::Created => Action::Start(id, Cause::NeverStarted),
            Condition::Paused => Action::Start(id, Cause::Paused),
            Condition::Cut => Action::Start(id, Cause::CutOff),
            Condition::Unwatched => Action::Recreate(id, Cause::Unwatched),
            Condition::Exited(how) => Action::Start(id, Cause::NotRunning(how.clone())),
            Condition::Restarting(how) => Action::Recreate(id, Cause::KeepsEnding(how.clone())),
            Condition::Dead => Action::Recreate(id, Cause::Dead),
        },
    }
}

fn replacement_cause(
    spec: &ServiceSpec,
    artefact: &str,
    network: Wanted<'_>,
    now: &ObservedService,
) -> Option<Cause> {
    if now.standing == Standing::SetAside {
        return Some(Cause::LeftByKilledRun);
    }
    if now.artefact != artefact {
        return Some(Cause::ImageChanged(short(&now.artefact), short(artefact)));
    }
    if now.spec_hash != spec.hash() {
        let changes = now.spec.as_ref().map(|earlier| spec.changes_from(earlier));
        return Some(Cause::SettingsChanged(changes.unwrap_or_default()));
    }
    let connected = match network {
        Wanted::NoNetwork => true,
        Wanted::NewNetwork => false,
        Wanted::Network(id) => now.networks.contains(id),
    };
    let off = if now.condition == Condition::Cut { Cause::CutOff } else { Cause::OtherNetwork };
    (!connected).then_some(off)
}

fn short(hash: &str) -> String {
    hash.get(..12).unwrap_or(hash).to_owned()
}
