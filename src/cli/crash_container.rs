//! `ordersys crash-container`: run inside a service's container by `ordersys chaos kill`.

use ordersys_command::Outcome;
use ordersys_supervisor::crash_container;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args) -> Outcome {
    Ok(crash_container()?)
}
