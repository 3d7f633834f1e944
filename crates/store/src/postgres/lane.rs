//! A lane: one session that commits whatever commands wait, together.
//!
//! While one commit is under way the next batch forms, so nothing waits on purpose.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

use super::Session;
use super::fault::{Fault, PgError, PgResult};
use super::slot::{Attempt, Failed, Slot, Tries};
use crate::{StoreError, StoreMetrics};

/// Commands that may wait for a lane before callers are turned away.
const QUEUE: usize = 8192;

/// What a lane does with the commands that wait.
pub trait Batch: Send + Sync + 'static {
    /// What is asked for.
    type Command: Send + Sync + 'static;
    /// What its caller gets.
    type Answer: Send + 'static;

    /// Most commands in one commit.
    const MOST: usize = 512;

    /// Does all of them in one transaction, or in one statement; one answer each, in order. It decides from the
    /// tables alone: it may be run again, also after it was committed.
    fn run<'a>(
        &'a self,
        session: &'a Session,
        commands: &'a [Self::Command],
    ) -> impl Future<Output = PgResult<Vec<Self::Answer>>> + Send + 'a;
}

type Reply<A> = oneshot::Sender<Result<A, StoreError>>;

/// The queue of a lane; clones share it. The lane ends with the last of them.
pub struct Lane<B: Batch> {
    name: &'static str,
    jobs: mpsc::Sender<(B::Command, Reply<B::Answer>)>,
}

impl<B: Batch> Clone for Lane<B> {
    fn clone(&self) -> Self {
        Self { name: self.name, jobs: self.jobs.clone() }
    }
}

impl<B: Batch> Lane<B> {
    pub(super) fn start(
        name: &'static str,
        slot: Slot,
        metrics: StoreMetrics,
        batch: B,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let worker = Worker { slot, metrics, batch, waiting };
        (Self { name, jobs }, tokio::spawn(worker.work()))
    }

    /// Runs a command in the next batch and returns once it is committed.
    ///
    /// # Errors
    /// Nothing was written, unless it is [`StoreError::Unknown`].
    pub async fn run(&self, command: B::Command) -> Result<B::Answer, StoreError> {
        let mut span = ordersys_spans::open(ordersys_spans::Kind::Internal, "commit");
        span.note("ordersys.store", || self.name);
        let committed = self.queued(command).await;
        if let Err(error) = &committed {
            span.fail(|| error.to_string());
        }
        committed
    }

    async fn queued(&self, command: B::Command) -> Result<B::Answer, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send((command, reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Stopped,
        })?;
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }
}

struct Worker<B: Batch> {
    slot: Slot,
    metrics: StoreMetrics,
    batch: B,
    waiting: mpsc::Receiver<(B::Command, Reply<B::Answer>)>,
}

/// Commands that are done together, and whom to answer.
struct Jobs<B: Batch> {
    commands: Vec<B::Command>,
    replies: Vec<Reply<B::Answer>>,
}

struct Tried<'a, B: Batch>(&'a B, &'a [B::Command]);

impl<B: Batch> Attempt for Tried<'_, B> {
    type Output = Vec<B::Answer>;

    /// A panic undoes its transaction: the command that panics fails alone, and the lane goes on.
    async fn run<'a>(&'a self, session: &'a Session) -> PgResult<Self::Output> {
        let run = AssertUnwindSafe(self.0.run(session, self.1)).catch_unwind();
        run.await.unwrap_or(Err(PgError::Panicked))
    }
}

impl<B: Batch> Worker<B> {
    async fn work(mut self) {
        let mut received = Vec::with_capacity(B::MOST);
        while self.waiting.recv_many(&mut received, B::MOST).await > 0 {
            let (commands, replies) = received.drain(..).unzip();
            self.metrics.waiting.set(i64::try_from(self.waiting.len()).unwrap_or(i64::MAX));
            self.commit(Jobs { commands, replies }).await;
        }
    }

    /// Commits all of them together; if one of them fails whenever it is tried, in halves, so that it fails alone.
    async fn commit(&mut self, jobs: Jobs<B>) {
        let mut parts = vec![jobs];
        while let Some(mut jobs) = parts.pop() {
            match self.tried(&jobs.commands).await {
                Ok(answers) => {
                    for (reply, answer) in jobs.replies.into_iter().zip(answers) {
                        let _ = reply.send(Ok(answer));
                    }
                }
                Err(Failed::Refused(Fault::Statement | Fault::Contended | Fault::Damaged, _))
                    if jobs.commands.len() > 1 =>
                {
                    let half = jobs.commands.len() / 2;
                    let rest = Jobs {
                        commands: jobs.commands.split_off(half),
                        replies: jobs.replies.split_off(half),
                    };
                    parts.extend([rest, jobs]);
                }
                Err(failed) => {
                    self.metrics.undone.inc_by(jobs.replies.len() as u64);
                    let error = StoreError::from_failed(&failed);
                    jobs.replies.into_iter().for_each(|reply| drop(reply.send(Err(error.clone()))));
                }
            }
        }
    }

    async fn tried(&mut self, commands: &[B::Command]) -> Result<Vec<B::Answer>, Failed> {
        let began = std::time::Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        self.metrics.batch.observe(commands.len() as f64);
        let Self { slot, batch, waiting, .. } = self;
        let outcome =
            slot.run(&Tried(batch, commands), Tries::of_a_write(), |why| refuse::<B>(waiting, why)).await;
        self.metrics.commit.observe(began.elapsed().as_secs_f64());
        outcome
    }
}

/// Refuses what waits while no server can be reached: nothing of it was begun.
fn refuse<B: Batch>(waiting: &mut mpsc::Receiver<(B::Command, Reply<B::Answer>)>, why: &str) {
    while let Ok((_, reply)) = waiting.try_recv() {
        let _ = reply.send(Err(StoreError::Unreachable(why.into())));
    }
}
