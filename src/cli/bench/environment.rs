//! What is known of the system under test besides its addresses.

use std::sync::Arc;

use crate::cli::bench::{Globals, Outcome};
use ordersys_bench::settings::Environment;
use ordersys_stack as stack;
use ordersys_stack::model::record::{RuntimeKind, StackRecord, Topology};
use ordersys_stack::model::spec::ServiceSpec;
use ordersys_stack::ops::chaos::Chaos;
use ordersys_stack::ops::status::StatusReport;
use std::collections::BTreeSet;

/// What the project's record and its services' state say of the system, unless other addresses were named.
pub(super) async fn environment(globals: &Globals) -> Environment {
    let (Ok(project), Some(record)) = (globals.project(), record(globals)) else {
        return Environment { command: command_line(), ..Environment::default() };
    };
    // Without their processes the report has no processor time of theirs; that must not stop a run.
    let status = stack::status(&globals.engine.lookup(), &project).await;
    let server_pids = status.ok().and_then(|status| local_pids(&status)).unwrap_or_default();
    Environment { server_pids, ..recorded(&record) }
}

/// The processes of all services, if every one runs on this machine: the time of some of them is not that of
/// the system.
fn local_pids(status: &StatusReport) -> Option<Vec<u32>> {
    if status.services.iter().any(|service| service.local_pids.is_empty()) {
        return None;
    }
    let mut pids: Vec<_> = status.services.iter().flat_map(|service| service.local_pids.clone()).collect();
    pids.sort_unstable();
    pids.dedup();
    Some(pids)
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

/// The command line as it was typed, but for names and passwords in URLs. Credentials are in files, never in flags.
fn command_line() -> Option<String> {
    let words = std::env::args().skip(1).map(|word| without_password(&word));
    let words: Vec<_> = std::iter::once("ordersys".to_owned()).chain(words).collect();
    shlex::try_join(words.iter().map(String::as_str)).ok()
}

/// A word with the name and password of each URL in it taken out.
fn without_password(word: &str) -> String {
    let mut parts = word.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority = part.find(['/', '?', '#', ' ']).map_or(part, |end| &part[..end]);
        let secret = authority.rfind('@').map_or(0, |at| at + 1);
        clean.push_str("://");
        clean.push_str(&part[secret..]);
    }
    clean
}

/// What the record of a project's stack tells.
pub(in crate::cli) fn recorded(record: &StackRecord) -> Environment {
    let runtime = match record.runtime {
        RuntimeKind::Docker => "docker",
        RuntimeKind::Process => "process",
    };
    let topology = match record.topology {
        Topology::Services => "services",
        Topology::Monolith => "monolith",
    };
    let promises: BTreeSet<_> = record.services.iter().map(promise).collect();
    let promises: Vec<_> = promises.into_iter().collect();
    Environment {
        command: command_line(),
        server_pids: Vec::new(),
        chaos: None,
        runtime: Some(runtime.to_owned()),
        topology: Some(topology.to_owned()),
        durability: (!promises.is_empty()).then(|| promises.join(" and ")),
    }
}

/// What commits of a service promise.
fn promise(service: &ServiceSpec) -> String {
    if service.database.is_some() { "that of PostgreSQL".to_owned() } else { service.durability.to_string() }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_stored_command_line_has_no_passwords() {
        for (word, clean) in [
            ("--rate", "--rate"),
            ("http://127.0.0.1:3001/a@b", "http://127.0.0.1:3001/a@b"),
            ("--order-url=http://me:s3cret@host:1/x", "--order-url=http://host:1/x"),
            (
                "--user-url http://a:b@c --order-url http://d:e@f/",
                "--user-url http://c --order-url http://f/",
            ),
            ("http://me:p@ss@host", "http://host"),
        ] {
            assert_eq!(without_password(word), clean);
        }
    }
}
