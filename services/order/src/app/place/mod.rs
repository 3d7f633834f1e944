//! Placing an order: joined, replayed or new; durable before stock is asked for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ordersys_chassis::Caller;
use ordersys_contract::order::{Order, OrderState};
use ordersys_contract::reservation::Line;
use ordersys_contract::user::UserSummary;
use ordersys_contract::{IdempotencyKey, OrderId, RequestId, Timestamp, UserId};
use ordersys_spans::Kind;
use ordersys_store::StoreError;
use tokio::sync::watch;

use super::App;
use super::driver::{Origin, Pace, note_failure};
use super::inflight::{Entrance, KeyInUse, Ticket};
use crate::OrderError;
use crate::domain::access::{Owner, Reach, may_order};
use crate::domain::draft::Draft;
use crate::domain::order::StoredOrder;
use crate::ports::{PortError, UserQuery};
use crate::store::Inserted;

/// How long a client waits for the outcome before it is asked to come back.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause between two looks at an order that another instance may be making.
const POLL: Duration = Duration::from_millis(20);
/// How long each try of the user look-up may take.
const LOOKUP_TRIES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];

/// The request that asks for an order.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    pub(crate) caller: Caller,
    pub(crate) address: IpAddr,
    pub(crate) id: RequestId,
}

/// How storing a new order ended.
enum Insertion {
    /// It is stored.
    New(Arc<StoredOrder>),
    /// Its key was used before, for this order.
    Earlier(Box<StoredOrder>),
}

/// What a client gets for its order.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// The order as it is now; still without outcome if that took too long.
    pub(crate) stored: Arc<StoredOrder>,
    /// Whether an earlier post made it.
    pub(crate) replayed: bool,
}

/// How far the making of an order has come.
#[derive(Debug, Clone)]
pub(super) enum Progress {
    /// Nothing is written yet; since when it is in the making.
    Begun(Instant),
    /// The order is durable.
    Stored(Arc<StoredOrder>),
    /// Its outcome is known, or nothing was written.
    Done(Result<Placed, OrderError>),
}

impl Progress {
    /// The order is durable. Returns whether its clients have to be woken: until [`RESPONSE_TIMEOUT`] is over they wait
    /// for the outcome.
    fn reach(&mut self, stored: Arc<StoredOrder>) -> bool {
        let late = matches!(self, Self::Begun(since) if since.elapsed() >= RESPONSE_TIMEOUT);
        *self = Self::Stored(stored);
        late
    }
}

impl App {
    /// Places an order, or joins or repeats an earlier post with the same key.
    pub(crate) async fn place(
        &self,
        draft: Draft,
        key: Option<IdempotencyKey>,
        request: RequestContext,
    ) -> Result<Placed, OrderError> {
        self.0.allowed.post(request.caller, request.address)?;
        let (sender, progress) = watch::channel(Progress::Begun(Instant::now()));
        let mut ticket = None;
        if let Some(key) = &key {
            let key = KeyInUse { caller: request.caller, user: draft.user_id, key: key.clone() };
            match self.0.keys.enter(key, &draft.lines, &progress) {
                Entrance::First(entered) => ticket = Some(entered),
                Entrance::Join(progress) => return joined(wait(progress).await),
                Entrance::Conflict => return Err(OrderError::KeyReused),
            }
        }
        let Some(permit) = self.0.admission.try_acquire(Instant::now()) else {
            finish(&sender, ticket, Err(OrderError::Overloaded));
            return Err(OrderError::Overloaded);
        };
        let app = self.clone();
        // A task of its own: a client that hangs up does not stop its order half-way. Boxed, since it is large
        // and would be moved from hand to hand.
        self.0.tasks.spawn(Box::pin(ordersys_spans::carried(async move {
            let outcome = app.make(draft, key, request, &sender).await;
            let was_made = matches!(outcome, Ok(Placed { replayed: false, .. }));
            finish(&sender, ticket, outcome);
            if was_made {
                permit.done(Instant::now());
            }
        })));
        wait(progress).await
    }

