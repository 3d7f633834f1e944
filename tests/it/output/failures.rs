//! Errors as JSON, where `-o json` was asked for.

use std::process::{Command, Output};

use ordersys_testkit::binary;
use serde_json::{Value, json};

fn ordersys(args: &[&str]) -> Output {
    Command::new(binary()).args(args).env_remove("ORDERSYS_OUTPUT").output().expect("runs")
}

/// The last line of stderr.
fn told(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn an_error_is_one_object_with_its_causes_a_hint_and_the_exit_code() {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().to_str().expect("text");
    let output = ordersys(&["status", "-o", "json", "--state-dir", state]);
    let error = told(&output);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(4), 0), "{error}");
    assert_eq!((&error["version"], &error["error"]["exitCode"]), (&json!(1), &json!(4)), "{error}");
    let text = |name: &str| error["error"][name].as_str().unwrap_or_else(|| panic!("{name}: {error}"));
    assert!(text("message").contains("ordersys") && text("hint").contains("up"), "{error}");

    let output = ordersys(&["bench", "report", "/nowhere", "--output=json", "--state-dir", state]);
    let causes = told(&output)["error"]["causes"].clone();
    assert!(causes.as_array().is_some_and(|causes| !causes.is_empty()), "{output:?}");
}

#[test]
fn a_command_line_that_cannot_be_read_is_told_in_the_same_way() {
    for args in [
        &["order", "list", "-o", "json", "--no-such-flag"][..],
        &["order", "list", "--limit", "x", "--output", "json"],
        &["-qojson", "order", "place"],
    ] {
        let output = ordersys(args);
        let error = told(&output);
        assert_eq!((output.status.code(), &error["error"]["exitCode"]), (Some(2), &json!(2)), "{error}");
        let message = error["error"]["message"].as_str().expect("a message");
        assert!(!message.starts_with("error:") && !message.is_empty(), "{error}");
    }
    let output = ordersys(&["order", "list", "--no-such-flag"]);
    assert!(output.stderr.starts_with(b"error: unexpected argument '--no-such-flag'"), "{output:?}");
}
