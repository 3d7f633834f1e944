//! What people type out of habit, and what they mean by it.

use std::process::{Command, Output};

use ordersys_testkit::{Project, binary};

fn ordersys(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(args).env("NO_COLOR", "1");
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn no_command_and_no_subcommand_is_answered_with_the_help() {
    for (args, part) in [
        (&[][..], "Usage: ordersys [OPTIONS] <COMMAND>"),
        (&["--project", "shop"], "Usage: ordersys [OPTIONS] <COMMAND>"),
        (&["user", "--project", "shop"], "Usage: ordersys user <COMMAND>"),
    ] {
        let output = ordersys(args).env("ORDERSYS_PROJECT", "shop").output().expect("runs");
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(part) && said.contains("\n\nCommands:\n"), "{args:?}: {said}");
        assert!(!said.contains("error:"), "{args:?}: {said}");
        for hidden in ["respond", "supervise", "crash-container"] {
            assert!(!said.contains(hidden), "{args:?} names {hidden}: {said}");
        }
    }
}

#[test]
fn words_of_other_tools_are_told_with_what_to_type() {
    for (args, part) in [
        (&["top"][..], "ordersys status"),
        (&["exec"], "images hold one program"),
        (&["place"], "ordersys order place"),
        (&["run"], "ordersys up"),
        (&["responder"], ""),
        (&["order", "buy"], "`ordersys order place`"),
        (&["product", "add"], "`ordersys product create`"),
        (&["user", "show"], "`ordersys user get`"),
        (&["product", "lst"], "'list'"),
        (&["up", "-v"], "no verbose mode"),
        (&["bench", "--no-such-flag"], ""),
        (&["serve", "user", "--no-such-flag"], ""),
    ] {
        let output = ordersys(args).output().expect("runs");
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        let tip = said.split("tip: ").nth(1).unwrap_or_default();
        assert!(tip.contains(part) && tip.is_empty() == part.is_empty(), "{args:?}: {said}");
        assert!(!tip.contains("respond"), "{args:?}: {said}");
    }
}

#[test]
fn wrong_usage_names_neither_variables_nor_flags_for_what_was_not_typed() {
    let output = ordersys(&["order", "place"]).env("ORDERSYS_PROJECT", "shop").output().expect("runs");
    let said = text(&output);
    assert!(said.contains("--item <PRODUCT") && !said.contains("--project"), "{said}");
    let both = ordersys(&["order", "list", "--token-file", "x"]).env("ORDERSYS_AS", "admin").output();
    let said = text(&both.expect("runs"));
    assert!(said.contains("ORDERSYS_AS (--as <WHO>)"), "{said}");
}

#[test]
fn negative_numbers_are_told_with_the_range() {
    for args in [
        &["product", "restock", "x", "-5"][..],
        &["seed", "--users", "-1"],
        &["order", "list", "--limit", "-2"],
    ] {
        let said = text(&ordersys(args).output().expect("runs"));
        assert!(
            said.contains("invalid value '-") && said.contains("it takes a whole number"),
            "{args:?}: {said}"
        );
    }
}

