//! `ordersys serve`.

use super::Outcome;

/// Run one service, or all in one process, in the foreground
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: Args) -> Outcome {
    Ok(())
}
