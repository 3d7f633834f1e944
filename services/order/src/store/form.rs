//! The stored forms of orders that both stores share.

use ordersys_contract::order::{OrderLine, OrderState};
use ordersys_contract::{Currency, Money, RequestId, Timestamp, WriteJson};

use crate::domain::order::Step;

/// Bytes that the step to its outcome adds to an order, apart from its lines.
pub(super) const STEP_BYTES: usize = 72;

/// Why a stored history cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoHistory {
    #[error(transparent)]
    Form(#[from] serde_json::Error),
    #[error("a state with the number {0}")]
    State(i64),
}

/// The sum of the lines, as fine as they are: orders of earlier versions have hundredths in all currencies.
pub(super) fn total(minor: i64, currency: Currency, items: &[OrderLine]) -> Option<Money> {
    match items.first().and_then(|item| item.line_total) {
        Some(line) => Money::as_fine_as(minor, line),
        None => Money::of(minor, currency),
    }
}

/// The stored form of a state. Never changed, only added to.
pub(super) fn code(state: OrderState) -> i64 {
    match state {
        OrderState::Pending => 0,
        OrderState::Confirmed => 1,
        OrderState::Paid => 2,
        OrderState::Shipped => 3,
        OrderState::Delivered => 4,
        OrderState::Rejected => 5,
        OrderState::Aborting => 6,
        OrderState::Aborted => 7,
        OrderState::Cancelling => 8,
        OrderState::Cancelled => 9,
        OrderState::Expired => 10,
    }
}

/// The state with this stored form.
pub(super) fn state(stored: i64) -> Option<OrderState> {
    OrderState::ALL.into_iter().find(|state| code(*state) == stored)
}

/// The history as text: the code of each step, its time in milliseconds, its request.
pub(super) fn history(steps: &[Step]) -> String {
    let mut text = String::with_capacity(STEP_BYTES * steps.len());
    text.push('[');
    for (number, Step(state, at, request)) in steps.iter().enumerate() {
        text.push_str(if number == 0 { "[" } else { ",[" });
        for number in [code(*state), at.as_millis()] {
            number.write_json(&mut text);
            text.push(',');
        }
        request.write_json(&mut text);
        text.push(']');
    }
    text.push(']');
    text
}

/// Reads a history, also as earlier versions wrote it: with names and RFC 3339 times.
pub(super) fn steps(text: &[u8]) -> Result<Vec<Step>, NoHistory> {
    if text.starts_with(b"[[\"") {
        return Ok(serde_json::from_slice(text)?);
    }
    let steps: Vec<(i64, i64, RequestId)> = serde_json::from_slice(text)?;
    let step = |(code, at, request)| {
        let state = state(code).ok_or(NoHistory::State(code))?;
        Ok(Step(state, Timestamp::from_millis(at), request))
    };
    steps.into_iter().map(step).collect()
}

/// Whether an order holds nothing, never will, and was never acknowledged as one that stands.
pub(super) fn is_refused(state: OrderState) -> bool {
    match state {
        OrderState::Rejected | OrderState::Aborted | OrderState::Expired => true,
        OrderState::Pending
        | OrderState::Confirmed
        | OrderState::Paid
        | OrderState::Shipped
        | OrderState::Delivered
        | OrderState::Aborting
        | OrderState::Cancelling
        | OrderState::Cancelled => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Orders in yen of earlier versions have hundredths in their lines, and so in their total.
    #[test]
    fn a_total_is_as_fine_as_its_lines() {
        let yen: Currency = "JPY".parse().expect("a code");
        let line = |total: &str| OrderLine {
            product_id: ordersys_contract::ProductId::now(),
            quantity: ordersys_contract::Quantity::ONE,
            name: None,
            unit_price: None,
            line_total: total.parse().ok(),
        };
        let shown = |items: &[OrderLine]| total(50_000, yen, items).expect("not negative").to_string();
        assert_eq!(shown(&[line("500.00")]), "500.00");
        assert_eq!(shown(&[line("50000")]), "50000");
        assert_eq!(shown(&[]), "50000");
        assert!(total(-1, yen, &[]).is_none());
    }

    #[test]
    fn a_history_is_read_as_it_was_written_and_as_earlier_versions_wrote_it() {
        let request = RequestId::parse("r-1").expect("of the form");
        let written = [Step(OrderState::Pending, Timestamp::from_millis(1_700_000_000_123), request)];
        let now = history(&written);
        assert_eq!(now, r#"[[0,1700000000123,"r-1"]]"#);
        assert_eq!(steps(now.as_bytes()).expect("reads"), written);
        let earlier = serde_json::to_string(&written).expect("writes");
        assert!(earlier.starts_with(r#"[["pending","2023"#), "{earlier}");
        assert_eq!(steps(earlier.as_bytes()).expect("reads"), written);
    }

    #[test]
    fn the_states_are_those_the_indexes_name() {
        for state in OrderState::ALL {
            assert_eq!(state.needs_driver(), matches!(code(state), 0 | 6 | 8), "{state:?}");
            assert_eq!(is_refused(state), matches!(code(state), 5 | 7 | 10), "{state:?}");
        }
    }
}
