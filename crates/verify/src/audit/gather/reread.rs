//! Reads suspects again, so that work in flight is no false alarm.

use std::time::Duration;

use ordersys_contract::{Client, ClientError, Code, OrderId, Timestamp};

use crate::audit::gather::failure::{CheckError, Of as _};
use crate::audit::gather::read::{Suspect, anew};
use crate::audit::origin;
use crate::audit::origin::Sources;
use crate::audit::pair::Pair;
use crate::audit::report::AuditCounts;
use ordersys_contract::Role;

/// Violations of one invariant after which further suspects of it are not read again.
const ENOUGH: u64 = 100;
/// Readings of one suspect; an order has fewer steps than that.
const READINGS: u32 = 10;
/// Pause before suspects are read again: time for a service that has just started.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn judge(
    client: &Client,
    suspects: &[Suspect],
    step: &impl Fn(String),
    counts: &mut AuditCounts,
) -> Result<(), CheckError> {
    if suspects.is_empty() {
        return Ok(());
    }
    step(format!("reading {} suspects again", suspects.len()));
    tokio::time::sleep(PAUSE).await;
    for Suspect { id, of } in suspects {
        if of.iter().all(|invariant| counts.cases(*invariant) >= ENOUGH) {
            for invariant in of {
                counts.leave(*invariant);
            }
            continue;
        }
        if let Some(pair) = settled(client, *id).await? {
            let (users, catalog) = anew(client, pair.order.as_ref(), pair.reservation.as_ref()).await?;
            let user = pair.order.as_ref().and_then(|record| users.get(record.order.user_id));
            let sources = Sources { user, catalog: &catalog };
            let origin = origin::judge(&pair, sources, Timestamp::now());
            for violation in pair.judge().into_iter().chain(origin).chain(origin::half(&pair)) {
                counts.add(violation);
            }
        }
    }
    Ok(())
}

/// The order and its reservation with the order unchanged around the reading of the other, so
/// that the two belong together; `None` if it keeps changing, which only a healthy order does.
async fn settled(client: &Client, id: OrderId) -> Result<Option<Pair>, CheckError> {
    let mut order = found(client.order_record(id).await).of(Role::Order)?;
    for _ in 0..READINGS {
        let reservation = found(client.reservation_record(id).await).of(Role::Product)?;
        let again = found(client.order_record(id).await).of(Role::Order)?;
        if again == order {
            return Ok(Some(Pair { id, order, reservation }));
        }
        order = again;
    }
    Ok(None)
}

/// What is not there is an answer too.
pub(crate) fn found<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(ClientError::Refused { problem }) if problem.code == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
