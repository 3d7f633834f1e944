//! `ordersys config`: which settings count, and where each comes from.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};
use serde::Serialize;

use crate::cli::{Globals, command};
use ordersys_command::Outcome;
use ordersys_report::Table;
use ordersys_stack::model::record::{RuntimeKind, StackRecord, Topology};
use ordersys_stack::model::started::Started;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys config
  ORDERSYS_RUNTIME=process ordersys config --project shop
  ordersys config -o json | jq '.settings[] | select(.from != \"default\")'")]
pub(super) struct Args {}

/// Stable, scripts read it.
#[derive(Debug, Serialize)]
struct Report {
    version: u32,
    settings: Vec<Setting>,
}

/// One setting. What `up` would do with settings of its own is told by `up --dry-run`.
#[derive(Debug, Serialize)]
struct Setting {
    flag: String,
    value: Option<String>,
    from: From,
    variable: Option<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum From {
    Flag,
    Variable,
    /// The project's stack has it.
    Stack,
    /// The project was started with it.
    Remembered,
    Default,
}

pub(super) fn run(_args: &Args, globals: &Globals, origins: &ArgMatches) -> Outcome {
    let (project, printer) = (globals.unchecked_project()?, globals.printer());
    let (record, started) = (StackRecord::load(&project)?, Started::load(&project));
    let mut whole = command();
    whole.build();
    let is_setting = |arg: &&Arg| arg.get_env().is_some() && !arg.is_hide_set();
    let globals = whole.get_arguments().filter(is_setting).map(|arg| typed(arg, origins));
    let up = whole.find_subcommand("up").into_iter().flat_map(clap::Command::get_arguments);
    let up = up.filter(is_setting).filter(|arg| !arg.is_global_set()).map(unsaid);
    let mut settings: Vec<_> = globals.chain(up).collect();
    for setting in &mut settings {
        let derived = match setting.flag.as_str() {
            "--state-dir" => project.dir.parent().map(|dir| (dir.display().to_string(), From::Default)),
            flag => {
                let stack = record.as_ref().and_then(|record| of_stack(flag, record));
                let remembered = || started.as_ref().and_then(|started| of_last_time(flag, started));
                let stack = stack.map(|value| (value, From::Stack));
                stack.or_else(|| Some((remembered()?, From::Remembered)))
            }
        };
        if let (From::Default, Some((value, from))) = (setting.from, derived) {
            (setting.value, setting.from) = (Some(value), from);
        }
        if setting.value.is_none() {
            setting.value = usual(&setting.flag).map(str::to_owned);
        }
    }
    let report = Report { version: 1, settings };
    printer.data(&report, || table(&report.settings));
    Ok(())
}

/// A flag of every command, as it was read.
fn typed(arg: &Arg, origins: &ArgMatches) -> Setting {
    let id = arg.get_id().as_str();
    let from = match origins.value_source(id) {
        Some(ValueSource::CommandLine) => From::Flag,
        Some(ValueSource::EnvVariable) => From::Variable,
        _ => From::Default,
    };
    let values = origins.get_raw(id).into_iter().flatten().map(|value| value.to_string_lossy());
    Setting { value: joined(values), from, ..unsaid(arg) }
}

/// A flag that was not typed: its variable counts, else its default.
fn unsaid(arg: &Arg) -> Setting {
    let variable = arg.get_env().and_then(std::env::var_os).filter(|value| !value.is_empty());
    let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy());
    Setting {
        flag: format!("--{}", arg.get_long().unwrap_or_default()),
        from: if variable.is_some() { From::Variable } else { From::Default },
        value: variable.map_or_else(|| joined(defaults), |value| Some(value.to_string_lossy().into_owned())),
        variable: arg.get_env().map(|name| name.to_string_lossy().into_owned()),
    }
}

fn joined<'a>(values: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> Option<String> {
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// What the project's stack says of a setting.
fn of_stack(flag: &str, record: &StackRecord) -> Option<String> {
    match flag {
        "--user-url" => Some(record.endpoints.user.clone()),
        "--product-url" => Some(record.endpoints.product.clone()),
        "--order-url" => Some(record.endpoints.order.clone()),
        _ => None,
    }
}

/// What the project was started with, which counts for the next `up`.
fn of_last_time(flag: &str, started: &Started) -> Option<String> {
    match flag {
        "--runtime" => Some(match started.runtime {
            RuntimeKind::Docker => "docker".to_owned(),
            RuntimeKind::Process => "process".to_owned(),
        }),
        "--topology" => Some(match started.topology {
            Topology::Services => "services".to_owned(),
            Topology::Monolith => "monolith".to_owned(),
        }),
        "--port" => {
            let ports: Vec<_> = started.ports.iter().map(|(role, port)| format!("{role}={port}")).collect();
            (!ports.is_empty()).then(|| ports.join(","))
        }
        "--replicas" => Some(started.replicas.to_string()).filter(|text| !text.is_empty()),
        "--bind" => Some(started.bind.to_string()),
        "--durability" => Some(started.durability.to_string()),
        "--store" => Some(started.database.as_ref().map_or_else(|| "sqlite".to_owned(), ToString::to_string)),
        "--log" => Some(started.log.clone()),
        "--otlp" => started.tracing.as_ref().map(|tracing| tracing.collector.to_string()),
        _ => None,
    }
}

/// What `up` takes at the first start of a project.
fn usual(flag: &str) -> Option<&'static str> {
    match flag {
        "--runtime" => Some("auto"),
        "--topology" => Some("services"),
        "--replicas" => Some("1"),
        "--port" => Some("3001, 3002, 3003"),
        "--bind" => Some("127.0.0.1"),
        "--durability" => Some("full"),
        "--store" => Some("sqlite"),
        "--log" => Some("info"),
        _ => None,
    }
}

fn table(settings: &[Setting]) -> String {
    let mut table = Table::new(["SETTING", "VALUE", "FROM", "VARIABLE"]).names(&[1]);
    for Setting { flag, value, from, variable } in settings {
        let from = match from {
            From::Flag => "flag",
            From::Variable => "variable",
            From::Stack => "stack",
            From::Remembered => "last start",
            From::Default => "default",
        };
        let value = value.clone().unwrap_or_else(|| "-".to_owned());
        table.row([flag.clone(), value, from.to_owned(), variable.clone().unwrap_or_default()]);
    }
    table.to_string()
}
