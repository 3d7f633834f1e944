//! What is shown of stacks: their services, and what `up` did.

use std::time::Duration;

use ordersys_command::printable;
use ordersys_contract::Timestamp;
use ordersys_contract::health::Peer;
use ordersys_stack::Changes;
use ordersys_stack::model::record::RuntimeKind;
use ordersys_stack::ops::projects::Listed;
use ordersys_stack::ops::status::{State, StatusReport};
use ordersys_stack::up::report::UpReport;
use ordersys_stack::up::timeline::{duration_text, path_text};

use crate::draw::table::Table;
use crate::draw::words::age;

/// What `up` did: the services, and where the time went.
#[must_use]
pub fn up(report: &UpReport) -> String {
    let total = duration_text(Duration::from_secs_f64(report.seconds));
    format!("{}\nup in {total}: {}", status(&report.status), path_text(&report.critical_path))
}

/// What `up` would do.
#[must_use]
pub fn changes(changes: &Changes) -> String {
    let mut table = Table::new(["ACTION", "RESOURCE", "BECAUSE"]).prose(&[2]);
    for change in &changes.0 {
        let cause = change.cause.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        table.row([change.action.to_owned(), change.resource.to_string(), cause]);
    }
    table.to_string()
}

/// The projects of a machine.
#[must_use]
pub fn projects(projects: &[Listed]) -> String {
    let mut table =
        Table::new(["PROJECT", "STATE", "READY", "RUNTIME", "TOPOLOGY", "ORDERS AT", "DATA", "LAST UP"])
            .right(&[2, 6])
            .states(&[1])
            .least(&[4, 6, 3, 7, 2]);
    let now = Timestamp::now();
    let dash = || "-".to_owned();
    for listed in projects {
        let kibibytes = listed.data_bytes.div_ceil(1024);
        table.row([
            listed.name.clone(),
            listed.state.name().to_owned(),
            format!("{}/{}", listed.ready, listed.services),
            listed.runtime.map_or_else(dash, |runtime| runtime.name().to_owned()),
            listed.topology.map_or_else(dash, |topology| topology.name().to_owned()),
            listed.url.clone().unwrap_or_else(dash),
            if kibibytes == 0 { dash() } else { format!("{kibibytes} KiB") },
            listed.since.map_or_else(dash, |since| age(since, now)),
        ]);
    }
    let notes = projects
        .iter()
        .filter_map(|listed| Some(format!("{}: {}", listed.name, printable(listed.note.as_ref()?))));
    let notes: Vec<String> = notes.collect();
    let text = table.to_string();
    if notes.is_empty() { text } else { format!("{}\n\n{}", text.trim_end(), notes.join("\n")) }
}

/// The services of a stack.
#[must_use]
pub fn status(report: &StatusReport) -> String {
    let place = match report.runtime {
        RuntimeKind::Docker => "CONTAINER",
        RuntimeKind::Process => "PID",
    };
    let titles = ["SERVICE", "STATE", "URL", place, "RESTARTS", "SINCE", "VERSION", "MEMORY"];
    let mut table = Table::new(titles).right(&[4, 7]).states(&[1]).least(&[6, 4, 7]);
    let now = Timestamp::now();
    for service in &report.services {
        let dash = || "-".to_owned();
        let container = service.container_id.as_ref().map(|id| id.get(..12).unwrap_or(id).to_owned());
        table.row([
            service.name.to_string(),
            service.state.name().to_owned(),
            service.url.clone(),
            container.or(service.pid.map(|pid| pid.to_string())).unwrap_or_else(dash),
            service.restarts.to_string(),
            service.since.map_or_else(dash, |since| age(since, now)),
            service.version.clone().unwrap_or_else(dash),
            service.memory_bytes.map_or_else(dash, |bytes| format!("{} MiB", bytes.div_ceil(1024 * 1024))),
        ]);
    }
    let mut text = table.to_string();
    let add =
        |text: &mut String, line: String| *text = format!("{}\n\n{}", text.trim_end(), printable(&line));
    for service in &report.services {
        let peers = service.degraded.iter().map(Peer::sentence);
        for sentence in peers.chain(service.warnings.iter().cloned()) {
            add(&mut text, format!("{} is degraded: {sentence}", service.name));
        }
        if let Some(reason) = service.reason.as_ref().filter(|_| service.state != State::Unwatched) {
            add(&mut text, format!("{} is {}: {}", service.name, service.state.name(), reason));
        }
    }
    if report.services.iter().any(|service| service.state == State::Unwatched) {
        add(&mut text, format!("not watched: the supervisor is gone; `{}` starts it again", report.mend));
    }
    text
}
