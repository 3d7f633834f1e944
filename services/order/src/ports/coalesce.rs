//! Group commit on the wire: operations that arrive while a call is in flight form the next one.
//!
//! The first operation goes out at once, so nothing waits at low load; at high load the cost of
//! a call is shared by many. Every caller has its own answer and its own patience.

use std::future::Future;
use std::time::Duration;

use ordersys_contract::MAX_BATCH;
use tokio::sync::{mpsc, oneshot};

use super::PortError;

/// Operations that may wait before callers are turned away.
const QUEUE: usize = 4096;

struct Waiting<Q, A> {
    question: Q,
    answer: oneshot::Sender<Result<A, PortError>>,
}

/// One lane of coalesced calls; clones share it.
pub(crate) struct Coalescer<Q, A> {
    queue: mpsc::Sender<Waiting<Q, A>>,
}

impl<Q, A> Clone for Coalescer<Q, A> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<Q: Send + 'static, A: Send + 'static> Coalescer<Q, A> {
    /// Starts a lane whose calls are made by `call`: one answer per question, in order.
    /// The lane ends when its last handle is dropped.
    pub(crate) fn start<F, Called>(call: F) -> Self
    where
        F: Fn(Vec<Q>) -> Called + Send + Sync + 'static,
        Called: Future<Output = Result<Vec<A>, PortError>> + Send,
    {
        let (queue, mut waiting) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(MAX_BATCH);
            while waiting.recv_many(&mut batch, MAX_BATCH).await > 0 {
                dispatch(&call, &mut batch).await;
            }
        });
        Self { queue }
    }

    /// Asks one question and waits for its answer, at most so long.
    pub(crate) async fn ask(&self, question: Q, patience: Duration) -> Result<A, PortError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { question, answer }).map_err(|_| PortError::Overloaded)?;
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(PortError::NoAnswer("the lane ended".to_owned())),
            Err(_) => Err(PortError::NoAnswer(format!("not within {patience:?}"))),
        }
    }

    /// Whether a further question would be turned away.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.capacity() == 0
    }
}

async fn dispatch<Q, A, F, Called>(call: &F, batch: &mut Vec<Waiting<Q, A>>)
where
    F: Fn(Vec<Q>) -> Called,
    Called: Future<Output = Result<Vec<A>, PortError>>,
{
    // Callers who lost patience while waiting ask again by themselves.
    batch.retain(|waiting| !waiting.answer.is_closed());
    if batch.is_empty() {
        return;
    }
    let (questions, callers): (Vec<_>, Vec<_>) =
        batch.drain(..).map(|waiting| (waiting.question, waiting.answer)).unzip();
    match call(questions).await {
        Ok(answers) if answers.len() == callers.len() => {
            for (caller, answer) in callers.into_iter().zip(answers) {
                let _ = caller.send(Ok(answer));
            }
        }
        Ok(answers) => {
            let why = format!("{} answers to {} questions", answers.len(), callers.len());
            tell_all(callers, &PortError::NoAnswer(why));
        }
        Err(error) => tell_all(callers, &error),
    }
}

fn tell_all<A>(callers: Vec<oneshot::Sender<Result<A, PortError>>>, error: &PortError) {
    for caller in callers {
        let _ = caller.send(Err(error.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn what_arrives_during_a_call_shares_the_next_one() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let lane = Coalescer::start({
            let (sizes, gate) = (Arc::clone(&sizes), Arc::clone(&gate));
            move |questions: Vec<u32>| {
                sizes.lock().expect("not poisoned").push(questions.len());
                let gate = Arc::clone(&gate);
                async move {
                    gate.acquire().await.expect("open").forget();
                    Ok(questions.into_iter().map(|n| n * 2).collect::<Vec<u32>>())
                }
            }
        });
        let ask = |n: u32| {
            let lane = lane.clone();
            tokio::spawn(async move { lane.ask(n, Duration::from_secs(5)).await })
        };
        let first = ask(1);
        while sizes.lock().expect("not poisoned").is_empty() {
            tokio::task::yield_now().await;
        }
        let others: Vec<_> = (2..=5).map(ask).collect();
        while lane.queue.capacity() > QUEUE - 4 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(2);
        assert_eq!(first.await.expect("runs").expect("answered"), 2);
        for (other, n) in others.into_iter().zip(2..) {
            assert_eq!(other.await.expect("runs").expect("answered"), n * 2);
        }
        assert_eq!(*sizes.lock().expect("not poisoned"), [1, 4]);
    }

    #[tokio::test]
    async fn a_wrong_number_of_answers_is_no_answer() {
        let lane = Coalescer::start(|_: Vec<u32>| async { Ok(Vec::<u32>::new()) });
        let answer = lane.ask(1, Duration::from_secs(5)).await;
        assert!(matches!(answer, Err(PortError::NoAnswer(_))), "{answer:?}");
    }
}
