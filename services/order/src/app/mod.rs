//! What the order service does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ordersys_chassis::{ConcurrencyLimit, RetryBudget};
use ordersys_contract::order::{KeyRecord, OrderEvent, OrderRecord, OrderState};
use ordersys_contract::reservation::Operation;
use ordersys_contract::{IdempotencyKey, OrderId, RequestId, UserId};
use ordersys_store::{Add, StoreError, failpoint};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::access::Reach;
use crate::domain::lifecycle::{Event, reached};
use crate::domain::order::{StepContext, StoredOrder};
use crate::domain::saga::DEADLINE;
use crate::ports::{Batcher, UserQuery};
use crate::store::{Changed, Filter, KeyFilter};
use crate::{OrderError, Orders};

mod allowance;
mod batchers;
mod dependencies;
mod driver;
mod driving;
mod inflight;
mod place;
mod unfinished;

pub use allowance::Allowance;
use allowance::Allowed;
pub(crate) use batchers::BatcherMetrics;
use batchers::{DRIVERS, REQUESTS, USERS, inventory_batcher, user_batcher};
pub use dependencies::Ports;
pub(crate) use dependencies::{Breakers, Dependencies};
use driver::Origin;
use driving::Driving;
use inflight::InFlight;
pub(crate) use place::{Placed, RequestContext, outcome};
use unfinished::Unfinished;

/// Recovered orders that are driven on at a time.
const RECOVERY_DRIVERS: usize = 64;

