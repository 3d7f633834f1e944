//! What a machine has and lacks to run a stack: looked at without changing anything.

use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use ordersys_contract::settings::DatabaseAddress;
use ordersys_contract::{Role, Secret};
use ordersys_engine::observe::port_owner;
use ordersys_engine::{Engine, Lookup, discover, machine_of};
use ordersys_stack::model::project::Project;
use ordersys_stack::model::record::StackRecord;
use ordersys_stack::state::trust;
use ordersys_supervisor::port::{is_free, listener};

mod database;

/// How long an engine may take to answer.
const ENGINE_LIMIT: Duration = Duration::from_secs(5);
/// A program's headers are within its first bytes.
const HEADER_BYTES: u64 = 64 * 1024;
/// Open files a service under load needs, two per connection to spare.
const FILES_WANTED: u64 = 4096;
/// Less free space than this is too little to start with.
const DISK_NEEDED: u64 = 128 * 1024 * 1024;
/// Less free space than this is gone soon: logs alone may take 128 MiB per service.
const DISK_WANTED: u64 = 1024 * 1024 * 1024;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Something will not work, or not well; there is a way round.
    Warn,
    /// No stack can run, in whichever runtime.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What is there.
    pub found: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    fn new(name: impl Into<String>, verdict: Verdict, found: impl Into<String>) -> Self {
        Self { name: name.into(), verdict, found: found.into(), advice: None }
    }

    fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Looks at everything; at the database that is named, or else at the project's.
pub async fn examine(
    lookup: &Lookup,
    project: &Project,
    named: Option<(DatabaseAddress, Option<Secret>)>,
) -> Vec<Check> {
    let engine = discover(lookup, ENGINE_LIMIT).await;
    let own = own_ports(project);
    let mut checks = vec![
        match &engine {
            Ok(engine) => engine_found(engine),
            Err(error) => Check::new("engine", Verdict::Warn, error.to_string()).advice(error.hint()),
        },
        program(engine.as_ref().ok()),
        state_directory(project),
        disk(project),
        open_files(),
    ];
    for role in Role::ALL {
        checks.push(port(role, &own, engine.as_ref().ok()).await);
    }
    checks.extend(database::of(project, named).await);
    checks
}

fn engine_found(engine: &Engine) -> Check {
    let Engine { version, oldest_api, newest_api, arch, address, reason, .. } = engine;
    let found = format!("{version} (API {oldest_api} to {newest_api}, linux/{arch}) at {address}: {reason}");
    Check::new("engine", Verdict::Ok, found)
}

/// Whether the program can be an image of the engine's.
fn program(engine: Option<&Engine>) -> Check {
    let path = match std::env::current_exe() {
        Ok(path) => path,
        Err(error) => return Check::new("program", Verdict::Warn, format!("cannot be found: {error}")),
    };
    let shown = path.display();
    let advice = "local processes run it; for Docker name a static Linux program with `up --binary PATH`";
    match header(&path).map(|header| machine_of(&header)) {
        Ok(Ok(machine)) if engine.is_some_and(|engine| engine.arch != machine) => {
            let found = format!("{shown} is for linux/{machine}, the engine's machine is another");
            Check::new("program", Verdict::Warn, found).advice(advice)
        }
        Ok(Ok(machine)) => {
            Check::new("program", Verdict::Ok, format!("{shown} is static, for linux/{machine}"))
        }
        Ok(Err(why)) => Check::new("program", Verdict::Warn, format!("{shown} {why}")).advice(advice),
        Err(error) => Check::new("program", Verdict::Warn, format!("{shown} cannot be read: {error}")),
    }
}

fn header(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut header = Vec::new();
    File::open(path)?.take(HEADER_BYTES).read_to_end(&mut header)?;
    Ok(header)
}

fn state_directory(project: &Project) -> Check {
    let shown = project.dir.display();
    let name = "state directory";
    if let Err(distrust) = trust::check_project(project) {
        return Check::new(name, Verdict::Fail, distrust.to_string()).advice(distrust.hint());
    }
    // The directory itself may not be there yet; then the nearest one above it has to let us make it.
    match tempfile::NamedTempFile::new_in(existing(&project.dir)) {
        Ok(_) => Check::new(name, Verdict::Ok, format!("{shown} can be written")),
        Err(error) => Check::new(name, Verdict::Fail, format!("{shown} cannot be written: {error}"))
            .advice("make it writable, or name another with --state-dir"),
    }
}

