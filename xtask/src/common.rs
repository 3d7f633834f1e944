//! What measurements share of their command lines, and the programs they run: named, or built from this checkout.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tokio::process::Command;

use crate::lab::Lab;
use crate::turns::Turns;

/// What measurements share; each says how many rounds of how many seconds it makes unless told otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// The program to measure [default: a release build of this checkout]
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// The program `ordersys-benches`, where it is needed [default: built from this checkout, profile quick]
    #[arg(long, value_name = "PATH")]
    benches: Option<PathBuf>,
    /// How often each side has its turn
    #[arg(long, value_name = "N")]
    pub(crate) rounds: Option<u32>,
    /// Length of a turn, where it has one
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<u64>,
    /// Where the turns go, a line of JSON each [default: bench-NAME.jsonl]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Common {
    /// A lab for `ordersys`.
    pub(crate) async fn lab(&self) -> anyhow::Result<Lab> {
        Lab::new(found_or_built(self.binary.as_deref(), "ordersys", "release").await?)
    }

    pub(crate) async fn benches(&self) -> anyhow::Result<PathBuf> {
        found_or_built(self.benches.as_deref(), "ordersys-benches", "quick").await
    }

    /// Where the turns of this measurement go.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.out.clone().unwrap_or_else(|| PathBuf::from(format!("bench-{name}.jsonl")))
    }

    pub(crate) fn turns(&self, name: &str) -> anyhow::Result<Turns> {
        Turns::to(self.out(name))
    }
}

/// The top of this repository.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

async fn found_or_built(named: Option<&Path>, package: &str, profile: &str) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        return path.canonicalize().with_context(|| format!("{} is no program", path.display()));
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--profile", profile, "--package", package]);
    cargo.args(["--message-format", "json-render-diagnostics"]).current_dir(root());
    let built = cargo.stdout(Stdio::piped()).kill_on_drop(true).spawn()?.wait_with_output().await?;
    anyhow::ensure!(built.status.success(), "{package} does not build");
    let messages = built.stdout.split(|byte| *byte == b'\n');
    let mut programs = messages.filter_map(|line| {
        let message: Value = serde_json::from_slice(line).ok()?;
        let is_it = message["target"]["name"] == package;
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    });
    programs.next().with_context(|| format!("cargo names no program of {package}"))
}

/// Runs a command to its end, or gives it up after this time.
pub(crate) async fn output(command: &mut Command, limit: Duration) -> anyhow::Result<Output> {
    let output = tokio::time::timeout(limit, command.stdin(Stdio::null()).kill_on_drop(true).output()).await;
    let named = || format!("{:?}", command.as_std());
    output.with_context(|| format!("over {limit:?}: {}", named()))?.with_context(named)
}

/// What a command prints that has to succeed.
pub(crate) async fn printed(command: &mut Command, limit: Duration) -> anyhow::Result<Vec<u8>> {
    let output = output(command, limit).await?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{:?} ended with {}: {said}", command.as_std(), output.status);
    Ok(output.stdout)
}
