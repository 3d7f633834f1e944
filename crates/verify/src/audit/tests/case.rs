//! An order, its reservation and what both are held to, to be changed one thing at a time.

use ordersys_contract::evidence::UserRecord;
use ordersys_contract::order::Reason;
use ordersys_contract::reservation::Shortage;

use super::*;
use crate::audit::catalog::Catalog;
use crate::audit::origin::{Sources, judge};

/// An order of the user and the product of the other tests, with its reservation.
pub(super) struct Case {
    pub(super) pair: Pair,
    pub(super) user: Option<UserRecord>,
}

impl Case {
    pub(super) fn of(path: &[OrderState], state: Option<ReservationState>) -> Self {
        let mut pair = pair(path, state);
        let (user, product) = (people::record(), catalog::record());
        pair.id = id_of(began());
        let record = pair.order.as_mut().expect("an order");
        (record.order.id, record.order.user_id, record.owner) = (pair.id, user.id, user.kind);
        record.order.items[0].product_id = product.id;
        if let Some(record) = &mut pair.reservation {
            record.reservation.order_id = pair.id;
            record.reservation.lines[0].product_id = product.id;
        }
        Self { pair, user: Some(user) }
    }

    pub(super) fn confirmed() -> Self {
        Self::of(&[OrderState::Pending, OrderState::Confirmed], Some(ReservationState::Committed))
    }

    /// Refused for this reason; nothing was reserved unless stock was short.
    pub(super) fn refused(reason: Option<Reason>, state: Option<ReservationState>) -> Self {
        let mut case = Self::of(&[OrderState::Pending, OrderState::Rejected], state);
        if let (Some(Reason::Shortages(shortages)), Some(record)) = (&reason, &mut case.pair.reservation) {
            record.reservation.shortages.clone_from(shortages);
        }
        case.order().reason = reason;
        case
    }

    /// A reservation without an order.
    pub(super) fn unordered(state: ReservationState) -> Self {
        let mut case = Self::of(&[OrderState::Pending], Some(state));
        case.pair.order = None;
        case
    }

    pub(super) fn order(&mut self) -> &mut OrderRecord {
        self.pair.order.as_mut().expect("an order")
    }

    pub(super) fn reservation(&mut self) -> &mut ReservationRecord {
        self.pair.reservation.as_mut().expect("a reservation")
    }

    pub(super) fn after(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Everything that does not agree.
    pub(super) fn found(&self) -> Vec<String> {
        let mut catalog = Catalog::default();
        catalog.add(&catalog::record());
        let sources = Sources { user: self.user.as_ref(), catalog: &catalog };
        let violations = judge(&self.pair, sources, after(3_600)).into_iter().map(|(invariant, witness)| {
            assert_eq!(
                (invariant, witness.order_id),
                (Invariant::TrueToOrigin, Some(self.pair.id.to_string()))
            );
            format!("{}, found {}", witness.expected, witness.found)
        });
        violations.collect()
    }
}

/// Three units were asked for, of which there were two.
pub(super) fn short() -> Shortage {
    Shortage { product_id: catalog::record().id, requested: 3, available: 2 }
}

#[expect(clippy::unnecessary_wraps, reason = "an order has a reason or none")]
pub(super) fn shortages() -> Option<Reason> {
    Some(Reason::Shortages(vec![short()]))
}

#[expect(clippy::unnecessary_wraps, reason = "an order has a reason or none")]
pub(super) fn unknown(product: ProductId) -> Option<Reason> {
    Some(Reason::UnknownProducts(vec![product]))
}
