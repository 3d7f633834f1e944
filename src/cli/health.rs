//! `ordersys health`: the container health check. Small and quick: an engine runs it again and again.

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use crate::cli::Globals;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_supervisor::Probe;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  ordersys health\n  ordersys health --url http://127.0.0.1:3003/readyz --timeout 500ms"
)]
pub(super) struct Args {
    /// What to ask; the host has to be an address or `localhost`
    #[arg(
        long,
        env = "ORDERSYS_HEALTH_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:3001/health"
    )]
    url: Probe,
    /// How long the answer may take
    #[arg(long, env = "ORDERSYS_HEALTH_TIMEOUT", value_name = "DURATION", default_value = "2s")]
    timeout: humantime::Duration,
}

/// What a healthy service answered.
#[derive(Debug, Serialize)]
struct Healthy<'a> {
    url: &'a str,
    status: u16,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let verdict = runtime.block_on(ask(&args.url, args.timeout.into()));
    match verdict {
        Ok(status) => {
            let url = args.url.to_string();
            globals
                .printer()
                .data(&Healthy { url: &url, status }, || format!("healthy: {url} answered {status}"));
            Ok(())
        }
        Err(why) => Err(Failure::new(Exit::Failed, format!("not healthy: {why}"))),
    }
}

/// The status of a healthy service, or why it is not, in one line.
async fn ask(probe: &Probe, limit: Duration) -> Result<u16, String> {
    match timeout(limit, probe.status()).await {
        Ok(Ok(status @ 200..=299)) => Ok(status),
        Ok(Ok(status)) => Err(format!("{probe} answered {status}")),
        Ok(Err(error)) => Err(format!("{error:#}")),
        Err(_) => Err(format!("{probe} did not answer in {}", humantime::format_duration(limit))),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_listener_that_does_not_answer_is_not_healthy() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let url = format!("http://{}/health", listener.local_addr().expect("bound"));
        let why = ask(&url.parse().expect("parses"), Duration::from_millis(20)).await;
        assert_eq!(why, Err(format!("{url} did not answer in 20ms")));
        drop(listener);
        let why = ask(&url.parse().expect("parses"), Duration::from_secs(5)).await.expect_err("refused");
        assert!(why.starts_with("nothing listens on 127.0.0.1:"), "{why}");
    }
}
