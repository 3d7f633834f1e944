//! What one connection does with one request: write, send, wait, judge, record.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::conn::connection::{Answer, Broken};
use crate::conn::limits;
use crate::measure::recording::Times;
use crate::measure::recovery::Acceptances;
use crate::measure::snapshot::{Bucket, Snapshot};
use crate::worker::recent_orders::{RecentOrder, RecentOrders};
use crate::worker::request;
use crate::worker::request::Request;
use crate::worker::retry::Tries;
use ordersys_workload::endpoint::Endpoint;
use ordersys_workload::evidence::answer::{Ending, Judged};
use ordersys_workload::evidence::audit::Audit;
use ordersys_workload::evidence::ledger::{Change, Ledger, Told};
use ordersys_workload::model::Verification;
use ordersys_workload::model::clock::Part;
use ordersys_workload::model::clock::{Clock, Moment, Timeline};
use ordersys_workload::plan::Plan;
use ordersys_workload::plan::operation::Operation;

/// What all threads of a run have in common.
#[derive(Debug, Clone)]
pub(crate) struct RunConfig {
    /// What is sent.
    pub(crate) plan: Arc<Plan>,
    /// The parts of the run.
    pub(crate) timeline: Timeline,
    /// How often a request may be sent again.
    pub(crate) retries: u32,
    /// Whether what clients are told is kept.
    pub(crate) verification: Verification,
    /// Whether it is kept when orders were taken: only faults need it, and it grows with the run.
    pub(crate) acceptances: bool,
}

/// What the connections of one generator thread share.
#[derive(Debug)]
pub(crate) struct WorkerState {
    /// What the thread has to do.
    pub(crate) task: RunConfig,
    /// The time of the run.
    pub(crate) clock: Clock,
    /// What was measured since the last exchange.
    pub(crate) snapshot: RefCell<Box<Snapshot>>,
    /// What clients were told.
    pub(crate) ledger: RefCell<Ledger>,
    /// What was planned.
    pub(crate) audit: RefCell<Audit>,
    /// Orders that requests can name.
    memory: RefCell<RecentOrders>,
    /// What each connection is at.
    virtual_users: RefCell<Vec<AtWork>>,
    /// When the last request that counts ended.
    pub(crate) last_done: Cell<Moment>,
    /// When orders were taken, where that is kept.
    pub(crate) acceptances: RefCell<Acceptances>,
}

/// A planned request.
#[derive(Debug, Clone)]
pub(crate) struct ScheduledRequest {
    /// Which one, and when.
    pub(crate) meta: RequestMeta,
    /// What it does.
    pub(crate) request: Request,
}

/// What tells one planned request from the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestMeta {
    /// Its number in the plan.
    pub(crate) number: u64,
    /// Where it is counted.
    pub(crate) place: Bucket,
    /// When it should leave.
    pub(crate) planned: Moment,
    /// When the generator noticed.
    pub(crate) woken: Moment,
}

/// What a connection is at, for the counters of an interrupted run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AtWork {
    /// Nothing.
    Idle,
    /// Waiting for its connection.
    Waiting(RequestMeta),
    /// Sent at that moment, with what it may change.
    Sent(RequestMeta, Moment, Change),
}

impl WorkerState {
    /// The state of a thread with so many connections.
    #[must_use]
    pub(crate) fn new(task: RunConfig, clock: Clock, connections: usize) -> Self {
        let last_done = Cell::new(task.timeline.window.opens);
        Self {
            task,
            clock,
            snapshot: RefCell::default(),
            ledger: RefCell::default(),
            audit: RefCell::default(),
            memory: RefCell::default(),
            virtual_users: RefCell::new(vec![AtWork::Idle; connections]),
            last_done,
            acceptances: RefCell::default(),
        }
    }

    /// Counts a planned request and settles what it does. What can name no order yet places one.
    pub(crate) fn plan(&self, number: u64, planned: Moment, woken: Moment) -> ScheduledRequest {
        let request = match self.task.plan.operation(number) {
            Operation::Order => Request::Order,
            Operation::Repeat(of) => Request::Repeat(of),
            Operation::Bad(fault) => Request::Bad(fault),
            Operation::Read(product) => Request::Read(product),
            Operation::Restock(product, units) => Request::Restock(product, units),
            Operation::Live => Request::Live,
            Operation::Track => match self.memory.borrow().one(number) {
                Some(known) => Request::Track(known),
                None => self.turned(Endpoint::Track),
            },
            Operation::Cancel => match self.memory.borrow_mut().take(number) {
                Some(known) => Request::Cancel(known),
                None => self.turned(Endpoint::Cancel),
            },
        };
        let endpoint = request.endpoint();
        let place = Bucket { part: self.task.timeline.part(planned), endpoint };
        self.audit.borrow_mut().planned[endpoint as usize] += 1;
        self.snapshot.borrow_mut().counters(place).planned += 1;
        ScheduledRequest { meta: RequestMeta { number, place, planned, woken }, request }
    }

