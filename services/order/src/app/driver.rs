//! Drives an order to its outcome, through every failure of the others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ordersys_contract::RequestId;
use ordersys_contract::order::OrderState;
use ordersys_contract::reservation::{Action, Operation};
use ordersys_spans::{Kind, Span};
use ordersys_store::StoreError;
use rand::RngExt;

use super::App;
use crate::NAME;
use crate::domain::access::Reach;
use crate::domain::order::{Evidence, StepContext, StoredOrder};
use crate::domain::saga::{Meaning, Want, meaning, next, reserve};
use crate::ports::{Batcher, PortError};

/// How long the first, second and every later try of a call may take.
const TRIES: [Duration; 3] = [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];
/// Longest pause before the second try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where the first try of an order goes. Every later call takes the drivers' batcher, so that many new
/// orders do not hold up the finishing of older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Just stored for a waiting client: with the other new orders.
    New,
    /// Stored before: with the drivers' other calls.
    Older,
}

/// How soon the next try follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// After a short pause that grows from try to try.
    Quick,
    /// After about the longest pause.
    Slow,
}

/// One try of a call.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    batcher: &'a Batcher<Operation>,
    /// How many came before it.
    earlier: usize,
}

/// What one round with an order came to.
enum Round {
    /// The order has a new version.
    Advanced(Arc<StoredOrder>),
    /// Its outcome is known.
    Finished,
    /// No answer, or one that could not be stored: the same again after a pause.
    Again,
    /// The service stops; a restart goes on.
    Stopped,
}

impl App {
    /// Drives an order on until its outcome is stored; one still pending at its deadline is given up.
    /// `None` if the service stops before that.
    pub(super) async fn drive(
        &self,
        mut stored: Arc<StoredOrder>,
        request: &RequestId,
        mut origin: Origin,
        deadline: Instant,
    ) -> Option<Arc<StoredOrder>> {
        let mut tries = 0;
        let _driven = self.0.driving.enter(stored.order.id);
        if origin == Origin::New {
            self.0.reserve_retries.first_try();
        }
        loop {
            let batcher = match origin {
                Origin::New => &self.0.requests,
                Origin::Older => &self.0.drivers,
            };
            origin = Origin::Older;
            let want = next(&stored, deadline.saturating_duration_since(Instant::now()));
            match self.round(&stored, want, request, Attempt { batcher, earlier: tries }).await {
                Round::Advanced(next) => {
                    stored = next;
                    tries = 0;
                }
                Round::Finished => return Some(stored),
                Round::Again => {
                    tries = tries.saturating_add(1);
                    note_retry(&stored, request, tries);
                    self.pause(tries, self.pace(stored.order.status)).await;
                }
                Round::Stopped => return None,
            }
            if self.0.stopping.is_cancelled() && stored.order.status.needs_driver() {
                return None;
            }
        }
    }

    async fn round(
        &self,
        stored: &StoredOrder,
        want: Want,
        request: &RequestId,
        attempt: Attempt<'_>,
    ) -> Round {
        match want {
            Want::Nothing => Round::Finished,
            Want::Step(event) => {
                let next = stored.after(event, Evidence::None, StepContext::now(request));
                self.store(next, stored, request).await
            }
            Want::Ask(action) => self.ask(stored, action, request, attempt).await,
        }
    }

    async fn ask(
        &self,
        stored: &StoredOrder,
        action: Action,
        request: &RequestId,
        attempt: Attempt<'_>,
    ) -> Round {
        let meaning = match answer(stored, action, request, attempt).await {
            Some(Meaning::FetchPrices) => {
                answer(stored, reserve(stored, Duration::ZERO), request, attempt).await
            }
            meaning => meaning,
        };
        match meaning {
            Some(Meaning::Step(event, evidence)) => {
                let next = stored.after(event, evidence, StepContext::now(request));
                self.store(next, stored, request).await
            }
            Some(Meaning::FetchPrices | Meaning::Contradiction) => {
                contradiction(stored, request);
                Round::Again
            }
            Some(Meaning::Undecided) | None => Round::Again,
        }
    }

