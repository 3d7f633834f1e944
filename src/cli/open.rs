//! `ordersys open`: where the pages of the running services are, and the first of them in a browser.

use std::process::{Command, Stdio};

use serde::Serialize;

use crate::cli::Globals;
use ordersys_command::Outcome;
use ordersys_contract::Role;
use ordersys_report::Table;
use ordersys_report::draw::terminal;

/// Where each service describes its API.
const DOCS: &str = "/docs";

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys open
  ordersys open --print
  ordersys open -o json | jq -r '.pages[].url'")]
pub(super) struct Args {
    /// Print the addresses, and start no browser
    #[arg(long)]
    print: bool,
}

/// Stable, scripts read it.
#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    pages: Vec<Page>,
}

#[derive(Debug, Serialize)]
struct Page {
    service: &'static str,
    url: String,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Outcome {
    let (endpoints, printer) = (globals.endpoints()?, globals.printer());
    let page = |(role, base): (Role, &dyn std::fmt::Display)| Page {
        service: role.name(),
        url: format!("{base}{DOCS}"),
    };
    // Orders come first: they are what the system is for.
    let all: [(Role, &dyn std::fmt::Display); 3] =
        [(Role::Order, &endpoints.order), (Role::Product, &endpoints.product), (Role::User, &endpoints.user)];
    let report = Report { version: 1, pages: all.map(page).into() };
    printer.data(&report, || table(&report.pages));
    let asked = !args.print && !printer.is_json() && terminal::stdout().is_live;
    if let (Some(opener), Some(first), true) = (opener(), report.pages.first(), asked) {
        let started = Command::new(opener)
            .arg(&first.url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        printer.say(match started {
            Ok(_) => format!("opening {} in a browser", first.url),
            Err(error) => format!("no browser was started: {opener}: {error}"),
        });
    }
    Ok(())
}

/// The program that shows a page in the browser of the desktop, if there is a desktop.
fn opener() -> Option<&'static str> {
    if cfg!(target_os = "macos") {
        return Some("open");
    }
    let display = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    (display("DISPLAY") || display("WAYLAND_DISPLAY")).then_some("xdg-open")
}

fn table(pages: &[Page]) -> String {
    let mut table = Table::new(["SERVICE", "PAGE"]);
    for page in pages {
        table.row([page.service.to_owned(), page.url.clone()]);
    }
    table.to_string()
}
