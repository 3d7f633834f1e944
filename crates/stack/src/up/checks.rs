//! What cannot be, whatever is there: said before anything is done.

use ordersys_command::{Exit, Failure, Outcome};
use ordersys_contract::settings::Durability;

use crate::model::record::Topology;
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

/// Several services of one role need data that they can share.
pub(super) fn check_replicas(settled: &Settled) -> Outcome {
    let Some((role, count)) = settled.replicas.several().next() else { return Ok(()) };
    let (why, way) = if settled.topology == Topology::Monolith {
        ("a monolith is one process", "`--topology services`")
    } else if settled.database.is_none() {
        ("each would have data of its own", "a PostgreSQL database, `--store postgres://USER@HOST/DATABASE`")
    } else {
        return Ok(());
    };
    let what = format!("there cannot be {count} {role} services: {why}");
    let all = settled.replicas.several().map(|(role, _)| format!("--replicas {role}=1"));
    let one = all.collect::<Vec<_>>().join(" ");
    Err(Failure::new(Exit::Usage, what).hint(format!("give them {way}, or run one of each with `{one}`")))
}

/// Ports of another machine's loopback address could not be reached from here.
pub(super) fn check_reach(runtime: &Runtime, bind: IpAddr) -> Outcome {
    if runtime.is_local() || !bind.is_loopback() {
        return Ok(());
    }
    let what = format!("the engine is on another machine, where ports bound to {bind} cannot be reached");
    Err(Failure::new(Exit::Environment, what).hint("publish them with --bind 0.0.0.0"))
}
