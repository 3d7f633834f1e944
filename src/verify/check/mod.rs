//! The invariants I1 to I10 of a running system, checked from outside. Reads only, never repairs.
//! `read` and `reread` do the IO; everything else judges what they read.

pub mod invariant;
mod keys;
mod order;
mod pair;
mod read;
mod report;
mod reread;
mod stock;

use ordersys_contract::{Client, ClientError};

pub use invariant::Invariant;
pub use report::{Finding, Report, Standing};

/// Checks the system. `step` is told what is being done.
///
/// # Errors
/// When the system cannot be read to the end; nothing is known about it then.
pub async fn check(client: &Client, step: impl Fn(String)) -> Result<Report, ClientError> {
    let mut tally = report::Tally::default();
    step("adding up stock".to_owned());
    for evidence in &client.stock_evidence().await? {
        stock::judge(evidence, &mut tally);
    }
    // Keys come before orders: an order and its key are stored together, so the order of each key
    // read here is in the list read next.
    let mut keys = read::keys(client, &step, &mut tally).await?;
    let suspects = read::pairs(client, &step, &mut keys, &mut tally).await?;
    keys.finish(&mut tally);
    reread::judge(client, &suspects, &step, &mut tally).await?;
    Ok(tally.into_report())
}

#[cfg(test)]
mod tests;
