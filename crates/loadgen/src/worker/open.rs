//! The open loop: requests are released on a plan and wait for a free connection.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::worker::pacer::Pacer;
use crate::worker::state::{ScheduledRequest, WorkerState};
use crate::worker::virtual_user::VirtualUser;
use ordersys_workload::model::clock::Moment;
use ordersys_workload::model::schedule::Schedule;

/// Most requests that wait for a connection, in all threads together.
const MAX_BACKLOG: f64 = 100_000.0;

/// Released requests that wait for a connection of their thread.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: RefCell<VecDeque<ScheduledRequest>>,
    limit: usize,
    wake: Notify,
    over: Cell<bool>,
}

/// How many requests of one thread may wait: those that could still be sent within the time an
/// answer may take, but not without bound.
#[must_use]
pub(crate) fn backlog_limit(rate: f64, timeout: Duration, threads: u32) -> usize {
    let all = (rate * timeout.as_secs_f64()).min(MAX_BACKLOG);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and at most MAX_BACKLOG"
    )]
    let part = (all / f64::from(threads)).ceil() as usize;
    part.max(1)
}

impl Queue {
    /// An empty queue for so many requests.
    #[must_use]
    pub(crate) fn new(limit: usize) -> Self {
        Self { waiting: RefCell::default(), limit, wake: Notify::new(), over: Cell::new(false) }
    }

    /// The next released request; `None` when the run is over.
    async fn next(&self) -> Option<ScheduledRequest> {
        loop {
            if let Some(scheduled) = self.waiting.borrow_mut().pop_front() {
                return Some(scheduled);
            }
            if self.over.get() {
                return None;
            }
            // Tasks of one thread: nothing can be released between the look and the wait.
            self.wake.notified().await;
        }
    }

    /// Releases everything planned until now; what finds no room is skipped at once. Returns how many that were.
    fn release(&self, schedule: &mut Schedule, state: &WorkerState) -> usize {
        let mut count = 0;
        let now = state.clock.now();
        let mut waiting = self.waiting.borrow_mut();
        while let Some(planned) = schedule.due(now) {
            let scheduled = state.plan(planned.number, planned.at, now);
            count += 1;
            if waiting.len() >= self.limit {
                state.skipped(scheduled.meta.place);
                continue;
            }
            waiting.push_back(scheduled);
            self.wake.notify_one();
        }
        count
    }

    /// Ends the run: what still waits will not be sent.
    pub(crate) fn close(&self, state: &WorkerState) {
        self.over.set(true);
        for scheduled in self.waiting.borrow_mut().drain(..) {
            state.unsent(&scheduled.meta);
        }
        self.wake.notify_waiters();
        self.wake.notify_one(); // for one that is about to wait
    }

    fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }
}

/// Sends released requests until the run is over.
pub(crate) async fn run(mut user: VirtualUser, queue: Rc<Queue>) {
    while let Some(scheduled) = queue.next().await {
        user.send(scheduled).await;
    }
    queue.wake.notify_one(); // each one that leaves wakes the next
}

/// Releases the plan of one thread, then closes the queue: at the end of the window, or, in a run that
/// ends by count, once all is sent or `patience` is over.
pub(crate) async fn release(
    state: Rc<WorkerState>,
    queue: Rc<Queue>,
    mut schedule: Schedule,
    patience: Duration,
) {
    let pacer = Pacer::new(state.clock);
    let mut left = 0;
    while let Some(next) = schedule.peek() {
        if next > state.clock.now() {
            pacer.wait_until(next, left).await;
        }
        left = queue.release(&mut schedule, &state);
        tokio::task::yield_now().await;
    }
    state.audit.borrow_mut().gaps = schedule.gaps();
    let closes = match state.task.timeline.window.closes {
        Moment::NEVER => state.clock.now().after(patience),
        closes => closes,
    };
    while state.clock.now() < closes
        && !(state.task.timeline.window.closes == Moment::NEVER && queue.is_empty())
    {
        let step = state.clock.now().after(Duration::from_millis(5));
        pacer.wait_until(step.min(closes), 0).await;
    }
    queue.close(&state);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backlog_is_what_can_still_be_answered_in_time() {
        let limit = |rate, seconds, threads| backlog_limit(rate, Duration::from_secs(seconds), threads);
        assert_eq!(limit(1000.0, 5, 1), 5000);
        assert_eq!(limit(1000.0, 5, 2), 2500);
        assert_eq!(limit(1e9, 5, 1), 100_000);
        assert_eq!(limit(0.1, 1, 4), 1);
    }
}
