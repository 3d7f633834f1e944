//! Learns what became of orders whose outcome was lost, and sends acknowledged keys again: both by
//! repeating the POST with the same key.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use ordersys_contract::{ClientError, Code, order};

use crate::finding::{Samples, Witness};
use crate::run::coverage::Replays;
use crate::run::expectations::Resolution;
use crate::system::http::Http;
use ordersys_workload::evidence::answer::{Judged, judge};
use ordersys_workload::evidence::ledger::{Entry, Ledger, OrderRef, Refusal, Told};
use ordersys_workload::plan::{Draft, Plan};

/// How long unknown outcomes may stay unknown: twice what the order service gives itself.
const PATIENCE: Duration = Duration::from_mins(1);
/// The pause before the same key is sent again.
const PAUSE: Duration = Duration::from_millis(200);
/// Requests on their way at a time.
const IN_FLIGHT: usize = 16;
/// Acknowledged keys that are sent again.
const SAMPLE: usize = 64;

/// Asks again for every outcome the client does not know.
pub(crate) async fn unknowns(
    http: Http<'_>,
    plan: &Plan,
    ledger: &Ledger,
) -> Result<HashMap<u64, Resolution>, ClientError> {
    let deadline = Instant::now() + PATIENCE;
    let unknown = ledger.iter().filter(|entry| is_unknown(entry)).map(|entry| entry.number);
    let asked = unknown.map(|number| async move { Ok((number, ask(http, plan, number, deadline).await?)) });
    stream::iter(asked).buffer_unordered(IN_FLIGHT).try_collect().await
}

/// The same where keys are not promised to be honoured: repeating would order twice.
#[must_use]
pub(crate) fn leave_open(ledger: &Ledger, reason: &str) -> HashMap<u64, Resolution> {
    let unknown = ledger.iter().filter(|entry| is_unknown(entry));
    unknown.map(|entry| (entry.number, Resolution::Open(reason.to_owned()))).collect()
}

fn is_unknown(entry: &Entry) -> bool {
    matches!(entry.told, Told::Unknown | Told::Accepted { .. })
}

/// Sends some acknowledged keys again, spread over the run: each must give the order it gave before.
pub(crate) async fn replays(http: Http<'_>, plan: &Plan, ledger: &Ledger) -> Result<Replays, ClientError> {
    let deadline = Instant::now() + PATIENCE;
    let step = (ledger.len() / SAMPLE).max(1);
    let acknowledged = ledger.iter().step_by(step).filter_map(|entry| match &entry.told {
        Told::Confirmed { order, .. } => Some((entry.number, order)),
        _ => None,
    });
    let asked = acknowledged.map(|(number, order)| async move {
        Ok::<_, ClientError>((number, order, ask(http, plan, number, deadline).await?))
    });
    let answers: Vec<_> = stream::iter(asked).buffer_unordered(IN_FLIGHT).try_collect().await?;
    let mut differing = Samples::default();
    for (number, order, again) in answers {
        if let Some(found) = difference(order, &again) {
            differing.add(|| Witness {
                order_id: Some(order.to_string()),
                key: Some(plan.key(number).to_string()),
                expected: "the same order when its key is sent again".to_owned(),
                found,
                ..Witness::default()
            });
        }
    }
    Ok(Replays { differing, skipped: None })
}

fn difference(order: &OrderRef, again: &Resolution) -> Option<String> {
    match again {
        Resolution::Stands { order: same, .. } if same == order => None,
        Resolution::Stands { order, .. } => Some(format!("order {order}")),
        Resolution::Refused(Refusal::OutOfStock) => Some("the order refused as out of stock".to_owned()),
        Resolution::Refused(Refusal::Other | Refusal::NotNow) => Some("the order refused".to_owned()),
        Resolution::Open(reason) => Some(reason.clone()),
    }
}

/// Repeats one order until the answer is definite or time is up.
async fn ask(http: Http<'_>, plan: &Plan, number: u64, deadline: Instant) -> Result<Resolution, ClientError> {
    let url = format!("{}{}", http.client().endpoints().order, order::ORDERS);
    let (mut draft, mut body) = (Draft::default(), Vec::new());
    plan.draft(number, &mut draft);
    plan.render(&draft, &mut body);
    loop {
        let late = Instant::now() >= deadline;
        let reason = match http.post(&url, Some(plan.key(number)), body.clone()).await {
            Ok((status, body)) => match (status.as_u16(), judge(status.as_u16(), &body)) {
                // No key is ever sent with two bodies: what is stored is not what was sent.
                (_, Judged { code, .. }) if code == Code::IdempotencyMismatch.as_str() => {
                    return Ok(Resolution::Open("its key has an order of other content".to_owned()));
                }
                (_, Judged { told: Told::Confirmed { order, total }, .. }) => {
                    return Ok(Resolution::Stands { order, total });
                }
                // "Not now" says nothing about the order that was sent before.
                (429 | 503, Judged { told: Told::Refused(_), .. })
                | (_, Judged { told: Told::Unknown | Told::Accepted { .. } | Told::Done, .. }) => {
                    format!("the answer was still {status} after {} s", PATIENCE.as_secs())
                }
                (_, Judged { told: Told::Refused(refusal), .. }) => return Ok(Resolution::Refused(refusal)),
            },
            Err(error) if late => return Err(error),
            Err(error) => error.to_string(),
        };
        if late {
            return Ok(Resolution::Open(reason));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