    async fn store(&self, next: Option<StoredOrder>, stored: &StoredOrder, request: &RequestId) -> Round {
        let Some(next) = next else {
            contradiction(stored, request);
            return Round::Again;
        };
        let next = Arc::new(next);
        let mut step = ordersys_spans::open(Kind::Internal, stored_as(next.order.status));
        step.note("ordersys.order.id", || next.order.id.to_string());
        let advanced = step.contexts().around(self.0.orders.advance(Arc::clone(&next))).await;
        drop(step);
        match advanced {
            Ok(true) => Round::Advanced(next),
            // Another driver was faster: go on from what it stored.
            Ok(false) => match self.0.orders.get(stored.order.id, Reach::All).await {
                Ok(Some(current)) => Round::Advanced(Arc::new(current)),
                Ok(None) | Err(_) => Round::Again,
            },
            Err(StoreError::Stopped) => Round::Stopped,
            Err(error) => {
                let order = stored.order.id;
                tracing::warn!(service = NAME, requestId = request.as_str(), orderId = %order, %error, "a step could not be stored");
                Round::Again
            }
        }
    }

    /// New orders may call again quickly as long as the budget lasts. What gives stock back is
    /// exempt: there is never more of it than there were orders.
    fn pace(&self, status: OrderState) -> Pace {
        let paid = status != OrderState::Pending || self.0.reserve_retries.may_retry();
        if paid { Pace::Quick } else { Pace::Slow }
    }

    /// Waits a random time, longer from try to try, shorter when the service stops.
    pub(super) async fn pause(&self, tries: usize, pace: Pace) {
        let chance: f64 = rand::rng().random();
        let pause = match pace {
            Pace::Quick => FIRST_PAUSE.saturating_mul(1 << tries.min(16)).min(LONGEST_PAUSE).mul_f64(chance),
            Pace::Slow => LONGEST_PAUSE.mul_f64(0.5 + chance),
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.0.stopping.cancelled() => {}
        }
    }
}

/// Notes ever fewer of an order's tries: with the product service away, thousands ask again.
fn note_retry(stored: &StoredOrder, request: &RequestId, tries: usize) {
    if tries.is_power_of_two() {
        tracing::info!(
            service = NAME,
            requestId = request.as_str(),
            orderId = %stored.order.id,
            state = stored.order.status.as_str(),
            attempt = tries + 1,
            "asking the product service again"
        );
    }
}

async fn answer(
    stored: &StoredOrder,
    action: Action,
    request: &RequestId,
    Attempt { batcher, earlier }: Attempt<'_>,
) -> Option<Meaning> {
    let patience = TRIES[earlier.min(TRIES.len() - 1)];
    let mut step = ordersys_spans::open(Kind::Client, asked_as(&action));
    step.note("ordersys.order.id", || stored.order.id.to_string());
    step.note("ordersys.attempt", || earlier + 1);
    let operation = Operation {
        order_id: stored.order.id,
        request_id: request.clone(),
        trace_parent: step.contexts().sampled(),
        action: action.clone(),
    };
    let answer = batcher.ask(operation, patience).await;
    note_failure(&mut step, &answer);
    Some(meaning(stored.order.status, &action, answer.ok()?))
}

/// Notes in a span that no answer came, and why.
pub(super) fn note_failure<T>(step: &mut Span, answer: &Result<T, PortError>) {
    if let Err(error) = answer {
        step.fail(|| error.to_string());
    }
}

/// The name of a span that asks for something.
fn asked_as(action: &Action) -> &'static str {
    match action {
        Action::Reserve { .. } => "ask: reserve",
        Action::Confirm => "ask: confirm",
        Action::Cancel => "ask: cancel",
        Action::Release => "ask: release",
    }
}

/// The name of a span that stores a step of an order.
fn stored_as(status: OrderState) -> &'static str {
    match status {
        OrderState::Pending => "store: pending",
        OrderState::Confirmed => "store: confirmed",
        OrderState::Paid => "store: paid",
        OrderState::Shipped => "store: shipped",
        OrderState::Delivered => "store: delivered",
        OrderState::Rejected => "store: rejected",
        OrderState::Expired => "store: expired",
        OrderState::Aborting => "store: aborting",
        OrderState::Aborted => "store: aborted",
        OrderState::Cancelling => "store: cancelling",
        OrderState::Cancelled => "store: cancelled",
    }
}

fn contradiction(stored: &StoredOrder, request: &RequestId) {
    let (order, state) = (stored.order.id, stored.order.status.as_str());
    tracing::error!(
        service = NAME,
        requestId = request.as_str(),
        orderId = %order,
        state,
        "the product service's answer contradicts the order; asking again"
    );
}
