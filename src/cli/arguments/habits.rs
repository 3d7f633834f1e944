//! Words of other tools: what is meant by them here.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands that other tools have, and what to type here.
const COMMANDS: [(&[&str], &str); 23] = [
    (&["top", "stats", "list", "services"], "`ordersys status` shows the services and the memory they take"),
    (
        &["exec", "attach", "shell", "ssh", "sh", "bash"],
        "images hold one program and no shell: `ordersys logs` shows what it says, `ordersys chaos` injects faults",
    ),
    (
        &["run"],
        "`ordersys up` starts the stack, `ordersys serve` runs one service, `ordersys bench` loads them",
    ),
    (
        &["create", "deploy", "launch", "init", "install"],
        "`ordersys up` starts the stack, `ordersys seed` fills it",
    ),
    (
        &["rm", "remove", "delete", "destroy", "prune", "clean"],
        "`ordersys down --volumes` removes the stack and its data",
    ),
    (&["build", "image", "images", "pull", "push"], "`ordersys up --build` makes the image and starts it"),
    (&["place", "buy", "checkout"], "`ordersys order place --user EMAIL --item PRODUCT=QTY` places an order"),
    (&["orders"], "`ordersys order list` shows orders"),
    (
        &["users", "accounts", "whoami"],
        "`ordersys user list` shows users, `ordersys user get` the one that is logged in",
    ),
    (&["products", "catalog", "stock"], "`ordersys product list` shows products and their stock"),
    (
        &["register", "signup"],
        "`ordersys user create --registered --name NAME --email EMAIL` makes an account",
    ),
    (
        &["login", "logout", "passwd", "disable", "enable"],
        "accounts are below `ordersys user`, such as `ordersys user login EMAIL`",
    ),
    (&["restock"], "`ordersys product restock PRODUCT QUANTITY` adds stock"),
    (
        &["cancel", "pay", "ship", "deliver"],
        "steps of an order are below `ordersys order`, such as `ordersys order cancel ID`",
    ),
    (&["events", "history"], "`ordersys order events ID` shows the history of an order"),
    (
        &["kill", "pause", "unpause", "resume", "partition", "cut", "heal", "fault"],
        "faults are below `ordersys chaos`, such as `ordersys chaos kill product`",
    ),
    (
        &["load", "test", "attack", "perf", "k6", "wrk", "oha", "hey"],
        "`ordersys bench` loads the stack and measures it",
    ),
    (
        &["saturate", "compare", "calibrate", "report"],
        "measurements are below `ordersys bench`, such as `ordersys bench saturate`",
    ),
    (
        &["verify", "audit", "validate", "fsck"],
        "`ordersys check` verifies the invariants of the running stack",
    ),
    (
        &["info", "diagnose"],
        "`ordersys doctor` checks this machine, `ordersys config` shows which settings count",
    ),
    (
        &["settings", "env", "context"],
        "`ordersys config` shows which settings count, and where each comes from",
    ),
    (&["demo", "selftest"], "`ordersys smoke` starts a stack, orders from it, verifies it and takes it down"),
    (
        &["web", "ui", "browse", "url", "urls", "swagger"],
        "`ordersys open` shows the pages of the running stack",
    ),
];

/// Subcommands that other tools have, below any command.
const SUBCOMMANDS: [(&[&str], &str); 4] = [
    (&["ls", "ps", "all"], "list"),
    (&["show", "inspect", "describe", "view"], "get"),
    (&["add", "new", "register", "signup"], "create"),
    (&["order", "buy", "create", "new", "add"], "place"),
];

/// Flags that other tools have, and what to type here.
const FLAGS: [(&[&str], &str); 8] = [
    (
        &["-v", "--verbose", "--debug"],
        "there is no verbose mode: `-o json` shows every detail of the data, `ordersys logs` what the services say",
    ),
    (&["-d", "--detach", "--wait"], "`ordersys up` returns by itself, once the stack is ready"),
    (&["--force-recreate"], "`ordersys restart SERVICE` stops a service and starts it again"),
    (
        &["-f", "--file"],
        "no file describes the stack: flags and variables do, and `ordersys config` shows which count",
    ),
    (&["-z"], "`--duration 30s` says how long a run is"),
    (&["--vus", "--workers"], "`--concurrency 64` says how many connections send at a time"),
    (&["--no-color", "--no-colour"], "NO_COLOR=1 in front of the command takes colour away"),
    (
        &["--config"],
        "there is no configuration file: `ordersys config` shows which flags and variables count",
    ),
];

/// The same error with tips that help: never a hidden command, and what a word of another tool means here.
pub(super) fn suggested(mut error: clap::Error, whole: &Command) -> clap::Error {
    match error.kind() {
        ErrorKind::InvalidSubcommand => suggest_commands(&mut error, whole),
        ErrorKind::UnknownArgument => {
            let tip = text(&error, ContextKind::InvalidArg).and_then(|word| meaning(&FLAGS, &word));
            error.remove(ContextKind::Suggested); // "to pass it as a value" is never what was meant
            if let Some(tip) = tip {
                error.remove(ContextKind::SuggestedArg);
                tell(&mut error, tip.to_owned());
            }
        }
        _ => {}
    }
    error
}

fn suggest_commands(error: &mut clap::Error, whole: &Command) {
    let Some(word) = text(error, ContextKind::InvalidSubcommand) else { return };
    let Some(command) = refused(error, whole) else { return };
    let subcommands = || command.get_subcommands().filter(|one| !one.is_hide_set());
    let similar = match error.remove(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(all)) => all,
        Some(ContextValue::String(one)) => vec![one],
        _ => Vec::new(),
    };
    let known = |name: &String| {
        subcommands().any(|one| one.get_name() == name || one.get_all_aliases().any(|alias| alias == name))
    };
    let similar: Vec<_> = similar.into_iter().filter(known).collect();
    let path = command.get_bin_name().unwrap_or("ordersys").to_owned();
    let means = if command.get_name() == whole.get_name() {
        meaning(&COMMANDS, &word).map(str::to_owned)
    } else {
        let names =
            SUBCOMMANDS.iter().filter(|(words, _)| words.contains(&word.as_str())).map(|(_, name)| *name);
        let mut here = names.filter(|name| subcommands().any(|one| one.get_name() == *name));
        here.next().map(|name| format!("`{path} {name}` does that here"))
    };
    match means {
        Some(tip) => tell(error, tip),
        None if !similar.is_empty() => {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(similar));
        }
        None => {}
    }
}

/// The command that did not know a word: it is the one whose usage is shown.
fn refused<'a>(error: &clap::Error, whole: &'a Command) -> Option<&'a Command> {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return None };
    let usage = usage.to_string();
    let path = usage.split_whitespace().skip(2).take_while(|word| !word.starts_with(['[', '<']));
    path.into_iter().try_fold(whole, |command, word| command.find_subcommand(word))
}

fn meaning(table: &[(&[&str], &'static str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(words, _)| words.contains(&word)).map(|(_, tip)| *tip)
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Puts a tip of ours in place of all others.
fn tell(error: &mut clap::Error, tip: String) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
}
