//! Writes the pages that are made from the code; the tests that compare them with it say when they differ.

use tokio::process::Command;

use crate::common::root;

/// The schema of results: the file, and the command that prints it.
const SCHEMA: &str = "bench/result.schema.json";

pub(crate) async fn run() -> anyhow::Result<()> {
    let mut pages = cargo(&["test", "--quiet", "--test", "it", "--", "reference"]);
    let written = pages.env("ORDERSYS_WRITE_REFERENCE", "1").status().await?;
    anyhow::ensure!(written.success(), "the pages could not be written");
    let schema = cargo(&["run", "--quiet", "--", "bench", "schema"]).output().await?;
    anyhow::ensure!(schema.status.success(), "{}", String::from_utf8_lossy(&schema.stderr));
    Ok(std::fs::write(root().join(SCHEMA), schema.stdout)?)
}

fn cargo(args: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(args).current_dir(root()).kill_on_drop(true);
    cargo
}
