//! State directories through the command line: what is deleted, whose processes are commanded, what is believed, and
//! what happens where there is no room.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use ordersys_testkit::{binary, in_words};

mod believed;
mod containers;
mod deleted;
mod dirs;
mod full;
mod looks;

/// A quick stack.
const ONE: [&str; 2] = ["--topology", "monolith"];

/// Runs a line as a person pastes it, with the program of this build.
pub(super) fn pasted(line: &str) -> Output {
    let line = line.replacen("ordersys ", &format!("{} ", binary().display()), 1);
    Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).output().expect("runs")
}

/// The first command in a hint.
fn command_in(said: &str) -> String {
    let hint = said.split("hint: ").nth(1).unwrap_or_else(|| panic!("no hint: {said}"));
    hint.split('`').nth(1).unwrap_or_else(|| panic!("no command: {hint}")).to_owned()
}

fn run_on(state: &Path, name: &str, args: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(["--project", name, "-o", "json", "--state-dir"]).arg(state).args(args);
    command.stdin(Stdio::null()).output().expect("runs")
}

fn said(output: &Output) -> String {
    in_words(&output.stderr)
}
