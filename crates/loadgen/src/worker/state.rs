//! What one connection does with one request: write, send, wait, judge, record.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::conn::connection::{Answer, Broken};
use crate::conn::limits;
use crate::measure::recording::Times;
use crate::measure::recovery::Pulse;
use crate::measure::snapshot::{Place, Sheet};
use crate::worker::recent_orders::{Known, Memory};
use crate::worker::request as errand;
use crate::worker::request::Errand;
use crate::worker::retry::Tries;
use ordersys_workload::endpoint::Endpoint;
use ordersys_workload::evidence::answer::{Ending, Judged};
use ordersys_workload::evidence::audit::Audit;
use ordersys_workload::evidence::ledger::{Ledger, Stake, Told};
use ordersys_workload::model::Verification;
use ordersys_workload::model::clock::Part;
use ordersys_workload::model::clock::{Clock, Moment, Timeline};
use ordersys_workload::plan::Plan;
use ordersys_workload::plan::operation::Intent;

/// What all threads of a run have in common.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// What is sent.
    pub(crate) plan: Arc<Plan>,
    /// The parts of the run.
    pub(crate) timeline: Timeline,
    /// How often a request may be sent again.
    pub(crate) retries: u32,
    /// Whether what clients are told is kept.
    pub(crate) verification: Verification,
    /// Whether it is kept when orders were taken: only faults need it, and it grows with the run.
    pub(crate) pulse: bool,
}

/// What the connections of one generator thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What the thread has to do.
    pub(crate) task: Task,
    /// The time of the run.
    pub(crate) clock: Clock,
    /// What was measured since the last exchange.
    pub(crate) sheet: RefCell<Box<Sheet>>,
    /// What clients were told.
    pub(crate) ledger: RefCell<Ledger>,
    /// What was planned.
    pub(crate) audit: RefCell<Audit>,
    /// Orders that requests can name.
    memory: RefCell<Memory>,
    /// What each connection is at.
    seats: RefCell<Vec<AtWork>>,
    /// When the last request that counts ended.
    pub(crate) last_done: Cell<Moment>,
    /// When orders were taken, where that is kept.
    pub(crate) pulse: RefCell<Pulse>,
}

/// A planned request.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    /// Which one, and when.
    pub(crate) slip: Slip,
    /// What it does.
    pub(crate) errand: Errand,
}

/// What tells one planned request from the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slip {
    /// Its number in the plan.
    pub(crate) number: u64,
    /// Where it is counted.
    pub(crate) place: Place,
    /// When it should leave.
    pub(crate) planned: Moment,
    /// When the generator noticed.
    pub(crate) woken: Moment,
}

/// What a connection is at, for the books of an interrupted run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AtWork {
    /// Nothing.
    Idle,
    /// Waiting for its connection.
    Waiting(Slip),
    /// Sent at that moment, with what it may change.
    Sent(Slip, Moment, Stake),
}

impl Shared {
    /// The state of a thread with so many connections.
    #[must_use]
    pub(crate) fn new(task: Task, clock: Clock, connections: usize) -> Self {
        let last_done = Cell::new(task.timeline.window.opens);
        Self {
            task,
            clock,
            sheet: RefCell::default(),
            ledger: RefCell::default(),
            audit: RefCell::default(),
            memory: RefCell::default(),
            seats: RefCell::new(vec![AtWork::Idle; connections]),
            last_done,
            pulse: RefCell::default(),
        }
    }

    /// Counts a planned request and settles what it does. What can name no order yet places one.
    pub(crate) fn plan(&self, number: u64, planned: Moment, woken: Moment) -> Ticket {
        let errand = match self.task.plan.intent(number) {
            Intent::Order => Errand::Order,
            Intent::Repeat(of) => Errand::Repeat(of),
            Intent::Bad(fault) => Errand::Bad(fault),
            Intent::Read(product) => Errand::Read(product),
            Intent::Restock(product, units) => Errand::Restock(product, units),
            Intent::Live => Errand::Live,
            Intent::Track => match self.memory.borrow().one(number) {
                Some(known) => Errand::Track(known),
                None => self.turned(Endpoint::Track),
            },
            Intent::Cancel => match self.memory.borrow_mut().take(number) {
                Some(known) => Errand::Cancel(known),
                None => self.turned(Endpoint::Cancel),
            },
        };
        let endpoint = errand.endpoint();
        let place = Place { part: self.task.timeline.part(planned), endpoint };
        self.audit.borrow_mut().planned[endpoint as usize] += 1;
        self.sheet.borrow_mut().books(place).planned += 1;
        Ticket { slip: Slip { number, place, planned, woken }, errand }
    }