/// The directory, or the nearest above it that is there.
fn existing(dir: &Path) -> &Path {
    dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("."))
}

fn disk(project: &Project) -> Check {
    match rustix::fs::statvfs(existing(&project.dir)) {
        Ok(found) => judge_disk(found.f_bavail.saturating_mul(found.f_frsize), &project.dir),
        Err(error) => Check::new("disk", Verdict::Warn, format!("cannot be asked: {error}")),
    }
}

fn judge_disk(free: u64, dir: &Path) -> Check {
    let found = format!("{} MiB free for {}", free / (1024 * 1024), dir.display());
    let advice = "make room, or name a directory elsewhere with --state-dir";
    match free {
        DISK_WANTED.. => Check::new("disk", Verdict::Ok, found),
        DISK_NEEDED.. => Check::new("disk", Verdict::Warn, found).advice(advice),
        _ => Check::new("disk", Verdict::Fail, found).advice(advice),
    }
}

fn open_files() -> Check {
    judge_files(rustix::process::getrlimit(rustix::process::Resource::Nofile).current)
}

fn judge_files(limit: Option<u64>) -> Check {
    match limit {
        None => Check::new("open files", Verdict::Ok, "no limit"),
        Some(limit @ FILES_WANTED..) => Check::new("open files", Verdict::Ok, format!("at most {limit}")),
        Some(limit) => Check::new("open files", Verdict::Warn, format!("at most {limit}"))
            .advice(format!("load with many connections needs more: `ulimit -n {FILES_WANTED}` before `up`")),
    }
}

/// The ports of the project's own stack, if one is up.
fn own_ports(project: &Project) -> Vec<u16> {
    let Ok(Some(record)) = StackRecord::load(project) else { return Vec::new() };
    record.services.iter().flat_map(|service| service.ports.values().copied()).collect()
}

async fn port(role: Role, own: &[u16], engine: Option<&Engine>) -> Check {
    let port = role.default_port();
    let name = format!("port {port}");
    if is_free(IpAddr::V4(Ipv4Addr::LOCALHOST), port) {
        return Check::new(name, Verdict::Ok, format!("free for {role}"));
    }
    if own.contains(&port) {
        return Check::new(name, Verdict::Ok, format!("held by {role} of this project"));
    }
    let container = match engine {
        Some(engine) => port_owner(engine, port).await,
        None => None,
    };
    let process = || listener(port).map(|found| found.to_string());
    let owner =
        container.or_else(process).unwrap_or_else(|| "a process that cannot be seen from here".to_owned());
    Check::new(name, Verdict::Warn, format!("held by {owner}"))
        .advice(format!("`ordersys up --port {role}=auto`, or end what holds it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_judged() {
        let dir = Path::new("/state");
        let disks =
            [(DISK_WANTED, Verdict::Ok), (DISK_WANTED - 1, Verdict::Warn), (DISK_NEEDED - 1, Verdict::Fail)];
        for (free, verdict) in disks {
            let check = judge_disk(free, dir);
            assert_eq!((check.verdict, check.advice.is_some()), (verdict, verdict != Verdict::Ok), "{free}");
        }
        let files = [(None, Verdict::Ok), (Some(FILES_WANTED), Verdict::Ok), (Some(1024), Verdict::Warn)];
        for (limit, verdict) in files {
            assert_eq!(judge_files(limit).verdict, verdict, "{limit:?}");
        }
    }

    #[test]
    fn a_directory_that_cannot_be_made_fails() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("file"), "").expect("written");
        let name = || "p".parse().expect("a name");
        let check = state_directory(&Project::new(name(), &dir.path().join("file")));
        assert_eq!(check.verdict, Verdict::Fail, "{check:?}");
        assert_eq!(state_directory(&Project::new(name(), dir.path())).verdict, Verdict::Ok);
    }

    #[tokio::test]
    async fn a_held_port_names_its_holder() {
        let role = Role::Order;
        let Ok(_held) = std::net::TcpListener::bind(("127.0.0.1", role.default_port())) else {
            return; // a stack of this machine has it: then there is nothing to hold
        };
        let check = port(role, &[], None).await;
        assert_eq!(check.verdict, Verdict::Warn);
        if cfg!(target_os = "linux") {
            assert!(check.found.contains(&format!("process {}", std::process::id())), "{}", check.found);
        }
        assert_eq!(port(role, &[role.default_port()], None).await.verdict, Verdict::Ok);
    }
}
