//! Output that cannot be written is an error of every command, and a reader that went away is none.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::process::{Command, Output, Stdio};

use ordersys_testkit::binary;
use ordersys_testkit::command::login::{PASSWORD, register};

use crate::output::Shop;

/// How each command is made to print something. `_` in a word stands for a blank.
const PRINTING: [(&str, &str); 46] = [
    ("up", "up --runtime process --topology monolith --dry-run"),
    ("down", "down -o json --project nobody"),
    ("status", "status"),
    ("logs", "logs"),
    ("trace", "trace {order}"),
    ("restart", "restart order -o json"),
    ("chaos", "chaos resume order"),
    ("seed", "seed --users 1 --products 1"),
    ("user create", "user create --name Bob --email bob@example.com"),
    ("user get", "user get {user}"),
    ("user list", "user list"),
    ("user login", "user login carol@example.com --password-stdin"),
    ("user passwd", "user passwd carol@example.com --as admin --password-stdin"),
    ("user logout", "user logout"),
    ("user disable", "user disable {user}"),
    ("user enable", "user enable {user}"),
    ("product list", "product list"),
    ("product get", "product get USB-C_Hub"),
    ("product create", "product create --name Webcam --price 79.90"),
    ("product restock", "product restock USB-C_Hub 5"),
    ("order place", "order place --user {user} --item USB-C_Hub=1"),
    ("order get", "order get {order}"),
    ("order list", "order list"),
    ("order cancel", "order cancel {order}"),
    ("order pay", "order pay {order}"),
    ("order ship", "order ship {paid}"),
    ("order deliver", "order deliver {shipped}"),
    ("order events", "order events {order}"),
    ("bench run", "bench run --count 20 --concurrency 2 --warmup 0s --no-verify"),
    ("bench compare", "bench compare {runs}/a {runs}/b"),
    ("bench report", "bench report {runs}/a"),
    ("bench schema", "bench schema"),
    ("check", "check"),
    ("doctor", "doctor"),
    ("health", "health --url {health}"),
    ("completions", "completions bash"),
    ("man", "man"),
    ("bench cleanup", "bench cleanup --older-than 0s"),
    ("open", "open"),
    ("config", "config"),
    ("version", "version"),
    ("migrate", "migrate --store {store} --store-password-file {password}"),
    ("ls", "ls"),
    ("stop", "stop -o json"),
    ("start", "start -o json"),
    ("help", "--help"),
];
/// Commands that print only after seconds of load; they are tried on a full disk alone.
const SLOW: [(&str, &str); 3] = [
    ("bench saturate", "bench saturate --slo p99<1us --from 4 --step 1s --no-verify"),
    ("bench calibrate", "bench calibrate --step 1s --concurrency 2"),
    ("smoke", "smoke --runtime process --topology monolith"),
];
/// Commands that print nothing, or go on until they are ended.
const OTHERS: [&str; 5] = ["serve", "respond", "supervise", "crash-container", "bench responder"];

/// The names of all commands that do something themselves.
fn leaves(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
    let inner: Vec<_> = command.get_subcommands().filter(|inner| inner.get_name() != "help").collect();
    if inner.is_empty() {
        found.insert(path.to_owned());
    }
    for inner in inner {
        leaves(inner, format!("{path} {}", inner.get_name()).trim(), found);
    }
}

#[test]
fn no_command_is_forgotten() {
    let (mut command, mut found) = (ordersys::cli::command(), BTreeSet::new());
    command.build();
    leaves(&command, "", &mut found);
    let tried = PRINTING.iter().chain(&SLOW).map(|(name, _)| *name).chain(OTHERS);
    let tried: BTreeSet<_> = tried.map(str::to_owned).collect();
    let untried: Vec<_> = found.difference(&tried).collect();
    assert!(untried.is_empty(), "{untried:?} need a line in a list of this file");
}

/// The command, with a password to read where it asks for one.
fn command(shop: &Shop, args: &str) -> Command {
    let mut command = shop.filled(args);
    if args.contains("--password-stdin") {
        let path = shop.project.state.path().join("password");
        fs::write(&path, format!("{PASSWORD}\n")).expect("writes");
        command.stdin(File::open(path).expect("opens"));
    }
    command.stderr(Stdio::piped());
    command
}

fn into(command: &mut Command, stdout: impl Into<Stdio>) -> Output {
    command.stdout(stdout).spawn().expect("runs").wait_with_output().expect("ends")
}

fn full() -> File {
    File::options().write(true).open("/dev/full").expect("is there")
}

/// The failed write is told last, with exit code 1 unless the command failed anyhow.
fn is_told(name: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cannot write to standard output: No space left on device"), "{name}: {said}");
    let own = ["bench run", "bench saturate", "bench calibrate"].contains(&name);
    assert!(output.status.code() == Some(1) || own && output.status.code() != Some(0), "{name}: {output:?}");
}

#[test]
fn a_full_disk_is_an_error_and_a_reader_that_went_away_is_none() {
    let shop = Shop::open();
    register(&shop.project, "carol@example.com");
    let shop = &shop;
    let runs = |(_, args): &&(&str, &str)| !args.contains("{store}") || ordersys_postgres::is_here();
    for (name, args) in PRINTING.iter().filter(runs) {
        is_told(name, &into(&mut command(shop, args), full()));
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = into(&mut command(shop, args), writer);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("cannot write") && !said.contains("panicked"), "{name}: {said}");
        let may_be_invalid = *name == "bench run"; // on a busy machine
        assert!(output.status.success() || may_be_invalid, "{name}: {output:?}");
    }
    std::thread::scope(|scope| {
        for (name, args) in SLOW {
            scope.spawn(move || is_told(name, &into(&mut command(shop, args), full())));
        }
    });
}

#[test]
fn a_command_that_fails_anyhow_keeps_its_exit_code() {
    let mut doctor = Command::new(binary());
    doctor.args(["doctor", "--state-dir", "/proc/nowhere"]).stderr(Stdio::piped());
    let output = into(&mut doctor, full());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for part in ["error: no stack can run here: state directory", "cause: cannot write to standard output"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}