    fn turned(&self, endpoint: Endpoint) -> Errand {
        self.audit.borrow_mut().turned[endpoint as usize] += 1;
        Errand::Order
    }

    /// Counts a planned request that is not even kept waiting.
    pub(crate) fn skipped(&self, place: Place) {
        self.sheet.borrow_mut().books(place).skipped += 1;
    }

    /// Counts a planned request that will not be sent any more.
    pub(crate) fn unsent(&self, slip: &Slip) {
        let (mut sheet, waited) = (self.sheet.borrow_mut(), self.clock.now().nanos_since(slip.planned));
        match slip.place.part {
            Part::Warmup => sheet.warmup.unsent += 1,
            Part::Stage(stage) => sheet.of(stage, slip.place.endpoint).unsent(waited),
        }
    }

    fn retried(&self, place: Place, again: u32) {
        if let (Part::Stage(stage), 1..) = (place.part, again) {
            self.sheet.borrow_mut().of(stage, place.endpoint).retries += u64::from(again);
        }
    }

    /// Records what came of a request.
    pub(crate) fn record(
        &self,
        ticket: &Ticket,
        times: Times,
        tries: &Tries,
        result: &Result<Answer<'_>, Broken>,
    ) {
        let Ticket { slip, errand } = ticket;
        let judged = judge(errand, result);
        let example = || match result {
            Ok(answer) => String::from_utf8_lossy(answer.body).into_owned(),
            Err(broken) => broken.to_string(),
        };
        self.ended(slip.place, &judged, times, example);
        self.retried(slip.place, tries.again);
        if let (Errand::Read(product) | Errand::Restock(product, _), Ok(answer)) = (errand, result) {
            self.saw_stock(*product, errand::stock(answer.body));
        }
        let never_left = matches!(result, Err(Broken::Connect(_))) && !tries.may_have_acted();
        if !never_left {
            self.note(errand.stake(slip.number), tries.told(judged.told));
        }
    }

    fn saw_stock(&self, product: u32, stock: Option<i64>) {
        if let Some(units @ ..0) = stock {
            self.ledger.borrow_mut().saw_negative(product, units);
        }
    }

    fn note(&self, stake: Stake, told: Told) {
        if let (Stake::Order(number) | Stake::Again(number), Told::Confirmed { order, .. }) = (stake, &told)
            && self.task.plan.mix().names_orders()
        {
            self.memory.borrow_mut().add(Known { number, order: order.clone() });
        }
        if self.task.verification == Verification::On {
            self.ledger.borrow_mut().note(stake, told);
        }
    }

    /// Remembers what a connection is at.
    pub(crate) fn at_work(&self, place: usize, at_work: AtWork) {
        self.seats.borrow_mut()[place] = at_work;
    }

    /// Counts a request that leaves.
    pub(crate) fn sent(&self, place: Place) {
        self.sheet.borrow_mut().books(place).sent += 1;
    }

    fn ended(&self, place: Place, judged: &Judged<'_>, times: Times, example: impl FnOnce() -> String) {
        let mut sheet = self.sheet.borrow_mut();
        if self.task.pulse && judged.ending == Ending::Ok && place.endpoint == Endpoint::Order {
            self.pulse.borrow_mut().beat(times.done);
        }
        if judged.ending == Ending::Ok && self.task.timeline.window.contains(times.done) {
            // By the time it finished: the throughput of a stage is what was done in it.
            sheet.of(self.task.timeline.stage(times.done), place.endpoint).finished += 1;
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
    pub(crate) fn give_up(&self) {
        let now = self.clock.now();
        for seat in self.seats.borrow_mut().iter_mut() {
            match std::mem::replace(seat, AtWork::Idle) {
                AtWork::Idle => {}
                AtWork::Waiting(slip) => self.unsent(&slip),
                AtWork::Sent(slip, sent, stake) => {
                    let judged = Judged::unanswered(Ending::Aborted, "interrupted");
                    self.ended(slip.place, &judged, slip.times(sent, now), String::new);
                    self.note(stake, judged.told);
                }
            }
        }
    }
}

/// What it means what came of a request.
pub(crate) fn judge<'a>(errand: &Errand, result: &Result<Answer<'a>, Broken>) -> Judged<'a> {
    match result {
        Ok(answer) => errand.judge(answer.status, answer.body),
        Err(broken) => broken.judged(),
    }
}

impl Slip {
    /// Its four moments.
    pub(crate) fn times(self, sent: Moment, done: Moment) -> Times {
        Times { planned: self.planned, woken: self.woken, sent, done }
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
