//! The mistakes of the order service that tests can switch on; see [`ordersys_store::defect`].

use std::sync::Arc;

use ordersys_contract::order::OrderState;
use ordersys_contract::{Cents, OrderId, Quantity};
use ordersys_store::StoreError;
use ordersys_store::defect::Defect;

use super::App;
use crate::OrderError;
use crate::domain::lifecycle::Event;
use crate::domain::order::{Evidence, StoredOrder};
use crate::domain::saga::Meaning;

/// Units of a line that no order of a test has.
const STRANGE: u64 = 777;

/// Picks the mistake that is made with a new order, and makes the part of it that comes first.
pub(super) fn before(stored: &mut StoredOrder) -> Option<Defect> {
    let several = stored.order.items.len() > 1;
    if several && Defect::AppliedHalf.strikes() {
        stored.order.items.truncate(1);
        return Some(Defect::AppliedHalf);
    }
    [Defect::PhantomOrder, Defect::RefusedButStored].into_iter().find(|defect| defect.strikes())
}

/// What an answer of the product service is taken for.
pub(super) fn meaning(stored: &StoredOrder, meaning: Meaning) -> Meaning {
    match (stored.order.status, &meaning) {
        (OrderState::Pending, Meaning::Step(Event::Committed, _)) if Defect::PartialSaga.strikes() => {
            Meaning::Step(Event::GiveUp, Evidence::None)
        }
        (OrderState::Aborting, Meaning::FetchPrices) if Defect::PartialSaga.is_set() => {
            Meaning::Step(Event::NothingHeld, Evidence::None)
        }
        _ => meaning,
    }
}

/// The next version of an order, a cent too dear.
pub(super) fn total(mut next: StoredOrder) -> StoredOrder {
    if next.order.status == OrderState::Confirmed && Defect::WrongTotal.strikes() {
        let cent = Cents::from_minor(1).unwrap_or_default();
        next.order.total = next.order.total.plus(cent).unwrap_or_default();
    }
    next
}

impl App {
    /// Makes the part of a mistake that comes after an order was placed.
    pub(super) async fn misbehave(
        &self,
        struck: Option<Defect>,
        stored: &StoredOrder,
    ) -> Result<(), OrderError> {
        match struck {
            Some(Defect::AppliedHalf) => Err(StoreError::Statement("none, on purpose".to_owned()).into()),
            Some(Defect::RefusedButStored) => Err(OrderError::UnknownUser(stored.order.user_id.to_string())),
            Some(Defect::PhantomOrder) => {
                let mut phantom = stored.renamed(OrderId::now());
                for item in &mut phantom.order.items {
                    item.quantity = Quantity::new(STRANGE).unwrap_or(item.quantity);
                }
                self.0.orders.insert(Arc::new(phantom), None).await.map(drop).map_err(OrderError::from)
            }
            _ => Ok(()),
        }
    }
}
