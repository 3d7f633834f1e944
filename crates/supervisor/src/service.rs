//! What should run: services, checked as a list before anything is started.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::home::Home;
use crate::supervisor::probe::Probe;

/// Most services one supervisor runs.
const MAX_SERVICES: usize = 64;
/// The supervisor's own log has this name.
const RESERVED_NAME: &str = "supervisor";

/// A service that should run as a local process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessService {
    /// The service's name; also its log's.
    pub name: String,
    /// The arguments after the program's name.
    pub args: Vec<String>,
    /// The service is ready when each of these answers 200.
    pub ready_urls: Vec<String>,
    /// Names the settings: another hash means another service.
    pub spec_hash: String,
    /// Services that have to be ready before this one is started.
    pub after: Vec<String>,
}

/// A list of services to take over, as it is stored for the supervisor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Desired {
    /// Names this list; the supervisor confirms it.
    pub(crate) generation: Uuid,
    /// The program all services run.
    pub(crate) program: PathBuf,
    /// The services.
    pub(crate) services: Vec<ProcessService>,
    /// Changes with each restart of a service that was asked for.
    #[serde(default)]
    pub(crate) incarnations: BTreeMap<String, Uuid>,
    /// The services that do not run until they are started again.
    #[serde(default)]
    pub(crate) stopped: BTreeSet<String>,
    /// The project's directory it was written for.
    #[serde(default)]
    pub(crate) home: Option<Home>,
}

/// Names of services in layers: each needs only services of layers before its own.
pub(crate) type Layers = Vec<Vec<String>>;

/// Checks a list and sorts it into layers.
pub(crate) fn layers(services: &[ProcessService]) -> anyhow::Result<Layers> {
    check_each(services)?;
    let mut open: BTreeMap<&str, &[String]> =
        services.iter().map(|service| (service.name.as_str(), service.after.as_slice())).collect();
    if let Some((name, missing)) = open.iter().find_map(|(name, after)| {
        after.iter().find(|needed| !open.contains_key(needed.as_str())).map(|missing| (name, missing))
    }) {
        bail!("service `{name}` comes after `{missing}`, which is not in the list");
    }
    let mut layers = Layers::new();
    while !open.is_empty() {
        let free = |after: &[String]| !after.iter().any(|needed| open.contains_key(needed.as_str()));
        let layer: Vec<&str> = open.iter().filter(|(_, after)| free(after)).map(|(name, _)| *name).collect();
        if layer.is_empty() {
            let names: Vec<&str> = open.into_keys().collect();
            bail!("services {} wait for each other", names.join(", "));
        }
        for name in &layer {
            open.remove(name);
        }
        layers.push(layer.into_iter().map(str::to_owned).collect());
    }
    Ok(layers)
}

fn check_each(services: &[ProcessService]) -> anyhow::Result<()> {
    if services.len() > MAX_SERVICES {
        bail!("{} services are more than one supervisor runs ({MAX_SERVICES})", services.len());
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    // Names of files are made of it: a part between dots is not empty.
    let fits = |name: &str| name.split('.').all(|part| !part.is_empty() && part.chars().all(allowed));
    for (index, service) in services.iter().enumerate() {
        let name = &service.name;
        if !fits(name) || name == RESERVED_NAME {
            bail!(
                "`{name}` cannot name a service: use a-z, 0-9, `-`, `_` and `.`, and not `{RESERVED_NAME}`"
            );
        }
        if services[..index].iter().any(|other| other.name == *name) {
            bail!("service `{name}` is in the list twice");
        }
        for url in &service.ready_urls {
            url.parse::<Probe>()
                .with_context(|| format!("service `{name}` cannot be asked whether it is ready"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, after: &[&str]) -> ProcessService {
        ProcessService {
            name: name.to_owned(),
            args: Vec::new(),
            ready_urls: Vec::new(),
            spec_hash: String::new(),
            after: after.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn layers_follow_what_needs_what() {
        let list =
            [service("order.2", &["user", "product"]), service("user", &[]), service("product", &["user"])];
        assert_eq!(layers(&list).expect("sorts"), [["user"], ["product"], ["order.2"]]);
        assert_eq!(layers(&[]).expect("sorts"), Layers::new());
    }

    #[test]
    fn wrong_lists_are_refused() {
        let cases = [
            (
                vec![service("a", &["b"]), service("b", &["a"]), service("c", &[])],
                "services a, b wait for each other",
            ),
            (vec![service("a", &["b"])], "service `a` comes after `b`, which is not in the list"),
            (vec![service("a", &["a"])], "services a wait for each other"),
            (vec![service("a", &[]), service("a", &[])], "service `a` is in the list twice"),
            (vec![service("../a", &[])], "`../a` cannot name a service"),
            (vec![service(".a", &[])], "`.a` cannot name a service"),
            (vec![service("a..2", &[])], "`a..2` cannot name a service"),
            (vec![service("supervisor", &[])], "`supervisor` cannot name a service"),
        ];
        for (list, expected) in cases {
            let error = layers(&list).expect_err(expected).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
