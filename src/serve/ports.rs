//! How the order service reaches the other two: over HTTP, or in the same process.

use std::time::Instant;

use ordersys_chassis::auth::tokens::{Fetched, KeySource};
use ordersys_chassis::{Deadline, Network};
use ordersys_contract::reservation::{Answer, Operation};
use ordersys_contract::user::UserSummary;
use ordersys_order::ports::{Asked, HttpPort, Inventory, PortError, UserQuery, Users, batch};

/// A port on a network that may be cut.
pub(super) struct Reached {
    pub(super) port: HttpPort,
    pub(super) network: Network,
}

impl Reached {
    async fn ask<T>(&self, call: Asked<'_, T>, until: Instant) -> Result<T, PortError> {
        let answer = tokio::time::timeout_at(until.into(), self.network.clone().reach(call)).await;
        answer.unwrap_or_else(|_| Err(PortError::NoAnswer("not in time".to_owned())))
    }
}

impl Users for Reached {
    fn lookup(&self, queries: Vec<UserQuery>, until: Instant) -> Asked<'_, Vec<Option<UserSummary>>> {
        Box::pin(self.ask(self.port.lookup(queries, until), until))
    }
}

impl Inventory for Reached {
    fn apply(&self, operations: Vec<Operation>, until: Instant) -> Asked<'_, Vec<Answer>> {
        Box::pin(self.ask(self.port.apply(operations, until), until))
    }
}

/// The user service in the same process.
pub(super) struct LocalUsers(pub(super) ordersys_user::App);

impl Users for LocalUsers {
    fn lookup(&self, queries: Vec<UserQuery>, until: Instant) -> Asked<'_, Vec<Option<UserSummary>>> {
        Box::pin(async move {
            let found = self.0.lookup(batch(queries), Deadline(Some(until))).await;
            found.map_err(|error| PortError::NoAnswer(error.to_string()))
        })
    }
}

/// The user service's keys in the same process.
pub(super) struct LocalKeys(pub(super) ordersys_user::App);

impl KeySource for LocalKeys {
    fn keys(&self) -> Fetched<'_> {
        Box::pin(async { Ok(self.0.public_keys().await) })
    }
}

/// The product service in the same process.
pub(super) struct LocalInventory(pub(super) ordersys_product::App);

impl Inventory for LocalInventory {
    fn apply(&self, operations: Vec<Operation>, until: Instant) -> Asked<'_, Vec<Answer>> {
        Box::pin(async move {
            let answers = self.0.apply(operations, Instant::now(), Deadline(Some(until))).await;
            answers.map_err(|error| PortError::NoAnswer(error.to_string()))
        })
    }
}
