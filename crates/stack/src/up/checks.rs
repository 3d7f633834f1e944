//! What cannot be, whatever is there: said before anything is done.

use ordersys_command::{Exit, Failure, Outcome};
use ordersys_contract::settings::Durability;

use crate::runtime::Runtime;
use crate::up::wanted::Settled;
use std::net::IpAddr;

/// A database promises what its server is set to.
pub(super) fn check_promise(settled: &Settled) -> Outcome {
    if settled.database.is_none() || settled.durability == Durability::Full {
        return Ok(());
    }
    let what = "what a commit means in PostgreSQL is a setting of its server";
    Err(Failure::new(Exit::Usage, what)
        .hint("leave out --durability, or keep the data in files with --store sqlite"))
}

/// Ports of another machine's loopback address could not be reached from here.
pub(super) fn check_reach(runtime: &Runtime, bind: IpAddr) -> Outcome {
    if runtime.is_local() || !bind.is_loopback() {
        return Ok(());
    }
    let what = format!("the engine is on another machine, where ports bound to {bind} cannot be reached");
    Err(Failure::new(Exit::Environment, what).hint("publish them with --bind 0.0.0.0"))
}
