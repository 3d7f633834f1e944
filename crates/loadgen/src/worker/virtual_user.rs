//! One place of a generator thread: sends a request at a time over its own connections, again where it may.

use std::rc::Rc;
use std::time::Duration;

use crate::conn::connection::{Answer, Broken, Connection, Readiness};
use crate::worker::request::{Pen, Service};
use crate::worker::retry::Tries;
use crate::worker::state::{AtWork, Shared, Ticket, judge};
use ordersys_workload::model::clock::Moment;

/// The connections of one seat, one to each service that it needs.
#[derive(Debug)]
pub(crate) struct Lines {
    /// To the order service.
    pub(crate) orders: Connection,
    /// To the product service, where the mix needs it.
    pub(crate) products: Option<Connection>,
}

impl Lines {
    fn to(&mut self, service: Service) -> &mut Connection {
        match (service, &mut self.products) {
            (Service::Products, Some(products)) => products,
            _ => &mut self.orders,
        }
    }
}

/// One place at which a request at a time is sent.
#[derive(Debug)]
pub(crate) struct Seat {
    shared: Rc<Shared>,
    place: usize,
    lines: Lines,
    pen: Pen,
}

impl Seat {
    /// The seat at a place of its thread.
    #[must_use]
    pub(crate) fn new(shared: Rc<Shared>, place: usize, lines: Lines) -> Self {
        Self { shared, place, lines, pen: Pen::default() }
    }

    /// What the thread shares.
    #[must_use]
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Sends one planned request, again where it may be, and records what came of it.
    pub(crate) async fn send(&mut self, ticket: Ticket) {
        let Self { shared, place, lines, pen } = self;
        let slip = ticket.slip;
        shared.at_work(*place, AtWork::Waiting(slip));
        let line = lines.to(ticket.errand.service());
        let mut tries = Tries::new(shared.task.retries);
        let mut first = None;
        loop {
            let ready = line.ready().await;
            let sent = *first.get_or_insert_with(|| shared.leaves(*place, &ticket, &ready));
            let result = match ready {
                Ok(_) => {
                    ticket.errand.write(slip.number, &shared.task.plan, line.target(), pen);
                    line.exchange(&pen.request).await
                }
                Err(broken) => Err(broken),
            };
            let done = shared.clock.now();
            let Some(pause) = shared.again(&ticket, &mut tries, &result) else {
                shared.at_work(*place, AtWork::Idle);
                shared.record(&ticket, slip.times(sent, done), &tries, &result);
                return;
            };
            drop(result);
            tokio::time::sleep(pause).await;
        }
    }
}

impl Shared {
    /// Counts a request that leaves; when it does.
    fn leaves(&self, place: usize, ticket: &Ticket, ready: &Result<Readiness, Broken>) -> Moment {
        let slip = ticket.slip;
        let sent = match ready {
            // In a closed loop plan and sending are one: nothing lies between them but rendering.
            Ok(Readiness::Was) if slip.woken == slip.planned => slip.planned,
            _ => self.clock.now(),
        };
        self.sent(slip.place);
        self.at_work(place, AtWork::Sent(slip, sent, ticket.errand.stake(slip.number)));
        sent
    }

    /// How long to wait before sending a request again, if it is. No try begins after the planned end.
    fn again(
        &self,
        ticket: &Ticket,
        tries: &mut Tries,
        result: &Result<Answer<'_>, Broken>,
    ) -> Option<Duration> {
        if self.task.retries == 0 || !ticket.errand.may_be_resent() {
            return None;
        }
        if self.clock.now() >= self.task.timeline.window.closes {
            return None;
        }
        let asked = result.as_ref().ok().and_then(|answer| answer.retry_after);
        tries.next(&judge(&ticket.errand, result), asked, rand::random())
    }
}
