//! Group commit on the wire: operations that arrive while a call is in flight form the next one.
//!
//! The first operation goes out at once, so nothing waits at low load; at high load the cost of
//! a call is shared by many. Every caller has its own answer and its own patience.

use std::future::Future;
use std::time::{Duration, Instant};

use ordersys_chassis::Breaker;
use ordersys_contract::MAX_BATCH;
use tokio::sync::{mpsc, oneshot};

use super::{BatchItem, PortError};

/// Operations that may wait before callers are turned away.
const QUEUE: usize = 4096;
/// How long a probe of a service that failed may take.
const PROBE: Duration = Duration::from_millis(500);
/// Least pause between two looks at an open breaker.
const LEAST_PAUSE: Duration = Duration::from_millis(10);

/// How often a call that is about to be made goes last.
const MOST_TURNS: usize = 3;

type ItemResult<Q> = Result<<Q as BatchItem>::Answer, PortError>;

struct Waiting<Q: BatchItem> {
    item: Q,
    answer: oneshot::Sender<ItemResult<Q>>,
    /// When its caller loses patience.
    until: Instant,
}

/// Makes calls that carry many items each; clones share it.
pub struct Batcher<Q: BatchItem> {
    queue: mpsc::Sender<Waiting<Q>>,
    breaker: Option<Breaker>,
}

impl<Q: BatchItem> Clone for Batcher<Q> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), breaker: self.breaker.clone() }
    }
}

impl<Q: BatchItem> Batcher<Q> {
    /// Starts a batcher whose calls `call` makes: one answer per item, in order, and none
    /// after the given moment. With a breaker, items are rejected while it is open; without
    /// one, every item is sent. The batcher ends when its last handle is dropped.
    pub fn start<F, Called>(breaker: Option<Breaker>, call: F) -> Self
    where
        F: Fn(Vec<Q>, Instant) -> Called + Send + Sync + 'static,
        Called: Future<Output = Result<Vec<Q::Answer>, PortError>> + Send + 'static,
    {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(run(waiting, Caller { call, breaker: breaker.clone() }));
        Self { queue, breaker }
    }

    /// Asks for one item and waits for its answer, at most so long.
    pub async fn ask(&self, item: Q, patience: Duration) -> ItemResult<Q> {
        let now = Instant::now();
        if let Some(left) = self.refusal(now) {
            return Err(PortError::Open(left));
        }
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { item, answer, until: now + patience };
        self.queue.try_send(waiting).map_err(|_| PortError::Overloaded)?;
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(PortError::NoAnswer("the batcher ended".to_owned())),
            Err(_) => Err(PortError::NoAnswer(format!("not within {patience:?}"))),
        }
    }

    /// How many items wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Whether a further item would be turned away.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.queue.capacity() == 0
    }

    /// How long items are rejected still because the other service is known to fail.
    #[must_use]
    pub fn refusal(&self, now: Instant) -> Option<Duration> {
        self.breaker.as_ref()?.refusal(now)
    }
}

/// Makes the calls, one at a time.
struct Caller<F> {
    call: F,
    breaker: Option<Breaker>,
}

async fn run<Q, F, Called>(mut waiting: mpsc::Receiver<Waiting<Q>>, caller: Caller<F>)
where
    Q: BatchItem,
    F: Fn(Vec<Q>, Instant) -> Called,
    Called: Future<Output = Result<Vec<Q::Answer>, PortError>>,
{
    let mut batch = Vec::with_capacity(MAX_BATCH);
    loop {
        let received = tokio::select! {
            biased;
            received = waiting.recv_many(&mut batch, MAX_BATCH) => received,
            () = caller.cooled_down() => {
                caller.probe().await;
                continue;
            }
        };
        if received == 0 {
            return;
        }
        gather(&mut waiting, &mut batch).await;
        caller.dispatch(&mut batch).await;
    }
}

/// Yields to tasks that are about to ask: once or a few times, and only while one did. This takes no time of its
/// own.
async fn gather<Q: BatchItem>(waiting: &mut mpsc::Receiver<Waiting<Q>>, batch: &mut Vec<Waiting<Q>>) {
    for _ in 0..MOST_TURNS {
        tokio::task::yield_now().await;
        let before = batch.len();
        while batch.len() < MAX_BATCH
            && let Ok(further) = waiting.try_recv()
        {
            batch.push(further);
        }
        if batch.len() == before {
            return;
        }
    }
}

