//! A wrong value of an argument is told in words of ours: with the argument, the value, and what it takes.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use ordersys_testkit::binary;

/// Words of parsers that know nothing of arguments.
const FOREIGN_WORDS: [&str; 10] = [
    "invalid digit",
    "invalid float",
    "empty string",
    "target type",
    "integral type",
    "address syntax",
    "number at",
    "invalid character at",
    "time unit needed",
    "provided string",
];

/// Values that each type of argument but text refuses.
const WRONG: [&str; 7] = ["x y", "", "-1x", "99999999999999999999999", "1.5.2", "5", "10parsecs"];

fn ordersys(args: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(args).env("NO_COLOR", "1").output().expect("runs")
}

fn said(args: &[&str]) -> (Option<i32>, String) {
    let output = ordersys(args);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The arguments of a command that take a value, from its help.
fn flags(command: &[&str]) -> Vec<String> {
    let help = ordersys(&[command, &["--help"]].concat());
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let words = help.split_whitespace().zip(help.split_whitespace().skip(1));
    let taking = words.filter(|(word, next)| word.starts_with("--") && next.starts_with('<'));
    taking.map(|(word, _)| word.to_owned()).collect()
}

#[test]
fn a_wrong_value_is_told_with_what_the_argument_takes() {
    for (args, parts) in [
        (&["seed", "--users", "abc"][..], ["'abc'", "--users", "a whole number"]),
        (&["seed", "--seed", "99999999999999999999"], ["99999", "--seed", "a smaller whole number"]),
        (&["product", "restock", "x", "1.5"], ["'1.5'", "<QUANTITY>", "a whole number"]),
        (&["serve", "user", "--bind", "abc", "--data-dir", "x"], ["'abc'", "--bind", "an IP address"]),
        (&["serve", "user", "--port", "x\u{1b}[1m", "--data-dir", "x"], ["'x\\u{1b}[1m'", "--port", "whole"]),
        (&["bench", "--duration", "abc"], ["'abc'", "--duration", "30s"]),
        (&["up", "--timeout", "5"], ["'5'", "--timeout", "a time with its unit"]),
        (&["up", "--allowed-host", "http://a"], ["'http://a'", "--allowed-host", "such as shop.example"]),
        (&["order", "list", "--status", "done"], ["'done'", "--status", "pending"]),
    ] {
        let (code, text) = said(args);
        assert_eq!(code, Some(2), "{args:?}: {text}");
        for part in parts {
            assert!(text.contains(part), "{args:?}: `{part}` is not in {text}");
        }
    }
}

#[test]
fn no_argument_speaks_with_the_words_of_a_parser() {
    let mut tried = BTreeSet::new();
    for command in [
        &[][..],
        &["up"],
        &["down"],
        &["status"],
        &["logs"],
        &["trace"],
        &["restart"],
        &["chaos", "kill"],
        &["seed"],
        &["user", "create"],
        &["product", "create"],
        &["order", "place"],
        &["order", "list"],
        &["bench", "run"],
        &["bench", "saturate"],
        &["bench", "compare"],
        &["bench", "calibrate"],
        &["check"],
        &["smoke"],
        &["serve", "order"],
        &["health"],
    ] {
        for flag in flags(command) {
            if !tried.insert(flag.clone()) {
                continue; // the arguments that all commands have, or one that means the same
            }
            for value in WRONG {
                let argument = format!("{flag}={value}");
                // The last one is unknown, so that nothing is ever done.
                let (code, text) = said(&[command, &[argument.as_str(), "--no-such-argument"]].concat());
                assert_eq!(code, Some(2), "{command:?} {argument}: {text}");
                let foreign = FOREIGN_WORDS.iter().find(|words| text.contains(**words));
                assert_eq!(foreign, None, "{command:?} {argument}: {text}");
            }
        }
    }
    assert!(tried.len() > 70, "{} arguments were tried", tried.len());
}

/// The settings that the page of limits names, each with its variable and its default, are those of `serve`.
#[test]
fn the_page_of_limits_names_settings_as_they_are() {
    let page = include_str!("../../../docs/reference/limits.md");
    let help = String::from_utf8(ordersys(&["serve", "--help"]).stdout).expect("text");
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with('|') && line.contains("`--")).collect();
    assert!(rows.len() >= 10, "{rows:#?}");
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let (flag, variable) = cells[2].split_once(", ").expect("a flag and its variable");
        let (flag, variable) = (flag.trim_matches('`'), variable.trim_matches('`'));
        let start = help.find(&format!("{flag} <")).unwrap_or_else(|| panic!("{flag} is no flag of serve"));
        let rest = &help[start + flag.len()..];
        let about = &rest[..rest.find("\n      --").unwrap_or(rest.len())];
        assert!(about.contains(&format!("[env: {variable}=")), "{flag}: {about}");
        if let Some(default) =
            about.rsplit_once("[default: ").and_then(|(_, text)| text.split([']', ',']).next())
            && default.starts_with(|first: char| first.is_ascii_digit())
        {
            let plain = |text: &str| text.replace(' ', "");
            assert!(plain(cells[3]).contains(&plain(default)), "{flag}: {default} is not in `{}`", cells[3]);
        }
    }
}
