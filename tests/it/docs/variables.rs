//! Variables in place of flags, all of them, as the command line describes itself: an empty one is unset, a switch takes
//! `1` and `0`, and a wrong value is told with the name of its variable.

use std::path::Path;
use std::process::{Command, Output};

use ordersys_testkit::binary;

/// Flags that contradict each other, which is seen once all variables are read: so nothing is ever done.
const LAST: [&str; 4] = ["--as", "admin", "--token-file", "x"];

/// What is then said.
const PAST: &str = "'--as <WHO>' cannot be used with '--token-file <FILE>'";

/// A command, with the variables of its own.
struct Own {
    words: Vec<String>,
    variables: Vec<(String, bool)>,
}

/// The variables of a command, and whether each is that of a switch.
fn variables(command: &clap::Command, global: bool) -> Vec<(String, bool)> {
    let arguments = command.get_arguments().filter(|arg| arg.is_global_set() == global);
    let named = arguments.filter_map(|arg| {
        let name = arg.get_env()?.to_string_lossy().into_owned();
        Some((name, !arg.get_action().takes_values()))
    });
    named.collect()
}

fn visit(command: &clap::Command, words: &[String], into: &mut Vec<Own>) {
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let words = [words, &[command.get_name().to_owned()]].concat();
        visit(command, &words, into);
        into.push(Own { variables: variables(command, false), words });
    }
}

/// The variables of all commands, and of those that have their own.
fn described() -> (Vec<(String, bool)>, Vec<Own>) {
    let (mut whole, mut all) = (ordersys::cli::command(), Vec::new());
    whole.build();
    visit(&whole, &[], &mut all);
    all.retain(|own| !own.variables.is_empty());
    (variables(&whole, true), all)
}

fn run(home: &Path, words: &[String], set: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary());
    command.args(words).env_clear().env("HOME", home).env("NO_COLOR", "1").envs(set.iter().copied());
    command.output().expect("runs")
}

/// What is said where these variables are set.
fn said(home: &Path, words: &[String], set: &[(&str, &str)]) -> String {
    let output = run(home, &[words, &LAST.map(str::to_owned)].concat(), set);
    assert_eq!(output.status.code(), Some(2), "{words:?} {set:?}: {output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_empty_variable_is_unset() {
    let home = tempfile::tempdir().expect("a directory");
    let (global, own) = described();
    assert!(own.len() >= 4 && own.iter().map(|own| own.variables.len()).sum::<usize>() > 35);
    let empty = |all: &[(String, bool)]| all.iter().map(|(name, _)| (name.clone(), "")).collect::<Vec<_>>();
    for Own { words, variables } in &own {
        let set = empty(variables);
        let set: Vec<_> = set.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let said = said(home.path(), words, &set);
        assert!(said.contains(PAST), "{words:?}: {said}");
    }
    let (config, set) = (["config", "-o", "json"].map(str::to_owned), empty(&global));
    let set: Vec<_> = set.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let (unset, set) = (run(home.path(), &config, &[]), run(home.path(), &config, &set));
    assert!(unset.status.success(), "{unset:?}");
    assert_eq!(unset, set);
}

#[test]
fn switches_take_words_and_a_wrong_value_is_told_with_its_variable() {
    let home = tempfile::tempdir().expect("a directory");
    let (global, mut own) = described();
    own.push(Own { words: vec!["status".to_owned()], variables: global });
    let switches = own.iter().flat_map(|own| &own.variables).filter(|(_, is_switch)| *is_switch);
    assert!(switches.count() >= 2);
    for Own { words, variables } in &own {
        for (name, is_switch) in variables {
            let wrong = said(home.path(), words, &[(name, "-? \u{1}")]);
            assert!(wrong.contains(name) || wrong.contains(PAST), "{name}: {wrong}");
            if *is_switch {
                assert!(wrong.contains(name) && wrong.contains("1, true, yes or on"), "{name}: {wrong}");
                for value in ["1", "0", "true", "false", "yes", "no", "on", "off", "TRUE"] {
                    let said = said(home.path(), words, &[(name, value)]);
                    assert!(said.contains(PAST), "{name}={value}: {said}");
                }
            }
        }
    }
    let pages = home.path().join("man").display().to_string();
    let man = ["man", "--out", &pages].map(str::to_owned);
    let talk = |value| run(home.path(), &man, &[("ORDERSYS_QUIET", value)]).stderr.len();
    assert!(talk("1") == 0 && talk("0") > 0);
}