    async fn make(
        &self,
        draft: Draft,
        key: Option<IdempotencyKey>,
        RequestContext { caller, id: request, .. }: RequestContext,
        progress: &watch::Sender<Progress>,
    ) -> Result<Placed, OrderError> {
        let admitted = self.admit(draft.user_id, caller, &request).await;
        let allowed = |owner: Owner| self.0.allowed.order(caller, &owner, &draft.lines).map(|()| owner);
        let owner = match admitted.and_then(allowed) {
            Ok(owner) => owner,
            Err(refusal @ OrderError::Denied(_)) => return Err(refusal),
            // An order that an earlier post made is answered to a caller who may read it, whatever is wrong by now.
            Err(refusal) => {
                return self.earlier(&draft, caller, key).await?.ok_or(refusal);
            }
        };
        let stored = StoredOrder::pending(owner, draft.order_lines(), Timestamp::now(), &request);
        let deadline = Instant::now() + self.0.deadline;
        let stored = match self.insert(stored, key).await? {
            Insertion::New(stored) => stored,
            Insertion::Earlier(earlier) => return replay(&draft.lines, self.settled(*earlier).await),
        };
        progress.send_if_modified(|progress| progress.reach(Arc::clone(&stored)));
        let outcome = self.drive(Arc::clone(&stored), &request, Origin::New, deadline).await;
        Ok(Placed { stored: outcome.unwrap_or(stored), replayed: false })
    }

