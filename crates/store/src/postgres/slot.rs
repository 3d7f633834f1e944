//! A session that is replaced when it is lost, and the rules by which something is tried again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Session;
use super::condition::Reachability;
use super::connect::Target;
use super::fault::{Fault, PgError, PgResult};

/// How long there may be no session before what has not begun is refused.
pub(crate) const ADMISSION: Duration = Duration::from_millis(250);
/// How long something whose outcome is not known is tried again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long one try may take: longer than a cluster takes to choose another synchronous standby.
const TRY: Duration = Duration::from_secs(10);
/// Pause between two searches for a server.
const AGAIN: Duration = Duration::from_millis(100);
/// How many sessions are lost under something that writes nothing before it is given up.
const LOSSES: u32 = 3;
/// How often something is tried again that others were in the way of.
const CONTENDED: u32 = 3;

/// Something that is done in a session, and may be done again.
pub(crate) trait Attempt: Sync {
    /// What it comes to.
    type Output: Send;

    /// Does it. Decides from the tables alone: an earlier try may have been committed.
    fn run<'a>(&'a self, session: &'a Session) -> impl Future<Output = PgResult<Self::Output>> + Send + 'a;
}

/// Why something was given up.
#[derive(Debug)]
pub(crate) enum Failed {
    /// No server could be reached, and nothing was begun.
    Unreachable(String),
    /// It may have happened or not.
    Unknown(String),
    /// It fails whenever it is tried; nothing of it was written.
    Refused(Fault, PgError),
}

/// A place for one session.
pub(crate) struct Slot {
    target: Arc<Target>,
    reachability: Reachability,
    session: Option<Session>,
    /// When no server was found last, and why: who asks within a moment is told the same.
    failed: Option<(Instant, String)>,
}

/// What has become of the tries so far.
pub(super) struct Tries {
    /// Whether nothing is written.
    reads: bool,
    began: Instant,
    /// Why the last one was lost, if one was: it may have been committed.
    lost: Option<String>,
    losses: u32,
    contended: u32,
}

/// Does something once, unless it takes too long.
pub(super) async fn once<A: Attempt>(attempt: &A, session: &Session) -> PgResult<A::Output> {
    let tried = tokio::time::timeout(TRY, attempt.run(session)).await;
    tried.unwrap_or(Err(PgError::Silent(TRY.as_secs())))
}

impl Slot {
    pub(crate) fn new(target: Arc<Target>, reachability: Reachability) -> Self {
        Self { target, reachability, session: None, failed: None }
    }

    /// The session there is, or a new one; why there is none.
    pub(crate) async fn session(&mut self) -> Result<Session, String> {
        if let Some(session) = self.session.take_if(|session| !session.is_closed()) {
            return Ok(self.session.insert(session).clone());
        }
        if let Some((at, why)) = &self.failed
            && at.elapsed() < AGAIN
        {
            return Err(why.clone());
        }
        self.session = None;
        match self.target.connect().await {
            Ok(session) => {
                self.failed = None;
                self.reachability.found();
                Ok(self.session.insert(session).clone())
            }
            Err(why) => {
                let why = why.to_string();
                self.reachability.unreachable(&why);
                self.failed = Some((Instant::now(), why.clone()));
                Err(why)
            }
        }
    }

    /// Does something until its outcome is known, or patience ends. While no server can be reached, `meanwhile` is
    /// called time and again.
    pub(crate) async fn run<A: Attempt>(
        &mut self,
        attempt: &A,
        mut tries: Tries,
        mut meanwhile: impl FnMut(&str) + Send,
    ) -> Result<A::Output, Failed> {
        loop {
            let session = match self.session().await {
                Ok(session) => session,
                Err(why) => {
                    tries.check(&why)?;
                    meanwhile(&why);
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            };
            match once(attempt, &session).await {
                Ok(output) => {
                    if !tries.reads {
                        self.reachability.reached();
                    }
                    return Ok(output);
                }
                Err(error) => self.judge(&mut tries, &session, error)?,
            }
        }
    }

    /// Whether a failed try is followed by another one.
    fn judge(&mut self, tries: &mut Tries, session: &Session, error: PgError) -> Result<(), Failed> {
        match error.fault() {
            Fault::Lost => {
                let why = error.to_string();
                // Who shares the session may have noticed before.
                if self.session.take_if(|current| current.is(session)).is_some() {
                    self.reachability.unreachable(&why);
                }
                tries.lose(&why)
            }
            Fault::Contended if tries.contended < CONTENDED => {
                tries.contended += 1;
                Ok(())
            }
            Fault::Full => {
                self.reachability.full(&error.to_string());
                Err(Failed::Refused(Fault::Full, error))
            }
            fault => Err(Failed::Refused(fault, error)),
        }
    }
}

/// Reads something, beside others that use the same session. It does no harm to read again; how it ends is known soon.
pub(super) async fn read<A: Attempt>(
    slot: &tokio::sync::Mutex<Slot>,
    attempt: &A,
) -> Result<A::Output, Failed> {
    let mut tries = Tries::of_a_read();
    loop {
        let session = slot.lock().await.session().await;
        let session = match session {
            Ok(session) => session,
            Err(why) => {
                tries.check(&why)?;
                tokio::time::sleep(AGAIN).await;
                continue;
            }
        };
        match once(attempt, &session).await {
            Ok(output) => return Ok(output),
            Err(error) => slot.lock().await.judge(&mut tries, &session, error)?,
        }
    }
}

impl Tries {
    /// Of something that may be committed without that being told.
    pub(super) fn of_a_write() -> Self {
        Self { reads: false, began: Instant::now(), lost: None, losses: 0, contended: 0 }
    }

    /// Of something that writes nothing: it may be given up at any time.
    pub(super) fn of_a_read() -> Self {
        Self { reads: true, ..Self::of_a_write() }
    }

    /// Whether it is tried in another session after one was lost.
    fn lose(&mut self, why: &str) -> Result<(), Failed> {
        if !self.reads {
            self.lost = Some(why.to_owned());
            return self.check(why);
        }
        self.losses += 1;
        self.began = Instant::now();
        if self.losses < LOSSES { Ok(()) } else { Err(Failed::Unreachable(why.to_owned())) }
    }

    /// Whether a session is looked for still.
    fn check(&self, why: &str) -> Result<(), Failed> {
        let waited = self.began.elapsed();
        match &self.lost {
            Some(lost) if waited >= PATIENCE => Err(Failed::Unknown(lost.clone())),
            None if waited >= ADMISSION => Err(Failed::Unreachable(why.to_owned())),
            _ => Ok(()),
        }
    }
}
