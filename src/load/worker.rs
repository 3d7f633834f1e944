//! What one connection does with one order: render, send, wait, judge, record.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::answer::{Ending, Judged, judge};
use super::clock::{Clock, Moment, Window};
use super::connection::{Answer, Broken, Connection, Readiness};
use super::ledger::{Entry, Ledger};
use super::plan::{Draft, Plan};
use super::recording::{Recording, Times};

/// What the connections of one generator thread share.
#[derive(Debug)]
pub(super) struct Shared {
    /// What is sent.
    pub(super) plan: Arc<Plan>,
    /// The time of the run.
    pub(super) clock: Clock,
    /// The part of the run that counts.
    pub(super) window: Window,
    /// What was measured since the last exchange.
    pub(super) recording: RefCell<Box<Recording>>,
    /// What clients were told.
    pub(super) ledger: RefCell<Ledger>,
    /// What each connection is at.
    seats: RefCell<Vec<AtWork>>,
    /// When the last request that counts ended.
    pub(super) last_done: Cell<Moment>,
}

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    /// Its number in the plan.
    pub(super) number: u64,
    /// When it should leave.
    pub(super) planned: Moment,
    /// When the generator noticed.
    pub(super) woken: Moment,
}

/// What a connection is at, for the books of an interrupted run.
#[derive(Debug, Clone, Copy)]
enum AtWork {
    Idle,
    Waiting(Ticket),
    Sent(Ticket, Moment),
}

impl Shared {
    /// The state of a thread with so many connections.
    #[must_use]
    pub(super) fn new(plan: Arc<Plan>, clock: Clock, window: Window, connections: usize) -> Self {
        Self {
            plan,
            clock,
            window,
            recording: RefCell::default(),
            ledger: RefCell::default(),
            seats: RefCell::new(vec![AtWork::Idle; connections]),
            last_done: Cell::new(window.opens),
        }
    }

    /// Counts a planned request.
    pub(super) fn planned(&self, at: Moment) {
        let mut recording = self.recording.borrow_mut();
        let counts = self.window.counts(at);
        (if counts { &mut recording.books } else { &mut recording.warmup }).planned += 1;
    }

    /// Counts a planned request that is not even kept waiting.
    pub(super) fn skipped(&self, at: Moment) {
        let mut recording = self.recording.borrow_mut();
        let counts = self.window.counts(at);
        (if counts { &mut recording.books } else { &mut recording.warmup }).skipped += 1;
    }

    /// Counts a planned request that will not be sent any more.
    pub(super) fn unsent(&self, at: Moment) {
        let mut recording = self.recording.borrow_mut();
        if self.window.counts(at) {
            recording.unsent(self.clock.now().nanos_since(at));
        } else {
            recording.warmup.unsent += 1;
        }
    }

    fn record(&self, number: u64, times: Times, result: &Result<Answer<'_>, Broken>) {
        let judged = match result {
            Ok(answer) => judge(answer.status, answer.body),
            Err(broken) => broken.judged(),
        };
        let example = || match result {
            Ok(answer) => String::from_utf8_lossy(answer.body).into_owned(),
            Err(broken) => broken.to_string(),
        };
        self.ended(&judged, times, example);
        if !matches!(result, Err(Broken::Connect(_))) {
            self.ledger.borrow_mut().push(Entry { number, told: judged.told });
        }
    }

    fn at_work(&self, place: usize, at_work: AtWork) {
        self.seats.borrow_mut()[place] = at_work;
    }

    fn sent(&self, at: Moment) {
        let mut recording = self.recording.borrow_mut();
        let counts = self.window.counts(at);
        (if counts { &mut recording.books } else { &mut recording.warmup }).sent += 1;
    }

    fn ended(&self, judged: &Judged<'_>, times: Times, example: impl FnOnce() -> String) {
        let mut recording = self.recording.borrow_mut();
        if judged.ending == Ending::Ok && self.window.contains(times.done) {
            recording.finished += 1;
        }
        if self.window.counts(times.planned) {
            recording.ended(judged, times, example);
            self.last_done.set(self.last_done.get().max(times.done));
        } else {
            recording.warmed(judged);
        }
    }

    /// Closes the books of a run that is given up: what is on its way is aborted.
    pub(super) fn give_up(&self) {
        let now = self.clock.now();
        for seat in self.seats.borrow_mut().iter_mut() {
            match std::mem::replace(seat, AtWork::Idle) {
                AtWork::Idle => {}
                AtWork::Waiting(ticket) => self.unsent(ticket.planned),
                AtWork::Sent(ticket, sent) => {
                    let judged = Judged::unanswered(Ending::Aborted, "interrupted");
                    self.ended(&judged, ticket.times(sent, now), String::new);
                    self.ledger.borrow_mut().push(Entry { number: ticket.number, told: judged.told });
                }
            }
        }
    }
}

impl Ticket {
    fn times(self, sent: Moment, done: Moment) -> Times {
        Times { planned: self.planned, woken: self.woken, sent, done }
    }
}

/// One connection with all it needs to send orders.
#[derive(Debug)]
pub(super) struct Seat {
    shared: Rc<Shared>,
    place: usize,
    connection: Connection,
    draft: Draft,
    body: Vec<u8>,
    request: Vec<u8>,
}

impl Seat {
    /// The seat at a place of its thread.
    #[must_use]
    pub(super) fn new(shared: Rc<Shared>, place: usize, connection: Connection) -> Self {
        let (body, request) = (Vec::new(), Vec::new());
        Self { shared, place, connection, draft: Draft::default(), body, request }
    }

    /// What the thread shares.
    #[must_use]
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Sends one planned order and records what came of it.
    pub(super) async fn send(&mut self, ticket: Ticket) {
        self.shared.at_work(self.place, AtWork::Waiting(ticket));
        let ready = self.connection.ready().await;
        let sent = match ready {
            // In a closed loop plan and sending are one: nothing lies between them but rendering.
            Ok(Readiness::Was) if ticket.woken == ticket.planned => ticket.planned,
            _ => self.shared.clock.now(),
        };
        self.shared.sent(ticket.planned);
        self.shared.at_work(self.place, AtWork::Sent(ticket, sent));
        let result = match ready {
            Ok(_) => {
                self.render(ticket.number);
                self.connection.exchange(&self.request).await
            }
            Err(broken) => Err(broken),
        };
        let times = ticket.times(sent, self.shared.clock.now());
        self.shared.at_work(self.place, AtWork::Idle);
        self.shared.record(ticket.number, times, &result);
    }

    fn render(&mut self, number: u64) {
        let plan = &self.shared.plan;
        plan.draft(number, &mut self.draft);
        self.body.clear();
        plan.render(&self.draft, &mut self.body);
        self.request.clear();
        self.connection.target().render(plan.key(number).as_bytes(), &self.body, &mut self.request);
    }
}

impl Broken {
    fn judged(&self) -> Judged<'static> {
        match self {
            Self::Connect(_) => Judged::unanswered(Ending::Failed, "connect"),
            Self::Reset(_) => Judged::unanswered(Ending::Failed, "reset"),
            Self::Unreadable(_) => Judged::unanswered(Ending::Failed, "bad-answer"),
            Self::TimedOut => Judged::unanswered(Ending::TimedOut, "timeout"),
        }
    }
}
