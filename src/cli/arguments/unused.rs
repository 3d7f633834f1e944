//! Flags that every command takes and that some have no use for: typed there, they are a mistake.

use clap::ArgMatches;
use clap::parser::ValueSource;
use ordersys_command::{Exit, Failure, Outcome};

/// Commands that call no service, or only those of the project's own stack.
const CALL_NONE: [&str; 17] = [
    "up",
    "down",
    "status",
    "logs",
    "restart",
    "stop",
    "start",
    "ls",
    "chaos",
    "smoke",
    "doctor",
    "health",
    "version",
    "completions",
    "man",
    "supervise",
    "respond",
];

/// Flags that say which services are called, and as whom.
const OF_CALLS: [(&str, &str); 5] = [
    ("user_url", "--user-url"),
    ("product_url", "--product-url"),
    ("order_url", "--order-url"),
    ("acting_as", "--as"),
    ("token_file", "--token-file"),
];

/// Refuses a flag that the command would pass over. A variable is no mistake: it is meant for all commands.
pub(in crate::cli) fn refused(origins: &ArgMatches) -> Outcome {
    let Some(command) = origins.subcommand_name().filter(|name| CALL_NONE.contains(name)) else {
        return Ok(());
    };
    let typed = |(id, _): &&(&str, &str)| origins.value_source(id) == Some(ValueSource::CommandLine);
    match OF_CALLS.iter().find(typed) {
        None => Ok(()),
        Some((_, flag)) => Err(Failure::new(
            Exit::Usage,
            format!("`ordersys {command}` has no use for {flag}: it calls no services but the project's own"),
        )
        .hint("name a project with --project, or ask a service elsewhere: ordersys health --url http://ADDRESS:PORT/readyz")),
    }
}
