//! The responder as a process of its own, so that its processor time is not the generator's.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running responder; ends with this value, and with this process however that ends, since its standard
/// input is closed then.
#[derive(Debug)]
pub(crate) struct Child {
    process: tokio::process::Child,
    url: String,
}

impl Child {
    /// Starts it and waits until it listens.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find the running program")?;
        let mut command = Command::new(program);
        command.args(["bench", "responder"]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().context("cannot start the responder")?;
        let stdout = process.stdout.take().context("the responder has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let first = first
            .context("the responder did not start in time")?
            .context("cannot read from the responder")?;
        let address = first.context("the responder ended before it listened")?;
        Ok(Self { process, url: format!("http://{address}") })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.id()
    }
}
