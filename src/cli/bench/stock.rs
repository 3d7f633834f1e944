//! Stock that a run would sell although it is not its own: made harmless where the system is the project's own stack,
//! and asked about elsewhere.

use std::io::{IsTerminal as _, stdin};
use std::net::IpAddr;

use http::Uri;
use tokio::sync::oneshot;

use crate::cli::bench::Globals;
use crate::render::Printer;
use ordersys_bench::prepare::WouldSellStock;
use ordersys_command::{Failure, Signals};
use ordersys_stack::model::record::StackRecord;

/// The same flags without URLs that lead to the project's own stack in other words: what that stack lets its project do
/// then counts, and the run makes products of its own.
pub(super) fn at_home(globals: &Globals) -> Globals {
    let record = globals.project().ok().and_then(|project| StackRecord::load(&project).ok().flatten());
    let (Some(record), Ok(urls)) = (record, globals.endpoints()) else { return globals.clone() };
    let own = &record.endpoints;
    let pairs = [(&urls.user, &own.user), (&urls.product, &own.product), (&urls.order, &own.order)];
    if urls == *own || !pairs.into_iter().all(|(named, own)| is_same(named, own)) {
        return globals.clone();
    }
    let project = &globals.project;
    globals
        .printer()
        .say(format!("note: these are the services of project `{project}`: the run makes its own products"));
    Globals { user_url: Vec::new(), product_url: Vec::new(), order_url: Vec::new(), ..globals.clone() }
}

/// Whether two URLs lead to the same service of this machine.
fn is_same(a: &str, b: &str) -> bool {
    let parts = |text: &str| {
        let uri: Uri = text.parse().ok()?;
        let loopback = |ip: IpAddr| if ip.is_loopback() { "127.0.0.1".to_owned() } else { ip.to_string() };
        let host = match uri.host()? {
            name if name.eq_ignore_ascii_case("localhost") => "127.0.0.1".to_owned(),
            host => host.trim_matches(['[', ']']).parse().map_or_else(|_| host.to_lowercase(), loopback),
        };
        let path = uri.path().trim_end_matches('/').to_owned();
        Some((uri.scheme_str()?.to_owned(), host, uri.port_u16().unwrap_or(80), path, uri.query().is_some()))
    };
    parts(a).is_some_and(|a| Some(a) == parts(b))
}

/// Asks the person at the terminal whether the stock may be sold, where there is one and that is what a run wants to know.
pub(super) async fn may_be_sold(failure: &Failure, printer: &Printer) -> bool {
    let Some(question) = failure.error.downcast_ref::<WouldSellStock>() else { return false };
    if printer.is_json() || !stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    printer.say(format!("{question}\nsell it? [y/N]"));
    let (sender, answer) = oneshot::channel();
    // Nothing ends a read of a terminal, so the thread ends with the program.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = stdin().read_line(&mut line);
        let _ = sender.send(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")); // nobody waits after Ctrl-C
    });
    let Ok(mut signals) = Signals::listen() else { return false };
    tokio::select! {
        answer = answer => answer.unwrap_or(false),
        () = signals.next() => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::bench::stock::is_same;

    #[test]
    fn one_service_has_many_urls() {
        let own = "http://127.0.0.1:3001";
        for (url, same) in [
            ("http://127.0.0.1:3001/", true),
            ("http://localhost:3001", true),
            ("HTTP://LOCALHOST:3001", true),
            ("http://[::1]:3001", true),
            ("http://127.0.0.1:3002", false),
            ("http://127.0.0.1:3001/shop", false),
            ("http://127.0.0.1:3001?tenant=1", false),
            ("http://shop.example:3001", false),
            ("https://127.0.0.1:3001", false),
            ("", false),
        ] {
            assert_eq!(is_same(url, own), same, "{url}");
        }
    }
}
