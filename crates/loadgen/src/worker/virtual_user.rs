//! One place of a generator thread: sends a request at a time over its own connections, again where it may.

use std::rc::Rc;
use std::time::Duration;

use crate::conn::connection::{Answer, Broken, Connection, Readiness};
use crate::worker::request::{RequestBuffer, Service};
use crate::worker::retry::Tries;
use crate::worker::state::{AtWork, ScheduledRequest, WorkerState, judge};
use ordersys_workload::model::clock::Moment;

/// The connections of one virtual user, one to each service that it needs.
#[derive(Debug)]
pub(crate) struct Connections {
    /// To the order service.
    pub(crate) orders: Connection,
    /// To the product service, where the mix needs it.
    pub(crate) products: Option<Connection>,
}

impl Connections {
    fn to(&mut self, service: Service) -> &mut Connection {
        match (service, &mut self.products) {
            (Service::Products, Some(products)) => products,
            _ => &mut self.orders,
        }
    }
}

/// One place at which a request at a time is sent.
#[derive(Debug)]
pub(crate) struct VirtualUser {
    state: Rc<WorkerState>,
    place: usize,
    connections: Connections,
    buffer: RequestBuffer,
}

impl VirtualUser {
    /// The virtual user at a place of its thread.
    #[must_use]
    pub(crate) fn new(state: Rc<WorkerState>, place: usize, connections: Connections) -> Self {
        Self { state, place, connections, buffer: RequestBuffer::default() }
    }

    /// What the thread shares.
    #[must_use]
    pub(crate) fn state(&self) -> &WorkerState {
        &self.state
    }

    /// Sends one planned request, again where it may be, and records what came of it.
    pub(crate) async fn send(&mut self, scheduled: ScheduledRequest) {
        let Self { state, place, connections, buffer } = self;
        let meta = scheduled.meta;
        state.at_work(*place, AtWork::Waiting(meta));
        let connection = connections.to(scheduled.request.service());
        let mut tries = Tries::new(state.task.retries);
        let mut first = None;
        loop {
            let ready = connection.ready().await;
            let sent = *first.get_or_insert_with(|| state.leaves(*place, &scheduled, &ready));
            let result = match ready {
                Ok(_) => {
                    scheduled.request.write(meta.number, &state.task.plan, connection.target(), buffer);
                    connection.exchange(&buffer.bytes).await
                }
                Err(broken) => Err(broken),
            };
            let done = state.clock.now();
            let Some(pause) = state.again(&scheduled, &mut tries, &result) else {
                state.at_work(*place, AtWork::Idle);
                state.record(&scheduled, meta.times(sent, done), &tries, &result);
                return;
            };
            drop(result);
            tokio::time::sleep(pause).await;
        }
    }
}

impl WorkerState {
    /// Counts a request that leaves; when it does.
    fn leaves(
        &self,
        place: usize,
        scheduled: &ScheduledRequest,
        ready: &Result<Readiness, Broken>,
    ) -> Moment {
        let meta = scheduled.meta;
        let sent = match ready {
            // In a closed loop plan and sending are one: nothing lies between them but rendering.
            Ok(Readiness::Was) if meta.woken == meta.planned => meta.planned,
            _ => self.clock.now(),
        };
        self.sent(meta.place);
        self.at_work(place, AtWork::Sent(meta, sent, scheduled.request.change(meta.number)));
        sent
    }

    /// How long to wait before sending a request again, if it is. No try begins after the planned end.
    fn again(
        &self,
        scheduled: &ScheduledRequest,
        tries: &mut Tries,
        result: &Result<Answer<'_>, Broken>,
    ) -> Option<Duration> {
        if self.task.retries == 0 || !scheduled.request.may_be_resent() {
            return None;
        }
        if self.clock.now() >= self.task.timeline.window.closes {
            return None;
        }
        let asked = result.as_ref().ok().and_then(|answer| answer.retry_after);
        tries.next(&judge(&scheduled.request, result), asked, rand::random())
    }
}
