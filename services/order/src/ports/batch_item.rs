//! What calls to the other services carry, and which answers can be answers to it.
//!
//! The form of an answer is checked where it is parsed. Here it is compared with its item: an
//! answer about another id, or larger than any honest one, is no answer.

use ordersys_contract::product::MAX_NAME_BYTES;
use ordersys_contract::reservation::{Action, Answer, Operation};
use ordersys_contract::user::{MAX_TEXT_BYTES, UserSummary};
use ordersys_contract::{MAX_ORDER_LINES, OrderId, UserId};

use super::UserQuery;

/// One item of a call that carries many.
pub trait BatchItem: Send + 'static {
    /// What is kept of it while the call is under way.
    type Key: Send;
    /// What answers it.
    type Answer: Send + 'static;

    /// What is needed to recognise its answer.
    fn key(&self) -> Self::Key;
    /// Whether this can be its answer.
    fn matches(key: &Self::Key, answer: &Self::Answer) -> bool;
}

impl BatchItem for UserQuery {
    type Key = UserId;
    type Answer = Option<UserSummary>;

    fn key(&self) -> UserId {
        self.user
    }

    fn matches(user: &UserId, answer: &Self::Answer) -> bool {
        let is_theirs = |summary: &UserSummary| summary.id == *user && summary.name.len() <= MAX_TEXT_BYTES;
        answer.as_ref().is_none_or(is_theirs)
    }
}

impl BatchItem for Operation {
    /// The order, and how many lines it asks to reserve.
    type Key = (OrderId, usize);
    type Answer = Answer;

    fn key(&self) -> Self::Key {
        let lines = match &self.action {
            Action::Reserve { lines, .. } => lines.len(),
            Action::Confirm | Action::Cancel | Action::Release => MAX_ORDER_LINES,
        };
        (self.order_id, lines)
    }

    fn matches((order, lines): &Self::Key, answer: &Answer) -> bool {
        match answer {
            Answer::Stands(reservation) => {
                reservation.order_id == *order
                    && reservation.lines.len() <= *lines
                    && reservation.shortages.len() <= *lines
                    && reservation.lines.iter().all(|line| line.name.len() <= MAX_NAME_BYTES)
            }
            Answer::UnknownProducts(products) => products.len() <= *lines,
            Answer::Late
            | Answer::MixedCurrencies
            | Answer::Mismatch
            | Answer::Illegal(_)
            | Answer::NotFound => true,
        }
    }
}
