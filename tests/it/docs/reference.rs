//! The reference pages say what the code does: commands, variables, exit codes and problem codes are compared with it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ordersys_command::Exit;
use ordersys_contract::Code;
use ordersys_testkit::binary;

/// Set by `cargo xtask reference`: the page of commands is written anew instead of being compared.
const WRITE: &str = "ORDERSYS_WRITE_REFERENCE";
/// What precedes the help of the commands.
const HEAD: &str = "# Commands

The help of each command, as the program prints it. `cargo xtask reference` writes this page.
";

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(page(name)).expect("reads")
}

/// The long help of a command, without anything of this machine.
fn help(command: &[&str]) -> String {
    let mut ordersys = Command::new(binary());
    ordersys.args(command).arg("--help").stdin(Stdio::null()).env_clear().env("HOME", "/home/me");
    let output = ordersys.output().expect("runs");
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The commands that a help lists, `help` itself apart.
fn listed(help: &str) -> Vec<String> {
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    let names = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// The help of a command and of all below it, each with its words.
fn all_helps(command: &[&str], found: &mut Vec<(String, String)>) {
    let help = help(command);
    let below = listed(&help);
    found.push((["ordersys"].iter().chain(command).copied().collect::<Vec<_>>().join(" "), help));
    for name in &below {
        all_helps(&[command, &[name.as_str()]].concat(), found);
    }
}

fn helps() -> Vec<(String, String)> {
    let mut found = Vec::new();
    all_helps(&[], &mut found);
    found
}

#[test]
fn the_page_of_commands_is_their_help() {
    let helps = helps();
    assert!(helps.len() > 25, "{} commands", helps.len());
    let mut text = HEAD.to_owned();
    for (command, help) in &helps {
        let lines: Vec<_> = help.lines().map(str::trim_end).collect();
        let _ = write!(text, "\n## `{command}`\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    }
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(page("commands.md"), text).expect("writes");
        return;
    }
    let stored = read("commands.md");
    let differs = text.lines().zip(stored.lines()).find(|(now, stored)| now != stored);
    assert_eq!(differs, None, "write the page anew: cargo xtask reference");
    assert_eq!(text.len(), stored.len(), "write the page anew: cargo xtask reference");
}

#[test]
fn the_page_of_variables_names_all_and_no_other() {
    let mut known = BTreeSet::new();
    for (_, help) in helps() {
        for (at, start) in help.match_indices("[env: ") {
            let name = &help[at + start.len()..];
            known.insert(name[..name.find(['=', ']']).expect("ends")].to_owned());
        }
    }
    let page = read("environment.md");
    let named = page.lines().filter_map(|line| line.strip_prefix("| `ORDERSYS_")?.split('`').next());
    let named: BTreeSet<_> = named.map(|rest| format!("ORDERSYS_{rest}")).collect();
    let missing: Vec<_> = known.difference(&named).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
    let unknown: Vec<_> = named.difference(&known).collect();
    assert!(unknown.is_empty(), "no flag reads: {unknown:?}");
}

#[test]
fn the_page_of_exit_codes_has_each_once() {
    let page = read("exit-codes.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse::<u8>().ok());
    let codes = [
        Exit::Failed,
        Exit::Usage,
        Exit::Environment,
        Exit::NotFound,
        Exit::TimedOut,
        Exit::ObjectiveMissed,
        Exit::InvariantViolated,
        Exit::InvalidRun,
        Exit::Interrupted,
    ];
    let expected: Vec<_> = std::iter::once(0).chain(codes.map(|code| code as u8)).collect();
    assert_eq!(rows.collect::<Vec<_>>(), expected);
}

#[test]
fn the_page_of_problem_codes_has_each_with_its_status_and_title() {
    let page = read("problem-codes.md");
    for code in Code::ALL {
        let row = format!("| `{}` | {} | {} |", code.as_str(), code.status().as_u16(), code.title());
        assert!(page.contains(&row), "the page lacks a row that begins: {row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 3);
    assert_eq!(rows.count(), Code::ALL.len(), "no other codes");
}
