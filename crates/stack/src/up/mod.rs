//! `up`: from what is there to what should be, all or nothing, and one run at a time.

pub mod apply;
mod checks;
pub mod error;
mod options;
mod ports;
pub mod readiness;
pub mod report;
pub mod rollback;
pub mod select;
pub mod timeline;
pub mod wanted;

pub use options::{Memory, OnFailure, UpOptions};

use crate::model::credentials::fingerprint;
use crate::model::observed::Observed;
use crate::model::program::Program;
use crate::model::project::{Project, STATE_HINT};
use crate::model::record::{RuntimeKind, StackRecord};
use crate::model::spec::{Database, Settings, StackSpec};
use crate::model::started::{Started, first_ports, further_ports};
use crate::ops::status::{StatusReport, report};
use crate::plan::{Desired, Plan, plan};
use crate::ports::check as port_check;
use crate::runtime::Runtime;
use crate::state::lock::ProjectLock;
use crate::state::mark;
use crate::up::apply::{Work, apply};
use crate::up::checks::{check_promise, check_reach, check_replicas};
use crate::up::error::UpError;
use crate::up::ports::{Kept, Ports, ports};
use crate::up::report::{Changes, UpReport};
use crate::up::rollback::{keep_log, roll_back};
use crate::up::select::{Chosen, Selection, select};
use crate::up::timeline::Timeline;
use crate::up::wanted::Settled;
use ordersys_command::Events;
use ordersys_command::{Cancellation as Halt, Cancelled as Halted, Signals};
use ordersys_command::{Exit, OrFail as _, Outcome};

/// What to do about what a failed run left on purpose.
const KEPT: &str = "what this run made is kept: look at it with `ordersys status` and `ordersys logs`, \
                    remove it with `ordersys down`";

/// What is known before anything is done.
struct Prepared {
    runtime: Runtime,
    reason: String,
    settled: Settled,
    stack: StackSpec,
    observed: Observed,
    plan: Plan,
}

impl Prepared {
    /// What is remembered of it.
    fn started(&self) -> Started {
        let settled = self.settled.clone();
        Started {
            runtime: self.runtime.kind(),
            topology: settled.topology,
            ports: first_ports(&self.stack.services),
            replicas: settled.replicas,
            further: further_ports(&self.stack.services),
            bind: settled.bind,
            allowed_hosts: settled.allowed_hosts,
            durability: settled.durability,
            database: settled.database,
            log: settled.log,
            tracing: settled.tracing,
            home: None,
        }
    }
}

/// A stack that is up.
#[derive(Debug)]
pub struct Up {
    /// Where clients find it.
    pub record: StackRecord,
    /// What was done.
    pub report: UpReport,
}

/// Brings the project's stack up.
pub async fn up(options: &UpOptions, project: &Project, events: &Events) -> Outcome<Up> {
    let mut signals = Signals::listen()?;
    mark::check(project)?;
    let lock = ProjectLock::take(project, "up", options.timeout, events);
    let _lock = or_interrupted(&mut signals, lock).await?;
    project.prepare().exit(Exit::Environment).hint(STATE_HINT)?;
    if let Some(password) = &options.wanted.store_password {
        project.keep_database_password(password).exit(Exit::Environment).hint(STATE_HINT)?;
    }
    let timeline = Timeline::default();
    let looking = timeline.during("look", prepare(options, project, events));
    let prepared = or_interrupted(&mut signals, Box::pin(looking)).await?;
    let halt = Halt::after(options.timeout);
    let work = Work {
        plan: &prepared.plan,
        stack: &prepared.stack,
        observed: &prepared.observed,
        timeline: &timeline,
        halt: &halt,
    };
    port_check::check(&prepared.runtime, &work).await.map_err(UpError::into_failure)?;
    let carried_out = Box::pin(carry_out(&prepared, &work, &mut signals, events)).await;
    if let Err(error) = carried_out {
        keep_log(&prepared.runtime, &error, project, events).await;
        if options.on_failure == OnFailure::Keep {
            let kept = StackRecord { failed: true, ..record(&prepared) };
            kept.save(project)?; // so that other commands find what is kept
            return Err(error.into_failure().hint(KEPT));
        }
        roll_back(&prepared.runtime, &error, &mut signals, events).await?;
        return Err(port_check::with_owner(error, &prepared.runtime, &work).await.into_failure());
    }
    let record = record(&prepared);
    record.save(project)?;
    prepared.started().save(project)?;
    let changes = Changes::new(&prepared.plan);
    changes.say(events);
    let status = status_after(&prepared, &record, project).await?;
    let report = UpReport::new(prepared.reason, changes, status, &timeline);
    Ok(Up { record, report })
}