    fn turned(&self, endpoint: Endpoint) -> Request {
        self.audit.borrow_mut().turned[endpoint as usize] += 1;
        Request::Order
    }

    /// Counts a planned request that is not even kept waiting.
    pub(crate) fn skipped(&self, place: Bucket) {
        self.snapshot.borrow_mut().counters(place).skipped += 1;
    }

    /// Counts a planned request that will not be sent any more.
    pub(crate) fn unsent(&self, meta: &RequestMeta) {
        let (mut snapshot, waited) = (self.snapshot.borrow_mut(), self.clock.now().nanos_since(meta.planned));
        match meta.place.part {
            Part::Warmup => snapshot.warmup.unsent += 1,
            Part::Stage(stage) => snapshot.of(stage, meta.place.endpoint).unsent(waited),
        }
    }

    fn retried(&self, place: Bucket, again: u32) {
        if let (Part::Stage(stage), 1..) = (place.part, again) {
            self.snapshot.borrow_mut().of(stage, place.endpoint).retries += u64::from(again);
        }
    }

    /// Records what came of a request.
    pub(crate) fn record(
        &self,
        scheduled: &ScheduledRequest,
        times: Times,
        tries: &Tries,
        result: &Result<Answer<'_>, Broken>,
    ) {
        let ScheduledRequest { meta, request } = scheduled;
        let judged = judge(request, result);
        let example = || match result {
            Ok(answer) => String::from_utf8_lossy(answer.body).into_owned(),
            Err(broken) => broken.to_string(),
        };
        self.ended(meta.place, &judged, times, example);
        self.retried(meta.place, tries.again);
        if let (Request::Read(product) | Request::Restock(product, _), Ok(answer)) = (request, result) {
            self.saw_stock(*product, request::stock(answer.body));
        }
        let never_left = matches!(result, Err(Broken::Connect(_))) && !tries.may_have_acted();
        if !never_left {
            self.note(request.change(meta.number), tries.told(judged.told));
        }
    }

    fn saw_stock(&self, product: u32, stock: Option<i64>) {
        if let Some(units @ ..0) = stock {
            self.ledger.borrow_mut().saw_negative(product, units);
        }
    }

    fn note(&self, change: Change, told: Told) {
        if let (Change::Order(number) | Change::Again(number), Told::Confirmed { order, .. }) =
            (change, &told)
            && self.task.plan.mix().names_orders()
        {
            self.memory.borrow_mut().add(RecentOrder { number, order: order.clone() });
        }
        if self.task.verification == Verification::On {
            self.ledger.borrow_mut().note(change, told);
        }
    }

    /// Remembers what a connection is at.
    pub(crate) fn at_work(&self, place: usize, at_work: AtWork) {
        self.virtual_users.borrow_mut()[place] = at_work;
    }

    /// Counts a request that leaves.
    pub(crate) fn sent(&self, place: Bucket) {
        self.snapshot.borrow_mut().counters(place).sent += 1;
    }

    fn ended(&self, place: Bucket, judged: &Judged<'_>, times: Times, example: impl FnOnce() -> String) {
        let mut snapshot = self.snapshot.borrow_mut();
        if self.task.acceptances && judged.ending == Ending::Ok && place.endpoint == Endpoint::Order {
            self.acceptances.borrow_mut().beat(times.done);
        }
        if judged.ending == Ending::Ok && self.task.timeline.window.contains(times.done) {
            // By the time it finished: the throughput of a stage is what was done in it.
            snapshot.of(self.task.timeline.stage(times.done), place.endpoint).finished += 1;
        }
        match place.part {
            Part::Warmup => snapshot.warmup.ended(judged.ending),
            Part::Stage(stage) => {
                snapshot.of(stage, place.endpoint).ended(judged, times, example);
                self.last_done.set(self.last_done.get().max(times.done));
            }
        }
    }

    /// Closes the counters of a run that is given up: what is on its way is aborted.
    pub(crate) fn give_up(&self) {
        let now = self.clock.now();
        for user in self.virtual_users.borrow_mut().iter_mut() {
            match std::mem::replace(user, AtWork::Idle) {
                AtWork::Idle => {}
                AtWork::Waiting(meta) => self.unsent(&meta),
                AtWork::Sent(meta, sent, change) => {
                    let judged = Judged::unanswered(Ending::Aborted, "interrupted");
                    self.ended(meta.place, &judged, meta.times(sent, now), String::new);
                    self.note(change, judged.told);
                }
            }
        }
    }
}

/// What it means what came of a request.
pub(crate) fn judge<'a>(request: &Request, result: &Result<Answer<'a>, Broken>) -> Judged<'a> {
    match result {
        Ok(answer) => request.judge(answer.status, answer.body),
        Err(broken) => broken.judged(),
    }
}

impl RequestMeta {
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
