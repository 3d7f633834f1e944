//! One process of a service: started with its output going to its log, ended with its whole group.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::layout::Layout;
use crate::os;
use crate::os::Signal;
use crate::os::identity::Identity;
use crate::service::ProcessService;
use crate::supervisor::orphans;
use crate::supervisor::orphans::GRACE;
use crate::supervisor::output;
use crate::supervisor::output::SharedLog;

/// How long the last output of an ended process may take to reach its log.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// A running process.
#[derive(Debug)]
pub(crate) struct Process {
    child: tokio::process::Child,
    output_ended: oneshot::Receiver<()>,
    pub(crate) identity: Identity,
    pub(crate) started: Instant,
}

impl Process {
    /// Starts the service.
    pub(crate) fn start(
        service: &ProcessService,
        program: &std::path::Path,
        layout: &Layout,
        log: SharedLog,
    ) -> anyhow::Result<Self> {
        let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
        let mut command = tokio::process::Command::new(program);
        command
            .args(&service.args)
            .current_dir(layout.project_dir())
            .stdin(orphans::leash(layout)?)
            .stdout(writer.try_clone().context("cannot make a pipe")?)
            .stderr(Stdio::from(writer))
            .kill_on_drop(true); // not reached in order: keepers end their process first
        os::own_group(&mut command);
        let output_ended = output::copy(reader, log).context("cannot start a thread")?;
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        drop(command); // it holds the writing end of the pipe, whose closing is the end of the output
        let identity = child.id().and_then(Identity::of).context("the process ended before it was seen")?;
        Ok(Self { child, output_ended, identity, started: Instant::now() })
    }

    /// Returns when the process has ended and its output is in its log, and says how it ended.
    pub(crate) async fn ended(&mut self) -> String {
        let status = self.child.wait().await;
        let _ = timeout(LAST_OUTPUT, &mut self.output_ended).await; // a grandchild may hold it open
        match status {
            Ok(status) => describe(status),
            Err(error) => format!("cannot be waited for: {error}"),
        }
    }

    /// Ends the process: politely, then, after [`GRACE`], by force. Says how it ended.
    pub(crate) async fn end(&mut self) -> String {
        self.signal(Signal::Terminate);
        if let Ok(how) = timeout(GRACE, self.ended()).await {
            return how;
        }
        self.signal(Signal::Kill);
        format!("{} after {} s of no answer to being asked to end", self.ended().await, GRACE.as_secs())
    }

    fn signal(&self, signal: Signal) {
        // The id is there as long as the process was not reaped.
        if let Some(leader) = self.child.id() {
            let _ = os::signal_group(leader, signal); // our own child: only an ended one refuses
        }
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => {
            format!("signal {signal}{}", if status.core_dumped() { " (core dumped)" } else { "" })
        }
        (None, None) => status.to_string(),
    }
}

/// Waits for ended supervisors in the background: this process may live on, and is their parent.
pub(crate) fn reap_later(children: Vec<std::process::Child>) {
    for mut child in children {
        let reaper = std::thread::Builder::new().name("reaper".to_owned());
        let _ = reaper.spawn(move || child.wait()); // without it a zombie stays until this process ends
    }
}