/// What [`up`] would do now. Changes nothing.
pub async fn preview(options: &UpOptions, project: &Project, events: &Events) -> Outcome<Changes> {
    let prepared = prepare(options, project, events).await?;
    Ok(Changes::new(&prepared.plan))
}

async fn prepare(options: &UpOptions, project: &Project, events: &Events) -> Outcome<Prepared> {
    let last = match options.memory {
        Memory::Keep => Started::load(project),
        Memory::Forget => None,
    };
    if let Some(kept) = last.as_ref().and_then(|last| options.wanted.kept_text(last)) {
        events.say(kept);
    }
    let settled = options.wanted.settle(last.as_ref());
    check_replicas(&settled)?;
    let Selection { chosen, reason } = select(settled.runtime, &options.engine, project).await?;
    let program = program(options, project)?;
    let runtime = match chosen {
        Chosen::Docker(engine) => {
            events.say(format!("runtime: docker ({reason})"));
            Runtime::docker(*engine, project, program, settled.bind).await?
        }
        Chosen::Process => {
            events.say(format!("runtime: local processes ({reason})"));
            Runtime::process(project, program, settled.bind)
        }
    };
    check_reach(&runtime, settled.bind)?;
    check_promise(&settled)?;
    let mut observed = runtime.observe().await.map_err(UpError::into_failure)?;
    runtime.check_data().await.map_err(UpError::into_failure)?;
    if let Some(record) = StackRecord::readable(project) {
        observed.recall(&record.services);
        observed.program.clone_from(&record.program);
    }
    let kept = Kept { settled: &settled, last: last.as_ref() };
    let Ports { first: ports, further } = ports(options, project, &observed, kept)?;
    let settings = Settings {
        topology: settled.topology,
        addressing: runtime.addressing(),
        bind: settled.bind,
        allowed_hosts: settled.allowed_hosts.clone(),
        ports,
        further,
        durability: settled.durability,
        database: settled
            .database
            .clone()
            .map(|address| Database { address, password: project.database_password().is_some() }),
        log: settled.log.clone(),
        tracing: settled.tracing.clone(),
        credentials: fingerprint(project),
    };
    let stack = StackSpec::new(&settings);
    let desired = Desired {
        stack: &stack,
        artefact: runtime.artefact(),
        docker_names: runtime.docker_names(&stack),
        image: options.image,
    };
    let plan = plan(&desired, &observed);
    Ok(Prepared { runtime, reason, settled, stack, observed, plan })
}

/// What the services are to run.
fn program(options: &UpOptions, project: &Project) -> Outcome<Program> {
    let program = Program::find(options.binary.as_deref(), project);
    match &options.binary {
        Some(_) => program
            .exit(Exit::NotFound)
            .hint("--binary names an ordersys program; without it the services run this one"),
        None => Ok(program?),
    }
}

fn record(prepared: &Prepared) -> StackRecord {
    StackRecord {
        runtime: prepared.runtime.kind(),
        topology: prepared.stack.topology,
        endpoints: prepared.stack.endpoints(prepared.runtime.host()),
        services: prepared.stack.services.clone(),
        program: Some(prepared.runtime.program().path.clone()),
        failed: false,
        home: None,
    }
}

/// Carries the plan out; the first signal asks it to stop.
async fn carry_out(
    prepared: &Prepared,
    work: &Work<'_>,
    signals: &mut Signals,
    events: &Events,
) -> Result<(), UpError> {
    let progress = events.progress(None, "up");
    let mut applied = std::pin::pin!(async {
        apply(&prepared.runtime, work, &progress).await?;
        let images = prepared.runtime.commit(work.plan).await?;
        let line =
            |image| events.say(format!("removed   image {image} because: no container uses it any more"));
        images.into_iter().for_each(line);
        Ok(())
    });
    let result = tokio::select! {
        result = &mut applied => result,
        () = signals.next() => {
            work.halt.stop(Halted::Interrupted);
            applied.await
        }
    };
    result
}

/// Work that has changed nothing yet and can simply be dropped.
async fn or_interrupted<T>(signals: &mut Signals, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::select! {
        result = work => result,
        () = signals.next() => Err(UpError::from(Halted::Interrupted).into_failure()),
    }
}

async fn status_after(prepared: &Prepared, record: &StackRecord, project: &Project) -> Outcome<StatusReport> {
    // To ask an engine takes a while; and a supervisor of another build is replaced with all its services.
    let is_known = prepared.plan.changes_nothing() && prepared.runtime.kind() == RuntimeKind::Docker;
    let mut observed = if is_known {
        prepared.observed.clone()
    } else {
        prepared.runtime.observe().await.map_err(UpError::into_failure)?
    };
    prepared.runtime.add_known_memory(&mut observed);
    Ok(report(project, record, &observed).await)
}
