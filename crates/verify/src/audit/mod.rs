//! The invariants I1 to I11 of a running system, checked from outside. Reads only, never repairs.
//! `gather` does the IO; everything else judges what they read.

mod catalog;
mod gather;
mod horizon;
pub mod invariant;
mod keys;
mod order;
mod origin;
mod pair;
mod people;
mod report;
mod stock;
mod times;
mod values;

use crate::audit::gather::{read, reread};
use ordersys_contract::Client;

pub use crate::audit::gather::failure::CheckError;
use crate::audit::gather::failure::Of as _;
pub use crate::audit::invariant::Invariant;
pub use crate::audit::report::{Finding, Report, Standing};

use ordersys_contract::Role;

/// Checks the system. `step` is told what is being done.
///
/// # Errors
/// When a service cannot be read to the end; nothing is known about the system then.
pub async fn check(client: &Client, step: impl Fn(String)) -> Result<Report, CheckError> {
    let mut counts = report::AuditCounts::default();
    step("adding up stock".to_owned());
    for evidence in &client.stock_evidence().await.of(Role::Product)? {
        stock::judge(evidence, &mut counts);
    }
    read::people(client, &step, &mut counts).await?;
    let catalog = read::products(client, &step, &mut counts).await?;
    // Keys come before orders: an order and its key are stored together, so the order of each key
    // read here is in the list read next.
    let mut keys = read::keys(client, &step, &mut counts).await?;
    let suspects = read::pairs(client, &step, &catalog, &mut keys, &mut counts).await?;
    read::settle_keys(client, &step, keys, &mut counts).await?;
    reread::judge(client, &suspects, &step, &mut counts).await?;
    Ok(counts.into_report())
}

#[cfg(test)]
mod tests;
