//! `ordersys respond`: the responder that does nothing but answer, as a process of its own, so that it can
//! be pinned to a core, stopped and measured apart. Hidden: it is a tool of tests and measurements.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::Globals;
use ordersys_command::{Exit, OrFail, Outcome};
use ordersys_loadgen::noop;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
}

#[derive(Debug, Serialize)]
struct Listening {
    url: String,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port));
    let listener = listener.with_context(|| format!("cannot listen on port {}", args.port));
    let listener = listener.exit(Exit::Environment)?;
    let listening = Listening { url: format!("http://{}", listener.local_addr()?) };
    globals.printer().data(&listening, || listening.url.clone());
    Ok(noop::serve(listener)?)
}
