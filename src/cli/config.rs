//! `ordersys config`: which settings count, and where each comes from.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};
use serde::Serialize;

use crate::cli::{Globals, command};
use crate::render::Table;
use ordersys_command::Outcome;
use ordersys_stack::model::record::StackRecord;

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
    Default,
}

pub(super) fn run(_args: &Args, globals: &Globals, origins: &ArgMatches) -> Outcome {
    let (project, printer) = (globals.unchecked_project()?, globals.printer());
    let record = StackRecord::load(&project)?;
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
                record.as_ref().and_then(|record| of_stack(flag, record)).map(|value| (value, From::Stack))
            }
        };
        if let (From::Default, Some((value, from))) = (setting.from, derived) {
            (setting.value, setting.from) = (Some(value), from);
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
        "--user-url" => Some(record.endpoints.user.to_string()),
        "--product-url" => Some(record.endpoints.product.to_string()),
        "--order-url" => Some(record.endpoints.order.to_string()),
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
            From::Default => "default",
        };
        let value = value.clone().unwrap_or_else(|| "-".to_owned());
        table.row([flag.clone(), value, from.to_owned(), variable.clone().unwrap_or_default()]);
    }
    table.to_string()
}
