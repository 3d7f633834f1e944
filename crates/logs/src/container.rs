//! Feeds the lines of a service's containers to the merger, across restarts and replacements.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::{sleep, timeout};

use crate::merge::Input;
use crate::source::{Feed, Sieve};
use crate::{Entry, Until};
use ordersys_engine::container::{ContainerLog, Reading};

/// An engine that says nothing for this long has said all that was there.
const SILENCE: Duration = Duration::from_millis(100);
/// Pause before a new subscription: the container ended, and may be started again.
const PAUSE: Duration = Duration::from_millis(500);
/// So many subscriptions in a row that fail are the end: an engine that restarts takes seconds.
const MAX_FAILURES: u32 = 20;

/// Reads to the end, or on and on. Returns early when the receiver is gone.
pub(crate) async fn read(feed: &Feed, name: Arc<str>, mut log: ContainerLog) -> anyhow::Result<()> {
    let mut sieve = Sieve::new(name, &feed.filter);
    let mut failures = 0;
    let mut live = false;
    loop {
        match one_subscription(feed, &mut sieve, &mut log, &mut live).await {
            Ok(Flow::Closed) => return Ok(()),
            Ok(Flow::Over) => failures = 0,
            Err(error) if feed.until == Until::Now || failures + 1 >= MAX_FAILURES => return Err(error),
            Err(_) => failures += 1, // the engine may be restarting
        }
        if feed.until == Until::Now {
            say(feed, Input::Ended).await;
            return Ok(());
        }
        if !std::mem::replace(&mut live, true) {
            say(feed, Input::CaughtUp).await;
        }
        sleep(PAUSE).await;
    }
}

/// How a subscription came to its end.
enum Flow {
    /// The container ended, or there is none.
    Over,
    /// The receiver is gone.
    Closed,
}

async fn one_subscription(
    feed: &Feed,
    sieve: &mut Sieve<'_>,
    log: &mut ContainerLog,
    live: &mut bool,
) -> anyhow::Result<Flow> {
    let reading = match feed.until {
        Until::Now => Reading::There,
        Until::Stopped => Reading::Following,
    };
    let Some(mut batches) = log.read(feed.filter.since, reading).await? else { return Ok(Flow::Over) };
    loop {
        let awaits_silence = !*live && reading == Reading::Following;
        let next = async {
            if awaits_silence { timeout(SILENCE, batches.next()).await } else { Ok(batches.next().await) }
        };
        let next = tokio::select! {
            next = next => next,
            () = feed.to.closed() => return Ok(Flow::Closed),
        };
        let input = match next {
            Ok(None) => return Ok(Flow::Over),
            Ok(Some(lines)) => {
                let entries = lines?.into_iter().filter_map(|line| sieve.pass(line.text, Some(line.at)));
                Input::Lines(entries.collect::<Vec<Entry>>())
            }
            Err(_) => {
                *live = true;
                Input::CaughtUp
            }
        };
        if !say(feed, input).await {
            return Ok(Flow::Closed);
        }
    }
}

/// Whether the receiver is still there.
async fn say(feed: &Feed, input: Input) -> bool {
    feed.to.send((feed.index, Ok(input))).await.is_ok()
}
