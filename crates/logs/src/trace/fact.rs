//! What one log line, or one step of an order's history, says about a request.

use std::time::Duration;

use ordersys_contract::order::{OrderEvent, OrderState};

use crate::{Entry, Line};

/// Something that happened on behalf of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// When it began; steps of a history are known to the millisecond.
    pub(crate) at: jiff::Timestamp,
    pub(crate) took: Option<Duration>,
    pub(crate) service: String,
    pub(crate) request: Option<String>,
    pub(crate) order: Option<String>,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A request was answered.
    Answered { name: String, status: u16 },
    /// After a crash, an order was taken up again.
    Recovered { state: String },
    /// The user service looked the user up.
    LookUp { known: bool },
    /// The product service decided on the order's stock.
    Reservation { outcome: String, batch: Option<u64> },
    /// A peer was asked again.
    Retry { message: String, attempt: u64 },
    /// A step of the order was stored.
    Stored { state: OrderState, seq: u64 },
    /// Anything else a service said.
    Said(String),
}

impl Fact {
    /// What a line of a service says; `None` if it is no line of a service.
    pub(crate) fn of_line(entry: &Entry) -> Option<Self> {
        let line = Line::parse(&entry.text)?;
        let took = line.number("durationUs").map(Duration::from_micros);
        let written = line.at.unwrap_or(entry.at);
        // A line is written at the end of what it tells of.
        let at = took.and_then(|took| written.checked_sub(took).ok()).unwrap_or(written);
        let text = |name| line.member(name).map(std::borrow::Cow::into_owned);
        let service = line.service.as_deref().unwrap_or(&entry.source).to_owned();
        let (request, order) = (text("requestId"), text("orderId"));
        Some(Self { at, took, service, request, order, what: what(&line) })
    }

    /// A step of an order; `None` if its time is none.
    pub(crate) fn of_event(event: &OrderEvent) -> Option<Self> {
        Some(Self {
            at: jiff::Timestamp::from_millisecond(event.at.as_millis()).ok()?,
            took: None,
            service: "order".to_owned(),
            request: Some(event.request_id.to_string()),
            order: Some(event.order_id.to_string()),
            what: What::Stored { state: event.status, seq: event.seq },
        })
    }

    /// Orders what happened in the same millisecond: causes come before what they bring about.
    pub(crate) fn order_key(&self) -> (i64, u8, jiff::Timestamp) {
        let rank = match &self.what {
            What::Answered { .. } | What::Recovered { .. } | What::LookUp { .. } | What::Said(_) => 0,
            What::Stored { state, .. } if state.needs_driver() => 1,
            What::Retry { .. } | What::Reservation { .. } => 2,
            What::Stored { .. } => 3,
        };
        (self.at.as_millisecond(), rank, self.at)
    }

    /// Whether a request or a recovery begins with it.
    pub(crate) fn opens(&self) -> bool {
        matches!(self.what, What::Answered { .. } | What::Recovered { .. })
    }
}

fn what(line: &Line<'_>) -> What {
    let text = |name| line.member(name).unwrap_or_default().into_owned();
    let message = line.message.as_deref().unwrap_or_default();
    let status = line.number("status").and_then(|status| u16::try_from(status).ok());
    match (message, status, line.number("attempt")) {
        ("request", Some(status), _) => {
            What::Answered { name: format!("{} {}", text("method"), text("route")), status }
        }
        ("looked up", ..) => {
            let known = line.rest.iter().any(|(key, value)| key == "known" && value.get() == "true");
            What::LookUp { known }
        }
        ("reservation", ..) => What::Reservation { outcome: text("outcome"), batch: line.number("batch") },
        ("recovered: driving the order on", ..) => What::Recovered { state: text("state") },
        (message, _, Some(attempt)) => What::Retry { message: message.to_owned(), attempt },
        (message, ..) => What::Said(message.to_owned()),
    }
}