/// The use cases; clones share everything.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    orders: Orders,
    users: Batcher<UserQuery>,
    /// First tries of new orders.
    requests: Batcher<Operation>,
    /// Everything that finishes orders. A batcher of its own without a breaker: nothing may block
    /// giving stock back.
    drivers: Batcher<Operation>,
    /// How long a new order may stay pending.
    deadline: Duration,
    /// Pays for further tries of user look-ups.
    lookup_retries: RetryBudget,
    /// Pays for quick further tries of reservations.
    reserve_retries: RetryBudget,
    keys: InFlight,
    allowed: Allowed,
    admission: ConcurrencyLimit,
    tasks: TaskTracker,
    stopping: CancellationToken,
    batchers: BatcherMetrics,
    unfinished: Unfinished,
    /// The orders that this process drives.
    driving: Driving,
    /// Permits of the drivers of recovered orders.
    recovery: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(dependencies: Dependencies) -> Self {
        let Dependencies { orders, ports, breakers, admission, batchers, allowance } = dependencies;
        let Ports { users, inventory, drivers } = ports;
        Self(Arc::new(Shared {
            orders,
            users: user_batcher(users, breakers.users, &batchers),
            requests: inventory_batcher(inventory, Some(breakers.inventory), REQUESTS, &batchers),
            drivers: inventory_batcher(drivers, None, DRIVERS, &batchers),
            deadline: failpoint::millis("order-deadline").unwrap_or(DEADLINE),
            lookup_retries: RetryBudget::default(),
            reserve_retries: RetryBudget::default(),
            keys: InFlight::default(),
            allowed: Allowed::new(allowance),
            admission,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            batchers,
            unfinished: Unfinished::default(),
            driving: Driving::default(),
            recovery: Arc::new(Semaphore::new(RECOVERY_DRIVERS)),
        }))
    }

    /// Whether other instances of the service work on the same orders.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.orders.is_shared()
    }

    /// Takes every order whose outcome is open and that nobody drives, and starts driving them on. Returns how many.
    pub(crate) async fn recover(&self) -> Result<usize, OrderError> {
        let mut unfinished = self.0.orders.take_over().await?;
        unfinished.retain(|stored| !self.0.driving.holds(stored.order.id));
        let count = unfinished.len();
        let deadline = Instant::now() + DEADLINE;
        for stored in unfinished {
            let (app, cap) = (self.clone(), Arc::clone(&self.0.recovery));
            self.0.tasks.spawn(async move {
                let _driven = app.0.driving.enter(stored.order.id);
                let _permit = cap.acquire_owned().await;
                let request = RequestId::random();
                tracing::info!(
                    service = crate::NAME,
                    requestId = request.as_str(),
                    orderId = %stored.order.id,
                    state = stored.order.status.as_str(),
                    "recovered: driving the order on"
                );
                app.drive(Arc::new(stored), &request, Origin::Older, deadline).await;
            });
        }
        Ok(count)
    }

    /// Stores orders that are over, as if they had been placed here.
    pub(crate) async fn import(&self, all: Vec<(StoredOrder, IdempotencyKey)>) -> Result<(), OrderError> {
        Ok(self.0.orders.import(all).await?)
    }

    /// Keeps the gauges of the batchers' queues current.
    pub(crate) fn measure_batchers(&self) {
        let Shared { users, requests, drivers, batchers, .. } = &*self.0;
        let depths = [(USERS, users.waiting()), (REQUESTS, requests.waiting()), (DRIVERS, drivers.waiting())];
        for (batcher, waiting) in depths {
            batchers.set_waiting(batcher, waiting);
        }
    }

    /// Stops drivers at a step boundary and closes the data. Open orders go on after a restart.
    pub(crate) async fn close(&self) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(Duration::from_secs(10), self.0.tasks.wait()).await.is_err() {
            tracing::warn!(
                service = crate::NAME,
                "drivers did not stop in time; a restart goes on with their orders"
            );
        }
        self.0.orders.close().await;
    }

    /// An order, if it is among those the caller reaches.
    pub(crate) async fn get(&self, id: OrderId, reach: Reach) -> Result<StoredOrder, OrderError> {
        self.0.orders.get(id, reach).await?.ok_or(OrderError::NotFound)
    }

    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        page: P,
        add: Add<P, StoredOrder>,
    ) -> Result<(P, Option<OrderId>), OrderError> {
        Ok(self.0.orders.list(filter, page, add).await?)
    }

    pub(crate) async fn events(&self, id: OrderId, reach: Reach) -> Result<Vec<OrderEvent>, OrderError> {
        Ok(self.get(id, reach).await?.shown_events())
    }

    pub(crate) async fn by_key(&self, user: UserId, key: IdempotencyKey) -> Result<StoredOrder, OrderError> {
        let found = self.0.orders.by_key(user, key).await?;
        found.ok_or(OrderError::NotFound)
    }

    pub(crate) async fn keys<P: Send + 'static>(
        &self,
        filter: KeyFilter,
        page: P,
        add: Add<P, KeyRecord>,
    ) -> Result<P, OrderError> {
        Ok(self.0.orders.keys(filter, page, add).await?)
    }

    /// How long ago the oldest order without an outcome was first seen by this process.
    pub(crate) async fn see_unfinished(&self) -> Result<Duration, OrderError> {
        let now = self.0.orders.unfinished_states(unfinished::MAX_WATCHED).await?;
        Ok(self.0.unfinished.see(&now, Instant::now()))
    }

    /// All that is stored of an order, as checks read it.
    pub(crate) fn record(&self, stored: StoredOrder) -> OrderRecord {
        let overdue = self.0.unfinished.overdue(stored.order.id, stored.order.status, Instant::now());
        stored.into_record(overdue)
    }

    /// Lets some of the orders that were refused long ago go; returns how many.
    pub(crate) async fn forget_refused(&self) -> Result<usize, StoreError> {
        self.0.orders.forget_refused().await
    }

    /// Takes note of the newest stored times.
    pub(crate) async fn see_newest(&self) -> Result<(), OrderError> {
        Ok(self.0.orders.see_newest().await?)
    }

    /// Pays, ships or delivers. Doing it again changes nothing.
    pub(crate) async fn advance(
        &self,
        id: OrderId,
        event: Event,
        request: &RequestId,
    ) -> Result<StoredOrder, OrderError> {
        match self.0.orders.change(id, Reach::All, event, StepContext::now(request)).await? {
            Changed::Done(stored) => Ok(*stored),
            Changed::NotFound => Err(OrderError::NotFound),
            Changed::Illegal(state) if state == reached(event) => self.get(id, Reach::All).await,
            Changed::Illegal(state) => Err(OrderError::Illegal { state }),
        }
    }

    /// Cancels: gives the stock back first, and says so only with proof. An order still
    /// `cancelling` after a while is returned as that.
    pub(crate) async fn cancel(
        &self,
        id: OrderId,
        reach: Reach,
        request: &RequestId,
    ) -> Result<Arc<StoredOrder>, OrderError> {
        let cancelling =
            match self.0.orders.change(id, reach, Event::Cancel, StepContext::now(request)).await? {
                Changed::Done(stored) => Arc::from(stored),
                Changed::NotFound => return Err(OrderError::NotFound),
                Changed::Illegal(OrderState::Cancelled | OrderState::Cancelling) => {
                    return self.get(id, reach).await.map(Arc::new);
                }
                Changed::Illegal(state) => return Err(OrderError::Illegal { state }),
            };
        let (app, request, before) = (self.clone(), request.clone(), Arc::clone(&cancelling));
        let driven = self.0.tasks.spawn(ordersys_spans::carried(async move {
            app.drive(before, &request, Origin::Older, Instant::now()).await
        }));
        match tokio::time::timeout(place::RESPONSE_TIMEOUT, driven).await {
            Ok(Ok(Some(cancelled))) => Ok(cancelled),
            _ => Ok(cancelling),
        }
    }
}
