//! Why an `up` failed, with the exit code and the next step of each reason.

use std::fmt;
use std::time::Duration;

use crate::model::project::quoted;
use crate::model::spec::ServiceName;
use crate::up::timeline::duration_text;
use ordersys_command::Cancelled as Halted;
use ordersys_command::{Exit, Failure};
use ordersys_contract::Role;
use ordersys_engine::EngineError;

/// Why an `up` failed.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    /// It was stopped.
    #[error(transparent)]
    Halted(#[from] Halted),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Something of this machine failed.
    #[error(transparent)]
    Local(#[from] anyhow::Error),
    /// A port is not free.
    #[error("port {port} of the {role} service is taken by {owner}")]
    PortTaken {
        /// Whose port.
        role: Role,
        /// Which.
        port: u16,
        /// By whom.
        owner: String,
    },
    /// A service ended instead of getting ready.
    #[error("the {service} service ended before it was ready ({how})")]
    Ended {
        /// Which.
        service: ServiceName,
        /// How.
        how: String,
        /// What it logged last.
        #[source]
        log: LogTail,
    },
    /// A service is not ready in time.
    #[error("the {service} service was not ready within {}: {last_answer}", duration_text(*.waited))]
    NotReady {
        /// Which.
        service: ServiceName,
        /// How long was waited, in all.
        waited: Duration,
        /// What it answered last.
        last_answer: String,
        /// What it logged last.
        #[source]
        log: LogTail,
    },
}

/// The last lines a service logged.
#[derive(Debug)]
pub struct LogTail(pub Vec<String>);

impl std::error::Error for LogTail {}

impl fmt::Display for LogTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("it logged nothing");
        }
        f.write_str("its log ended with")?;
        self.0.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

impl UpError {
    /// Of several failures at the same time, the one that says most: any but "stopped".
    pub fn first(results: Vec<Result<(), Self>>) -> Result<(), Self> {
        let mut halted = None;
        for result in results {
            match result {
                Ok(()) => {}
                Err(Self::Halted(reason)) => halted = halted.or(Some(reason)),
                Err(error) => return Err(error),
            }
        }
        halted.map_or(Ok(()), |reason| Err(reason.into()))
    }