#[test]
fn an_address_is_refused_where_a_part_of_it_would_not_be_sent() {
    let form = "http://HOST[:PORT][/PREFIX]";
    for (args, part) in [
        (&["user", "list", "--order-url", "http://h?tenant=1"][..], form),
        (&["product", "list", "--product-url", "http://h/#x"], form),
        (&["user", "list", "--user-url", "http://me:secret@h"], form),
        (&["bench", "--order-url", "https://h"], form),
        (&["serve", "order", "--data-dir", "x", "--user-url", "h:3001"], form),
        (&["up", "--otlp", "http://h:4318?x=1"], form),
        (&["health", "--url", "http://me@127.0.0.1/readyz"], "http://ADDRESS:PORT/PATH"),
        (&["health", "--url", "http://127.0.0.1/readyz#x"], "http://ADDRESS:PORT/PATH"),
    ] {
        let output = ordersys(args).output().expect("runs");
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(part), "{args:?}: {said}");
    }
    let output = ordersys(&["bench"]).env("ORDERSYS_ORDER_URL", "http://h?tenant=1").output().expect("runs");
    assert!(
        text(&output).contains("ORDERSYS_ORDER_URL") && text(&output).contains(form),
        "{}",
        text(&output)
    );
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_done() {
    for (args, part) in [
        (&["up", "--log", "foo=bar=x"][..], "`foo=bar=x` is not a log level"),
        (&["serve", "user", "--data-dir", "x", "--log", "foo=bar=x"], "`foo=bar=x` is not a log level"),
        (&["man", "--out", "Cargo.toml"], "Cargo.toml is a file; --out takes a directory"),
    ] {
        let output = ordersys(args).output().expect("runs");
        let said = text(&output);
        assert!(output.status.code() == Some(2) && said.contains(part), "{args:?}: {said}");
    }
}

#[test]
fn flags_without_a_meaning_are_refused() {
    for args in [
        &["status", "--user-url", "http://h"][..],
        &["logs", "--as", "admin"],
        &["down", "--order-url", "http://h"],
    ] {
        let output = ordersys(args).output().expect("runs");
        let said = text(&output);
        assert!(output.status.code() == Some(2) && said.contains(args[1]), "{args:?}: {said}");
    }
}

#[test]
fn the_version_and_the_settings_that_count_are_data() {
    let json =
        |output: Output| -> serde_json::Value { serde_json::from_slice(&output.stdout).expect("JSON") };
    for form in [&["--json"][..], &["-o", "json"], &["--format", "json"]] {
        let version = json(ordersys(&[&["version"], form].concat()).output().expect("runs"));
        assert_eq!(version["ordersys"], env!("CARGO_PKG_VERSION"));
        assert!(version["target"].as_str().is_some_and(|target| target.contains(std::env::consts::ARCH)));
    }
    let home = tempfile::tempdir().expect("a directory");
    let mut config = ordersys(&["config", "--json", "--project", "shop"]);
    config.env("HOME", home.path()).env("ORDERSYS_AS", "admin").env("ORDERSYS_RUNTIME", "process");
    let config = json(config.output().expect("runs"));
    let setting = |flag: &str| {
        let found = config["settings"].as_array().expect("settings").iter().find(|one| one["flag"] == flag);
        found.map(|one| (one["value"].as_str().map(str::to_owned), one["from"].clone())).expect(flag)
    };
    assert_eq!(setting("--project"), (Some("shop".to_owned()), "flag".into()));
    assert_eq!(setting("--as"), (Some("admin".to_owned()), "variable".into()));
    assert_eq!(setting("--runtime"), (Some("process".to_owned()), "variable".into()));
    assert_eq!(setting("--output"), (Some("table".to_owned()), "default".into()));
    assert_eq!(setting("--order-url"), (None, "default".into()));
}

#[test]
fn a_running_stack_shows_its_pages_and_settings_and_what_is_next() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    let pages = project.run(&["open", "--print"]).ok().data;
    let pages: Vec<_> =
        pages["pages"].as_array().expect("pages").iter().map(|page| page["url"].clone()).collect();
    let config = project.run(&["config"]).ok().data;
    let settings = config["settings"].as_array().expect("settings");
    let setting = |flag: &str| settings.iter().find(|setting| setting["flag"] == flag).expect("a setting");
    let topology = setting("--topology");
    assert_eq!((&topology["value"], &topology["from"]), (&"monolith".into(), &"remembered".into()));
    let url = setting("--order-url");
    assert_eq!(url["from"], "stack");
    let order = url["value"].as_str().expect("a URL");
    assert!(pages.len() == 3 && pages[0] == format!("{order}/docs"), "{pages:?}");
    let doctor = project.run(&["doctor"]);
    assert!(doctor.said.contains("next: ordersys status --project"), "{}", doctor.said);
}
