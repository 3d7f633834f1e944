//! `ordersys logs`: what the services say, merged by time.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::time::Instant;

use serde_json::{Value, json};

use crate::cli::trace::{ON_ITS_WAY, PAUSE};
use crate::cli::{Globals, block_on};
use crate::render::{Lines, json_text};
use ordersys_command::{Exit, Failure, Outcome, counted};
use ordersys_contract::Role;
use ordersys_logs::{Colour, Entry, Filter, Found, Level, Shown, Source, Until};
use ordersys_report::draw::terminal;
use ordersys_stack::model::record::Topology;

/// Lines that were there already and are shown on a terminal, unless the command says how many.
const ON_A_TERMINAL: usize = 200;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys logs
  ordersys logs order product -f
  ordersys logs order --tail 50
  ordersys logs --since 10m --level warn
  ordersys logs --since 2026-01-01T12:00:00Z --until 2026-01-01T12:05:00Z
  ordersys logs --order ID
  ordersys logs -o json | jq 'select(.status >= 500)'

On a terminal the last 200 lines are shown, elsewhere all; see --tail.")]
pub(super) struct Args {
    /// Services to show [default: all]
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Go on showing new lines until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// The last lines only: a number, or all
    #[arg(short = 'n', long, value_name = "N")]
    tail: Option<Tail>,
    /// Lines from then on: a duration before now (10m, 2h) or a time (2026-01-01T12:00:00Z)
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,
    /// Lines until then: a duration before now or a time
    #[arg(long, value_name = "WHEN", conflicts_with = "follow")]
    until: Option<When>,
    /// Lines at least this important
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// Lines of the request with this id
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// Lines about the order with this id
    #[arg(long, value_name = "ID")]
    order: Option<String>,
}

/// How many lines of those that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    All,
    Last(usize),
}

impl FromStr for Tail {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            _ => text.parse().map(Self::Last).map_err(|_| "write a whole number, or all".to_owned()),
        }
    }
}

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Ago(jiff::SignedDuration),
    At(jiff::Timestamp),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        let ago =
            humantime::parse_duration(text).ok().and_then(|ago| jiff::SignedDuration::try_from(ago).ok());
        ago.map(Self::Ago)
            .ok_or_else(|| "neither a duration (10m) nor a time (2026-01-01T12:00:00Z)".to_owned())
    }
}

impl When {
    fn resolve(self, now: jiff::Timestamp) -> jiff::Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(jiff::Timestamp::MIN),
        }
    }
}

impl Args {
    /// Every service from that time on, until Ctrl-C.
    pub(super) fn follow_from(at: jiff::Timestamp) -> Self {
        Self {
            services: Vec::new(),
            follow: true,
            tail: Some(Tail::All),
            since: Some(When::At(at)),
            until: None,
            level: None,
            request: None,
            order: None,
        }
    }

    /// How many of the lines that are there already are shown; `None` is all of them.
    fn last(&self) -> Option<usize> {
        match self.tail {
            Some(Tail::All) => None,
            Some(Tail::Last(lines)) => Some(lines),
            None => terminal::stdout().width.map(|_| ON_A_TERMINAL),
        }
    }

    /// The one request or order whose lines are wanted.
    fn about(&self) -> Option<String> {
        let request = self.request.as_ref().map(|id| format!("the request `{id}`"));
        request.or_else(|| self.order.as_ref().map(|id| format!("the order `{id}`")))
    }
}

pub(super) fn run(args: Args, globals: &Globals) -> Outcome {
    block_on(show(args, globals))
}

