//! The order service's neighbours, answering at once: what is left to measure is its own work.

use std::time::Instant;

use ordersys_contract::reservation::{Action, Answer, Operation, PricedLine, Reservation, ReservationState};
use ordersys_contract::user::{UserKindName, UserStatus, UserSummary};
use ordersys_contract::{Currency, Money};
use ordersys_order::ports::{Asked, Inventory, UserQuery, Users};

use crate::system::USER_NAME;

/// Every user is an active guest.
#[derive(Debug)]
pub struct EveryUser;

impl Users for EveryUser {
    fn lookup(&self, queries: Vec<UserQuery>, _: Instant) -> Asked<'_, Vec<Option<UserSummary>>> {
        let summary = |query: UserQuery| UserSummary {
            id: query.user,
            name: USER_NAME.to_owned(),
            kind: UserKindName::Guest,
            status: UserStatus::Active,
            token_epoch: 0,
        };
        Box::pin(async move { Ok(queries.into_iter().map(summary).map(Some).collect()) })
    }
}

/// Every product is there, and enough of it.
#[derive(Debug)]
pub struct EveryProduct;

impl Inventory for EveryProduct {
    fn apply(&self, operations: Vec<Operation>, _: Instant) -> Asked<'_, Vec<Answer>> {
        Box::pin(async move { Ok(operations.into_iter().map(granted).collect()) })
    }
}

fn granted(operation: Operation) -> Answer {
    let Action::Reserve { lines, .. } = operation.action else { return Answer::NotFound };
    let priced = lines.into_iter().map(|line| PricedLine {
        product_id: line.product_id,
        name: "Measured Product".to_owned(),
        quantity: line.quantity,
        unit_price: Money::from_minor(14_999).unwrap_or_default(),
        currency: Currency::USD,
    });
    Answer::Stands(Reservation {
        order_id: operation.order_id,
        state: ReservationState::Committed,
        lines: priced.collect(),
        shortages: Vec::new(),
    })
}
