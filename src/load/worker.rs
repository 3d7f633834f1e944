//! What one connection does with one order: render, send, wait, judge, record.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::answer::{Ending, Judged, judge};
use super::clock::{Clock, Moment, Timeline};
use super::connection::{Answer, Broken, Connection, Readiness};
use super::endpoint::Endpoint;
use super::ledger::{Entry, Ledger, Told};
use super::limits;
use super::plan::{Draft, Plan};
use super::profile::Verification;
use super::pulse::Pulse;
use super::recording::Times;
use super::sheet::{Part, Place, Sheet};

/// What the connections of one generator thread share.
#[derive(Debug)]
pub(super) struct Shared {
    /// What is sent.
    pub(super) plan: Arc<Plan>,
    /// The time of the run.
    pub(super) clock: Clock,
    /// The parts of the run.
    pub(super) timeline: Timeline,
    /// What was measured since the last exchange.
    pub(super) sheet: RefCell<Box<Sheet>>,
    /// Whether what clients are told is kept.
    pub(super) verification: Verification,
    /// What clients were told.
    pub(super) ledger: RefCell<Ledger>,
    /// What each connection is at.
    seats: RefCell<Vec<AtWork>>,
    /// When the last request that counts ended.
    pub(super) last_done: Cell<Moment>,
    /// When orders were taken.
    pub(super) pulse: RefCell<Pulse>,
}

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    /// Its number in the plan.
    pub(super) number: u64,
    /// Where it is counted.
    pub(super) place: Place,
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
    pub(super) fn new(
        plan: Arc<Plan>,
        clock: Clock,
        timeline: Timeline,
        connections: usize,
        verification: Verification,
    ) -> Self {
        let last_done = Cell::new(timeline.window.opens);
        Self {
            plan,
            clock,
            timeline,
            verification,
            sheet: RefCell::default(),
            ledger: RefCell::default(),
            seats: RefCell::new(vec![AtWork::Idle; connections]),
            last_done,
            pulse: RefCell::default(),
        }
    }

    /// Where a request of this kind that is planned for then is counted.
    #[must_use]
    pub(super) fn place(&self, endpoint: Endpoint, planned: Moment) -> Place {
        Place { part: self.timeline.part(planned), endpoint }
    }

    /// Counts a planned request.
    pub(super) fn planned(&self, place: Place) {
        self.sheet.borrow_mut().books(place).planned += 1;
    }

    /// Counts a planned request that is not even kept waiting.
    pub(super) fn skipped(&self, place: Place) {
        self.sheet.borrow_mut().books(place).skipped += 1;
    }

    /// Counts a planned request that will not be sent any more.
    pub(super) fn unsent(&self, ticket: &Ticket) {
        let (mut sheet, waited) = (self.sheet.borrow_mut(), self.clock.now().nanos_since(ticket.planned));
        match ticket.place.part {
            Part::Warmup => sheet.warmup.unsent += 1,
            Part::Stage(stage) => sheet.of(stage, ticket.place.endpoint).unsent(waited),
        }
    }

    fn record(&self, ticket: &Ticket, times: Times, result: &Result<Answer<'_>, Broken>) {
        let judged = match result {
            Ok(answer) => judge(answer.status, answer.body),
            Err(broken) => broken.judged(),
        };
        let example = || match result {
            Ok(answer) => String::from_utf8_lossy(answer.body).into_owned(),
            Err(broken) => broken.to_string(),
        };
        self.ended(ticket.place, &judged, times, example);
        if !matches!(result, Err(Broken::Connect(_))) {
            self.told(ticket.number, judged.told);
        }
    }

    /// Keeps what a client was told, if anybody will ask.
    fn told(&self, number: u64, told: Told) {
        if self.verification == Verification::On {
            self.ledger.borrow_mut().push(Entry { number, told });
        }
    }

    fn at_work(&self, place: usize, at_work: AtWork) {
        self.seats.borrow_mut()[place] = at_work;
    }

    fn sent(&self, place: Place) {
        self.sheet.borrow_mut().books(place).sent += 1;
    }

    fn ended(&self, place: Place, judged: &Judged<'_>, times: Times, example: impl FnOnce() -> String) {
        let mut sheet = self.sheet.borrow_mut();
        if judged.ending == Ending::Ok && place.endpoint == Endpoint::Order {
            self.pulse.borrow_mut().beat(times.done);
        }
        if judged.ending == Ending::Ok && self.timeline.window.contains(times.done) {
            // By the time it finished: the throughput of a stage is what was done in it.
            sheet.of(self.timeline.stage(times.done), place.endpoint).finished += 1;
        }
        match place.part {
            Part::Warmup => sheet.warmup.ended(judged.ending),
            Part::Stage(stage) => {
                sheet.of(stage, place.endpoint).ended(judged, times, example);
                self.last_done.set(self.last_done.get().max(times.done));
            }
        }
    }

    /// Closes the books of a run that is given up: what is on its way is aborted.
    pub(super) fn give_up(&self) {
        let now = self.clock.now();
        for seat in self.seats.borrow_mut().iter_mut() {
            match std::mem::replace(seat, AtWork::Idle) {
                AtWork::Idle => {}
                AtWork::Waiting(ticket) => self.unsent(&ticket),
                AtWork::Sent(ticket, sent) => {
                    let judged = Judged::unanswered(Ending::Aborted, "interrupted");
                    self.ended(ticket.place, &judged, ticket.times(sent, now), String::new);
                    self.told(ticket.number, judged.told);
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
        self.shared.sent(ticket.place);
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
        self.shared.record(&ticket, times, &result);
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
            Self::Connect(error) if limits::is_reached(error) => {
                Judged::unanswered(Ending::Failed, limits::REACHED)
            }
            Self::Connect(_) => Judged::unanswered(Ending::Failed, "connect"),
            Self::Reset(_) => Judged::unanswered(Ending::Failed, "reset"),
            Self::Unreadable(_) => Judged::unanswered(Ending::Failed, "bad-answer"),
            Self::TimedOut => Judged::unanswered(Ending::TimedOut, "timeout"),
        }
    }
}
