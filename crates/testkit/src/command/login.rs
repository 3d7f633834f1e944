//! Accounts on the command line: registered, logged in, and what is kept of a login.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::{Ended, Project};

/// The password of every account.
pub const PASSWORD: &str = "correct horse battery staple";

/// Registers an account.
pub fn register(project: &Project, email: &str) -> Ended {
    let args = ["user", "create", "--name", "Test", "--email", email, "--password-stdin"];
    with_input(project, &args, &format!("{PASSWORD}\n")).ok()
}

/// Logs in.
pub fn log_in(project: &Project, email: &str) -> Ended {
    with_input(project, &["user", "login", email, "--password-stdin"], &format!("{PASSWORD}\n")).ok()
}

/// Runs a command that reads this.
pub fn with_input(project: &Project, args: &[&str], input: &str) -> Ended {
    let mut command = project.command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("runs");
    // A command that does not want it closes the pipe.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    Ended::wait(child)
}

/// The file in which a project's logins are kept.
pub fn accounts_file(project: &Project) -> PathBuf {
    project.dir().join("accounts.json")
}

/// What is kept of a project's logins.
pub fn accounts(project: &Project) -> Value {
    serde_json::from_slice(&fs::read(accounts_file(project)).expect("a file")).expect("JSON")
}