impl<F> Caller<F> {
    /// Waits until a probe of the other service is due; for ever while calls pass.
    async fn cooled_down(&self) {
        match self.breaker.as_ref().and_then(|breaker| breaker.refusal(Instant::now())) {
            Some(left) => tokio::time::sleep(left.max(LEAST_PAUSE)).await,
            None => std::future::pending().await,
        }
    }

    /// Finds out with an empty call whether the other service is back, so that no order has to.
    async fn probe<Q, Called>(&self)
    where
        Q: BatchItem,
        F: Fn(Vec<Q>, Instant) -> Called,
        Called: Future<Output = Result<Vec<Q::Answer>, PortError>>,
    {
        let _ = self.ask_all(Vec::new(), Instant::now() + PROBE).await;
    }

    async fn dispatch<Q, Called>(&self, batch: &mut Vec<Waiting<Q>>)
    where
        Q: BatchItem,
        F: Fn(Vec<Q>, Instant) -> Called,
        Called: Future<Output = Result<Vec<Q::Answer>, PortError>>,
    {
        // Callers who lost patience while waiting ask again by themselves.
        batch.retain(|waiting| !waiting.answer.is_closed());
        let Some(until) = batch.iter().map(|waiting| waiting.until).max() else { return };
        let (items, callers): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|waiting| (waiting.item, waiting.answer)).unzip();
        match self.ask_all(items, until).await {
            Ok(answers) => {
                for (caller, answer) in callers.into_iter().zip(answers) {
                    let _ = caller.send(answer);
                }
            }
            Err(error) => {
                for caller in callers {
                    let _ = caller.send(Err(error.clone()));
                }
            }
        }
    }

    /// One call, which is one outcome for the breaker, however many items it carries: they
    /// share their fate, and a ratio of calls means the same at any load.
    async fn ask_all<Q, Called>(&self, items: Vec<Q>, until: Instant) -> Result<Vec<ItemResult<Q>>, PortError>
    where
        Q: BatchItem,
        F: Fn(Vec<Q>, Instant) -> Called,
        Called: Future<Output = Result<Vec<Q::Answer>, PortError>>,
    {
        let pass = self.breaker.as_ref().map(|breaker| breaker.enter(Instant::now()));
        let pass = pass.transpose().map_err(PortError::Open)?;
        let keys: Vec<_> = items.iter().map(Q::key).collect();
        let answered = match tokio::time::timeout_at(until.into(), (self.call)(items, until)).await {
            Ok(Ok(answers)) => matched::<Q>(&keys, answers),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(PortError::NoAnswer("not in time".to_owned())),
        };
        if let Some(pass) = pass {
            pass.settle(verdict(&answered), Instant::now(), rand::random());
        }
        answered
    }
}

/// Compares each answer with its item. One that cannot be its answer counts as none; the others count.
fn matched<Q: BatchItem>(keys: &[Q::Key], answers: Vec<Q::Answer>) -> Result<Vec<ItemResult<Q>>, PortError> {
    if answers.len() != keys.len() {
        let why = format!("{} answers to {} items", answers.len(), keys.len());
        return Err(PortError::NoAnswer(why));
    }
    let mismatch = || PortError::NoAnswer("the answer does not match its item".to_owned());
    let judge = |(key, answer)| if Q::matches(key, &answer) { Ok(answer) } else { Err(mismatch()) };
    Ok(keys.iter().zip(answers).map(judge).collect())
}

/// What a call says of the other service's health: why it failed, if it did.
fn verdict<A>(answered: &Result<Vec<Result<A, PortError>>, PortError>) -> Result<(), &str> {
    match answered {
        Err(PortError::NoAnswer(why)) => Err(why),
        Err(PortError::Refused(_) | PortError::Open(_) | PortError::Overloaded | PortError::Lacking(_)) => {
            Ok(())
        }
        Ok(answers) => {
            let mismatch = answers.iter().find_map(|answer| answer.as_ref().err());
            mismatch.map_or(Ok(()), |_| Err("an answer did not match its item"))
        }
    }
}

#[cfg(test)]
mod tests;
