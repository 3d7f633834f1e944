//! `ordersys version`: which build this is.

use std::env::consts::{ARCH, OS};

use serde::Serialize;

use crate::cli::Globals;

/// The commit it was built from, where the build was told: `ORDERSYS_COMMIT=... cargo build`.
const COMMIT: Option<&str> = option_env!("ORDERSYS_COMMIT");

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys version
  ordersys version -o json | jq -r .ordersys")]
pub(super) struct Args {}

/// Stable, scripts read it.
#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    ordersys: &'static str,
    commit: Option<&'static str>,
    target: String,
    build: &'static str,
}

pub(super) fn run(_args: &Args, globals: &Globals) {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let target = format!("{ARCH}-{OS}");
    let commit = COMMIT.filter(|text| !text.is_empty());
    let report = Report { version: 1, ordersys: env!("CARGO_PKG_VERSION"), commit, target, build };
    globals.printer().data(&report, || {
        let commit = report.commit.map(|commit| format!(", commit {commit}")).unwrap_or_default();
        format!("ordersys {} ({}, {} build{commit})", report.ordersys, report.target, report.build)
    });
}
