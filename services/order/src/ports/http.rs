//! The other two services over HTTP.

use ordersys_contract::client::Client;
use ordersys_contract::reservation::{Answer, Operation};
use ordersys_contract::user::{Lookup, UserSummary};

use super::{Asked, Inventory, PortError, UserQuery, Users};

/// Reaches a service through the typed client. Give lanes that must not hinder each other a
/// client, and so a connection pool, each.
#[derive(Debug, Clone)]
pub struct HttpPort(pub Client);

impl Users for HttpPort {
    fn lookup(&self, queries: Vec<UserQuery>) -> Asked<'_, Vec<Option<UserSummary>>> {
        Box::pin(async move {
            let (ids, request_ids) = queries.into_iter().map(|query| (query.user, query.request)).unzip();
            self.0.lookup(&Lookup { ids, request_ids }).await.map_err(|error| no_answer(&error))
        })
    }
}

impl Inventory for HttpPort {
    fn apply(&self, operations: Vec<Operation>) -> Asked<'_, Vec<Answer>> {
        Box::pin(async move { self.0.reservations(operations).await.map_err(|error| no_answer(&error)) })
    }
}

/// Says once per failed call what happened; callers only retry.
fn no_answer(error: &ordersys_contract::ClientError) -> PortError {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    tracing::warn!(service = crate::NAME, error = %format!("{error}{cause}"), "a call to another service failed");
    PortError::NoAnswer(error.to_string())
}