    /// Stores a new order, unless its key was used before.
    async fn insert(
        &self,
        mut stored: StoredOrder,
        key: Option<IdempotencyKey>,
    ) -> Result<Insertion, OrderError> {
        loop {
            let order = Arc::new(stored);
            let step = ordersys_spans::open(Kind::Internal, "store: pending");
            let inserted =
                step.contexts().around(self.0.orders.insert(Arc::clone(&order), key.clone())).await;
            drop(step);
            match inserted {
                Ok(Inserted::Done) => return Ok(Insertion::New(order)),
                Ok(Inserted::KeyTaken(earlier)) => return Ok(Insertion::Earlier(earlier)),
                // The clock was set back, and an earlier order has the row of this id.
                Err(StoreError::Taken) => stored = order.renamed(OrderId::now()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether a new order is welcome: its owner if it is. Until here nothing is written.
    async fn admit(&self, user: UserId, caller: Caller, request: &RequestId) -> Result<Owner, OrderError> {
        if self.0.requests.is_full() {
            return Err(OrderError::Overloaded);
        }
        if let Some(left) = self.0.requests.refusal(Instant::now()) {
            return Err(OrderError::Dependency { service: "product", retry_in: left });
        }
        let user = self.look_up(user, request).await?;
        may_order(caller, &user).map_err(OrderError::Denied)?;
        Ok(Owner { id: user.id, name: user.name, kind: user.kind })
    }

    /// The order an earlier post with this key made, if the caller may read it.
    async fn earlier(
        &self,
        Draft { user_id, lines }: &Draft,
        caller: Caller,
        key: Option<IdempotencyKey>,
    ) -> Result<Option<Placed>, OrderError> {
        let Some(key) = key else { return Ok(None) };
        let found = self.0.orders.by_key(*user_id, key).await?;
        let found = found.filter(|stored| Reach::of(caller).includes(*user_id, stored.owner));
        let Some(found) = found else { return Ok(None) };
        replay(lines, self.settled(found).await).map(Some)
    }

    /// An order that another post made, when its outcome is known or has been waited for: it may be in the making at
    /// another instance.
    async fn settled(&self, mut stored: StoredOrder) -> StoredOrder {
        let until = Instant::now() + RESPONSE_TIMEOUT;
        while stored.order.status.needs_driver() && Instant::now() < until {
            tokio::time::sleep(POLL).await;
            if let Ok(Some(now)) = self.0.orders.get(stored.order.id, Reach::All).await {
                stored = now;
            }
        }
        stored
    }

    /// The user. Fails closed: without an answer nothing is written.
    async fn look_up(&self, user: UserId, request: &RequestId) -> Result<UserSummary, OrderError> {
        self.0.lookup_retries.first_try();
        for (number, patience) in LOOKUP_TRIES.into_iter().enumerate() {
            if number > 0 {
                if !self.0.lookup_retries.may_retry() {
                    break;
                }
                self.pause(number, Pace::Quick).await;
                tracing::info!(
                    service = crate::NAME,
                    requestId = request.as_str(),
                    attempt = number + 1,
                    "asking the user service again"
                );
            }
            let mut step = ordersys_spans::open(Kind::Client, "ask: look up user");
            step.note("ordersys.attempt", || number + 1);
            let query = UserQuery { user, request: request.clone(), trace_parent: step.contexts().sampled() };
            let answer = self.0.users.ask(query, patience).await;
            note_failure(&mut step, &answer);
            drop(step);
            match answer {
                Ok(Some(summary)) => return Ok(summary),
                Ok(None) => return Err(OrderError::UnknownUser(user.to_string())),
                Err(PortError::Overloaded) => return Err(OrderError::Overloaded),
                Err(PortError::Open(left)) => {
                    return Err(OrderError::Dependency { service: "user", retry_in: left });
                }
                Err(PortError::Lacking(what)) => return Err(OrderError::Lacking(what)),
                Err(PortError::Refused(_) | PortError::NoAnswer(_)) => {}
            }
        }
        Err(OrderError::Dependency { service: "user", retry_in: Duration::ZERO })
    }
}

fn replay(lines: &[Line], stored: StoredOrder) -> Result<Placed, OrderError> {
    let is_same = stored.is_of(lines);
    is_same.then(|| Placed { stored: Arc::new(stored), replayed: true }).ok_or(OrderError::KeyReused)
}

/// Publishes the outcome before the key is freed: a later post finds the stored order.
fn finish(sender: &watch::Sender<Progress>, ticket: Option<Ticket>, outcome: Result<Placed, OrderError>) {
    sender.send_replace(Progress::Done(outcome));
    drop(ticket);
}

fn joined(outcome: Result<Placed, OrderError>) -> Result<Placed, OrderError> {
    outcome.map(|placed| Placed { replayed: true, ..placed })
}

/// Waits for the outcome; after [`RESPONSE_TIMEOUT`] a stored order is good enough.
async fn wait(mut progress: watch::Receiver<Progress>) -> Result<Placed, OrderError> {
    let done = progress.wait_for(|progress| matches!(progress, Progress::Done(_)));
    if let Ok(Ok(done)) = tokio::time::timeout(RESPONSE_TIMEOUT, done).await
        && let Progress::Done(outcome) = &*done
    {
        return outcome.clone();
    }
    // Look-ups and the store have limits of their own, so this ends.
    let stored = progress.wait_for(|progress| !matches!(progress, Progress::Begun(_))).await;
    match stored.as_deref() {
        Ok(Progress::Stored(stored)) => Ok(Placed { stored: Arc::clone(stored), replayed: false }),
        Ok(Progress::Done(outcome)) => outcome.clone(),
        Ok(Progress::Begun(_)) | Err(_) => Err(OrderError::Stopping),
    }
}

/// What the state of a placed order is to its client: the order itself, or why there is none.
pub(crate) fn outcome(stored: &StoredOrder) -> Result<&Order, OrderError> {
    match (stored.order.status, &stored.reason) {
        (OrderState::Rejected, Some(reason)) => Err(reason.clone().into()),
        (OrderState::Rejected, None) => Err(OrderError::Shortages(Vec::new())),
        (OrderState::Expired, _) => Err(OrderError::Expired),
        (OrderState::Aborted, _) => Err(OrderError::Aborted),
        _ => Ok(&stored.order),
    }
}

#[cfg(test)]
mod tests;
