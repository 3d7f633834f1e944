//! The mistakes in calls to the product service that tests can switch on; see [`ordersys_store::defect`].

use std::sync::Arc;
use std::time::Instant;

use ordersys_contract::OrderId;
use ordersys_contract::reservation::{Action, Answer, Operation, Reservation, ReservationState};
use ordersys_store::defect::Defect;

use super::{Asked, Inventory};

/// A product service that sells units and then says that it holds nothing.
pub(crate) struct DefectiveInventory(pub(crate) Arc<dyn Inventory>);

impl Inventory for DefectiveInventory {
    fn apply(&self, operations: Vec<Operation>, until: Instant) -> Asked<'_, Vec<Answer>> {
        Box::pin(async move {
            let asked: Vec<_> =
                operations.iter().map(|operation| (operation.order_id, operation.action.clone())).collect();
            let answers = self.0.apply(operations, until).await?;
            let answers = asked.iter().zip(answers);
            Ok(answers.map(|((id, action), answer)| mistake(*id, action, answer)).collect())
        })
    }
}

fn mistake(order_id: OrderId, asked: &Action, answer: Answer) -> Answer {
    let is_mistaken = match (asked, &answer) {
        (Action::Reserve { .. }, Answer::Stands(reservation)) => {
            reservation.state == ReservationState::Committed && Defect::PartialSaga.strikes()
        }
        (Action::Cancel, Answer::Illegal(ReservationState::Committed)) => Defect::PartialSaga.is_set(),
        _ => false,
    };
    if is_mistaken { nothing_held(order_id) } else { answer }
}

fn nothing_held(order_id: OrderId) -> Answer {
    let state = ReservationState::Cancelled;
    Answer::Stands(Reservation { order_id, state, lines: Vec::new(), shortages: Vec::new() })
}