/// Prints the lines asked for; following, it does not end by itself.
pub(super) async fn show(args: Args, globals: &Globals) -> Outcome {
    let project = globals.project()?;
    let Found { sources, topology } = ordersys_logs::find(&globals.engine.lookup(), &project).await?;
    if sources.is_empty() {
        return Err(Failure::new(Exit::NotFound, format!("project `{}` has no logs", project.name))
            .hint(format!("start a stack with `{}`", project.command("up"))));
    }
    if topology.is_none() {
        globals.printer().say("no stack is up; these are the logs of the last one");
    }
    let roles = match topology {
        Some(Topology::Monolith) => Role::ALL.map(|role| role.name().to_owned()).to_vec(),
        Some(Topology::Services) | None => Vec::new(),
    };
    let names = sources.iter().map(|source| source.name().to_owned()).collect();
    check_services(&args.services, &names, &roles)?;
    let wanted = |source: &Source| may_hold(source.name(), &args.services, &roles);
    let sources: Vec<_> = sources.into_iter().filter(wanted).collect();
    let until = if args.follow { Until::Stopped } else { Until::Now };
    let (last, about) = (args.last(), args.about());
    let (mut show, filter, began) = (shower(globals), filter(args), Instant::now());
    loop {
        let mut any = false;
        let noting = |shown: Shown<'_>| {
            any |= !matches!(shown, Shown::Pause);
            show(shown)
        };
        ordersys_logs::stream(sources.clone(), filter.clone(), until, last, noting).await?;
        let Some(about) = about.as_ref().filter(|_| !any) else { return Ok(()) };
        if began.elapsed() >= ON_ITS_WAY {
            return Err(Failure::new(Exit::NotFound, format!("no line is about {about}"))
                .hint("ids are compared as a whole, and logs are bounded in size: old lines are gone"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn filter(args: Args) -> Filter {
    let now = jiff::Timestamp::now();
    Filter {
        services: args.services.into_iter().collect(),
        level: args.level,
        request: args.request,
        order: args.order,
        about: BTreeSet::new(),
        since: args.since.map(|since| since.resolve(now)),
        until: args.until.map(|until| until.resolve(now)),
    }
}

/// Refuses names that neither a log nor, in a log all share, a role has.
fn check_services(wanted: &[String], names: &BTreeSet<String>, roles: &[String]) -> Outcome {
    let Some(unknown) = wanted.iter().find(|name| !names.contains(*name) && !roles.contains(name)) else {
        return Ok(());
    };
    let known: BTreeSet<&str> = names.iter().chain(roles).map(String::as_str).collect();
    let known: Vec<&str> = known.into_iter().collect();
    Err(Failure::new(Exit::Usage, format!("there is no service `{unknown}`"))
        .hint(format!("there are: {}", known.join(", "))))
}

/// Whether a log can hold lines of a wanted service: it is named so, or roles share it.
fn may_hold(log: &str, wanted: &[String], roles: &[String]) -> bool {
    let shared = wanted.iter().any(|name| roles.contains(name));
    wanted.is_empty() || shared || wanted.iter().any(|name| name == log)
}

/// What prints each line in the form asked for.
fn shower(globals: &Globals) -> impl FnMut(Shown<'_>) -> ControlFlow<()> {
    let printer = globals.printer();
    let mut lines: Lines = printer.lines();
    let colour = match terminal::stdout().colour {
        terminal::Colour::On => Colour::Ansi,
        terminal::Colour::Off => Colour::Plain,
    };
    move |shown| match shown {
        Shown::LeftOut(lines) => {
            printer.say(format!("left out: {}; --tail all shows every line", counted(lines, "earlier line")));
            ControlFlow::Continue(())
        }
        Shown::Line(entry) if printer.is_json() => lines.line(&json_text(&json_line(entry))),
        Shown::Line(entry) => lines.line(&ordersys_logs::render(entry, colour)),
        Shown::Pause => lines.flush(),
    }
}

/// The line as one JSON object that names its service.
fn json_line(entry: &Entry) -> String {
    match serde_json::from_str(&entry.text) {
        Ok(Value::Object(line)) if line.contains_key("service") && !entry.is_of_a_replica() => {
            entry.text.clone()
        }
        Ok(Value::Object(mut line)) => {
            line.insert("service".to_owned(), json!(&*entry.source));
            Value::Object(line).to_string()
        }
        Ok(_) | Err(_) => {
            json!({"timestamp": entry.at.to_string(), "service": &*entry.source, "message": entry.text})
                .to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_duration_ago_or_a_time() {
        let now: jiff::Timestamp = "2026-01-01T12:00:00Z".parse().expect("time");
        let cases = [("10m", "2026-01-01T11:50:00Z"), ("1h 30m", "2026-01-01T10:30:00Z")];
        for (text, expected) in cases {
            let since: When = text.parse().expect(text);
            assert_eq!(since.resolve(now).to_string(), expected);
        }
        let at: When = "2025-12-31T23:00:00+01:00".parse().expect("a time");
        assert_eq!(at.resolve(now).to_string(), "2025-12-31T22:00:00Z");
        for bad in ["", "yesterday", "10"] {
            assert!(bad.parse::<When>().is_err(), "{bad}");
        }
    }

    #[test]
    fn services_are_checked_and_a_shared_log_is_read_for_its_roles() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (three, one) = (set(&["order", "product", "user"]), set(&["all"]));
        let roles = list(&["user", "product", "order"]);
        assert!(check_services(&list(&["order"]), &three, &[]).is_ok());
        assert!(check_services(&list(&["order"]), &one, &roles).is_ok());
        let failure = check_services(&list(&["orders"]), &three, &[]).expect_err("unknown");
        assert_eq!(
            (failure.exit, failure.hint.as_deref()),
            (Exit::Usage, Some("there are: order, product, user"))
        );
        assert!(may_hold("all", &list(&["order"]), &roles) && may_hold("user", &[], &[]));
        assert!(!may_hold("user", &list(&["order"]), &[]));
    }

    #[test]
    fn every_json_line_names_its_service() {
        let json_line = |source: &str, text: &str| {
            let at = "2026-01-01T12:00:00Z".parse().expect("time");
            super::json_line(&Entry { at, source: source.into(), text: text.to_owned() })
        };
        let cases = [
            ("user", r#"{"service":"order","x":1.10}"#, r#"{"service":"order","x":1.10}"#),
            ("order.2", r#"{"service":"order"}"#, r#"{"service":"order.2"}"#),
            ("user", r#"{"x":1}"#, r#"{"service":"user","x":1}"#),
            ("user", "panic!", r#"{"message":"panic!","service":"user","timestamp":"2026-01-01T12:00:00Z"}"#),
        ];
        for (source, raw, expected) in cases {
            assert_eq!(json_line(source, raw), expected);
        }
    }
}
