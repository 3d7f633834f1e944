//! Deciding batches of operations on reservations, with the spans and log lines of each.

use std::time::Instant;

use ordersys_chassis::Deadline;
use ordersys_contract::reservation::{Answer, Operation};
use ordersys_contract::{OrderId, RequestId};
use ordersys_spans::{Span, SpanContexts};

use super::App;
use crate::{NAME, ProductError};

impl App {
    /// Decides a batch of operations that `arrived` then in one transaction; one answer each, in order. Past
    /// its deadline it does nothing.
    pub async fn apply(
        &self,
        operations: Vec<Operation>,
        arrived: Instant,
        deadline: Deadline,
    ) -> Result<Vec<Answer>, ProductError> {
        let named: Vec<_> = operations.iter().map(Source::of).collect();
        let (began, batch) = (Instant::now(), operations.len());
        let parents = operations.iter().map(|operation| operation.trace_parent);
        let (numbers, mut spans) = self.tracer.parts(parents, "reservation");
        let contexts = SpanContexts::below(&spans);
        let answers = contexts.around(self.tables.apply(operations, arrived, deadline)).await;
        if let Err(error) = &answers {
            for span in &mut spans {
                span.fail(|| error.to_string());
            }
        }
        let answers = answers?;
        for (number, span) in numbers.into_iter().zip(&mut spans) {
            describe(span, &named[number], &answers[number], batch);
        }
        drop(spans);
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        for (Source { order, request }, answer) in named.iter().zip(&answers) {
            let outcome = outcome_name(answer);
            tracing::info!(
                service = NAME,
                requestId = request.as_str(),
                orderId = %order,
                outcome,
                batch,
                durationUs = took,
                "reservation"
            );
        }
        Ok(answers)
    }
}

/// The order and the request that an operation is for.
struct Source {
    order: OrderId,
    request: RequestId,
}

impl Source {
    fn of(operation: &Operation) -> Self {
        Self { order: operation.order_id, request: operation.request_id.clone() }
    }
}

/// Notes what one operation of a call was, and came to.
fn describe(span: &mut Span, source: &Source, answer: &Answer, batch: usize) {
    span.note("ordersys.order.id", || source.order.to_string());
    span.note("ordersys.request.id", || source.request.as_str());
    span.note("ordersys.outcome", || outcome_name(answer));
    span.note("ordersys.batch", || batch);
}

fn outcome_name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Stands(reservation) => reservation.state.as_str(),
        Answer::Late => "late",
        Answer::UnknownProducts(_) => "unknown-product",
        Answer::MixedCurrencies => "mixed-currencies",
        Answer::Mismatch => "mismatch",
        Answer::Illegal(_) => "illegal",
        Answer::NotFound => "not-found",
    }
}
