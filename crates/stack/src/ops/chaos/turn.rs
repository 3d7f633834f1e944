//! Services stopped, started and restarted in good order: what was begun with one is brought to its end, whatever
//! signals come.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Chaos, Place, engine};
use crate::model::spec::ServiceName;
use crate::state::lock::ProjectLock;
use crate::up::error::LogTail;
use ordersys_command::{Events, Signals};
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_engine::observe::Condition;

/// How long a restart waits for another command that changes the project.
const LOCK_LIMIT: Duration = Duration::from_mins(2);
/// Pause between two looks whether a service that was started has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is to become of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It ends in an orderly way and stays so.
    Stop,
    /// It is started, and ready.
    Start,
    /// It ends in an orderly way, is started anew, and ready.
    Restart,
}

impl Turn {
    /// The command that does it.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Restart => "restart",
        }
    }
}

/// A service with which something was done.
#[derive(Debug, Clone, Copy)]
pub struct Turned {
    /// How long it took until it had ended, or was ready.
    pub took: Duration,
    /// Whether a signal came meanwhile, and nothing is to be done with another.
    pub then: Then,
}

/// What the user wants after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// To go on.
    GoOn,
    /// To end here.
    End,
}

/// What ends that early, and where it is told.
#[derive(Debug)]
pub struct Until<'a> {
    /// The signals.
    pub signals: &'a mut Signals,
    /// Where waiting is reported.
    pub events: &'a Events,
}

impl Chaos {
    /// Does that to a service. Takes the project's lock. A signal does not keep it from being
    /// brought to its end; a second one does.
    pub async fn turn(
        &self,
        named: impl Into<ServiceName>,
        what: Turn,
        limit: Duration,
        until: Until<'_>,
    ) -> Outcome<Turned> {
        let Until { signals, events } = until;
        let named = named.into();
        self.check(named)?;
        let (service, command) = (self.service(named), what.command());
        let stopped = |what: String| Failure::new(Exit::Interrupted, what);
        let _lock = tokio::select! {
            lock = ProjectLock::take(&self.project, command, LOCK_LIMIT, events) => lock?,
            () = signals.next() => return Err(stopped("interrupted; nothing more was changed".to_owned())),
        };
        let mut turned = std::pin::pin!(self.turn_now(named, what, limit));
        tokio::select! {
            took = &mut turned => return Ok(Turned { took: took?, then: Then::GoOn }),
            () = signals.next() => {}
        }
        events.say(format!("interrupted: first the {service} service comes to the end of its {command}"));
        tokio::select! {
            took = &mut turned => Ok(Turned { took: took?, then: Then::End }),
            () = signals.next() => {
                let again = self.project.command(&format!("{command} {named}"));
                let what = format!("interrupted before the {command} of the {service} service was done");
                Err(stopped(what).hint(format!("`{again}` goes on")))
            }
        }
    }

    async fn turn_now(&self, named: ServiceName, what: Turn, limit: Duration) -> Outcome<Duration> {
        let (service, started) = (self.service(named), Instant::now());
        let cut = || {
            Failure::new(Exit::Failed, format!("the {service} service is cut off the network"))
                .hint(format!("heal it first: `{}`", self.project.command(&format!("chaos heal {named}"))))
        };
        match &self.place {
            Place::Docker(containers) => {
                let found = containers.find(service.name()).await.map_err(engine)?;
                let found = found.ok_or_else(|| self.not_running(service, "it has no container"))?;
                match what {
                    Turn::Restart if found.condition == Condition::Cut => return Err(cut()),
                    Turn::Restart => containers.restart(&found).await,
                    Turn::Stop => containers.stop(&found).await,
                    Turn::Start => containers.start(&found).await,
                }
                .map_err(engine)?;
            }
            Place::Process(processes) => {
                let name = service.name();
                match what {
                    Turn::Restart if processes.cut_path(name).exists() => return Err(cut()),
                    Turn::Restart => processes.restart(name).await?,
                    Turn::Stop => processes.stop(name).await?,
                    Turn::Start => processes.start(name).await?,
                }
            }
        }
        if what == Turn::Stop {
            return Ok(started.elapsed());
        }
        let limit = limit.saturating_sub(started.elapsed());
        tokio::select! {
            ready = self.until_ready(named, limit) => ready?,
            ended = self.until_ended(service) => return Err(ended),
        };
        Ok(started.elapsed())
    }

    /// Waits until the service that was just started has ended again, and says why, as far as it does.
    async fn until_ended(&self, service: ServiceName) -> Failure {
        loop {
            sleep(LOOK_EVERY).await;
            let ended = match &self.place {
                Place::Docker(containers) => containers.ended(service.name()).await,
                Place::Process(processes) => Ok(processes.ended(service.name())),
            };
            match ended {
                Ok(Some((how, log))) => {
                    let what = format!("the {service} service ended before it was ready ({how})");
                    let error = anyhow::Error::new(LogTail(log)).context(what);
                    let hint = format!("see `{}`", self.project.command(&format!("logs {service}")));
                    return Failure { exit: Exit::Failed, error, hint: Some(hint) };
                }
                Ok(None) => {}
                Err(error) => return engine(error),
            }
        }
    }
}