    /// The service that failed, if it was one.
    #[must_use]
    pub fn service(&self) -> Option<ServiceName> {
        match self {
            Self::Ended { service, .. } | Self::NotReady { service, .. } => Some(*service),
            Self::Halted(_) | Self::Engine(_) | Self::Local(_) | Self::PortTaken { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Halted(Halted::Interrupted) => Exit::Interrupted,
            Self::Halted(Halted::TimedOut) | Self::NotReady { .. } => Exit::TimedOut,
            Self::PortTaken { .. } => Exit::Environment,
            Self::Engine(error) => match error {
                EngineError::Refused { .. } | EngineError::Held { .. } => Exit::Failed,
                EngineError::NoAnswer { .. }
                | EngineError::PortTaken { .. }
                | EngineError::Foreign { .. }
                | EngineError::Elsewhere { .. }
                | EngineError::Unclaimed { .. }
                | EngineError::ImageLost { .. }
                | EngineError::Program { .. }
                | EngineError::File { .. } => Exit::Environment,
            },
            Self::Halted(Halted::Failed) | Self::Local(_) | Self::Ended { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::PortTaken { role, port, .. } => Some(other_port(*role, *port)),
            Self::Engine(EngineError::PortTaken { .. }) => {
                Some("choose other ports with --port auto".to_owned())
            }
            Self::Engine(EngineError::Program { .. }) => Some(
                "name a static Linux program for the engine's machine with --binary PATH; \
                 compose/Dockerfile builds one anywhere with `--target build`"
                    .to_owned(),
            ),
            Self::Engine(EngineError::Foreign { .. }) => {
                Some("rename or remove it, or choose another project with --project NAME".to_owned())
            }
            Self::Engine(EngineError::Held { holders, .. }) => Some(format!(
                "end them, e.g. `docker rm --force {}`, then run it again; everything else that could be removed is",
                holders.join(" ")
            )),
            Self::Engine(EngineError::Elsewhere { project, dir }) => Some(from_there(project, dir)),
            Self::Engine(EngineError::Unclaimed { volume, project, .. }) => Some(format!(
                "go on from the directory it was made from, with --state-dir, or without it; or choose another project \
                 with --project NAME; if what project `{project}` stored is not needed: `docker volume rm {volume}`"
            )),
            Self::Ended { .. } => {
                Some("repeat it with --keep-on-failure, which leaves it there for a look".to_owned())
            }
            Self::NotReady { .. } => {
                Some("give it longer with --timeout, or look at it with --keep-on-failure".to_owned())
            }
            Self::Halted(Halted::TimedOut) => Some("give it longer with --timeout".to_owned()),
            Self::Halted(_) | Self::Engine(_) | Self::Local(_) => None,
        }
    }

    /// The failure of the command.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        let (exit, hint) = (self.exit(), self.hint());
        let error = match self {
            Self::Local(error) => error, // with its own causes
            other => other.into(),
        };
        Failure { exit, error, hint }
    }
}

/// How to command a project from the state directory it was made from.
fn from_there(project: &str, dir: &str) -> String {
    let there = std::path::Path::new(dir).parent().and_then(std::path::Path::to_str).unwrap_or(dir);
    let there = quoted(there);
    format!(
        "go on from there: `ordersys status --project {project} --state-dir {there}`; \
         or choose another project with --project NAME"
    )
}

fn other_port(role: Role, port: u16) -> String {
    let other = if port < 50_000 { port + 15_000 } else { port - 15_000 };
    format!("choose another with --port {role}={other}, or let one be found with --port auto")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: UpError) -> String {
        let failure = error.into_failure();
        let causes: Vec<String> = failure.error.chain().map(ToString::to_string).collect();
        format!("{} [{}] {}", causes.join(" | "), failure.exit as u8, failure.hint.unwrap_or_default())
    }

    #[test]
    fn each_reason_has_its_exit_code_and_its_way_out() {
        let log = || LogTail(vec!["a".to_owned(), "b".to_owned()]);
        let service = ServiceName::from(Role::Order);
        assert_eq!(
            shown(UpError::PortTaken {
                role: Role::Order,
                port: 3003,
                owner: "process 12 (nginx)".to_owned()
            }),
            "port 3003 of the order service is taken by process 12 (nginx) [3] \
             choose another with --port order=18003, or let one be found with --port auto"
        );
        assert_eq!(
            shown(UpError::Ended { service, how: "exit code 1".to_owned(), log: log() }),
            "the order service ended before it was ready (exit code 1) | its log ended with\n    a\n    b [1] \
             repeat it with --keep-on-failure, which leaves it there for a look"
        );
        let waited = Duration::from_mins(1);
        let late =
            UpError::NotReady { service, waited, last_answer: "503".to_owned(), log: LogTail(Vec::new()) };
        assert_eq!(
            shown(late),
            "the order service was not ready within 60.00 s: 503 | it logged nothing [5] \
             give it longer with --timeout, or look at it with --keep-on-failure"
        );
        assert_eq!(shown(Halted::Interrupted.into()), "interrupted [130] ");
    }

    #[test]
    fn of_several_the_one_that_says_most() {
        let halted = || Err(UpError::Halted(Halted::Failed));
        let real = Err(UpError::Local(anyhow::anyhow!("x")));
        assert!(matches!(UpError::first(vec![Ok(()), halted(), real]), Err(UpError::Local(_))));
        assert!(matches!(UpError::first(vec![halted(), Ok(())]), Err(UpError::Halted(Halted::Failed))));
        assert!(UpError::first(vec![Ok(())]).is_ok());
    }
}
