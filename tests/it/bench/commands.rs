//! The subcommands of `bench` through the real binary, against real services.

use std::path::Path;
use std::process::{Command, Output};

use ordersys_testkit::browser::chromium;
use ordersys_testkit::{Stack, binary, busy, in_words};
use serde_json::Value;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/result.schema.json");

/// Runs `ordersys bench` as the admin of a stack.
fn bench(stack: &Stack, args: &[&str]) -> Output {
    let dir = tempfile::tempdir().expect("a directory");
    let (urls, token) = (&stack.endpoints, dir.path().join("token"));
    std::fs::write(&token, stack.admin().credential().expect("a credential").expose()).expect("writes");
    Command::new(binary())
        .args(["--state-dir".as_ref(), dir.path()])
        .args(["--token-file".as_ref(), token.as_path()])
        .args(["--user-url", &urls.user, "--product-url", &urls.product, "--order-url", &urls.order])
        .arg("bench")
        .args(args)
        .output()
        .expect("runs")
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

fn says(output: &Output, text: &str) -> bool {
    in_words(&output.stderr).contains(text)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_result_keeps_its_published_schema_and_is_shown_again() {
    let (stack, dir) = (Stack::start().await, tempfile::tempdir().expect("a directory"));
    let run = dir.path().join("run").display().to_string();
    let load = ["-c", "4", "-d", "3s", "--warmup", "0s", "--out", &run, "-o", "json"];
    let turn = busy().await;
    let printed = json(&bench(&stack, &load));
    drop(turn);
    let stored: Value = serde_json::from_str(&read(&dir.path().join("run/result.json"))).expect("JSON");
    assert_eq!(printed, stored, "one document");
    let command = stored["command"].as_str().expect("is known");
    assert!(
        command.contains("bench -c 4 -d 3s --warmup 0s --out") && stored["startedAt"].is_string(),
        "{command}"
    );

    let schema = json(&bench(&stack, &["schema"]));
    let published: Value = serde_json::from_str(&read(Path::new(SCHEMA))).expect("JSON");
    assert_eq!(schema, published, "`cargo xtask reference` brings it up to date");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<_> = validator.iter_errors(&stored).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut wrong = stored.clone();
    wrong["totals"]["planned"] = Value::from("many");
    assert!(!validator.is_valid(&wrong), "the schema says what a count is");

    std::fs::remove_file(dir.path().join("run/report.html")).expect("was written");
    let again = bench(&stack, &["report", &run]);
    assert!(again.status.success() && dir.path().join("run/report.html").is_file(), "{again:?}");
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(text.contains("V10") && text.contains("exit code"), "{text}");
    figures_agree(&stored, &text, &read(&dir.path().join("run/report.html")));
    assert_eq!(json(&bench(&stack, &["report", &run, "-o", "json"])), stored);
    let nothing = bench(&stack, &["report", "nowhere"]);
    assert!(nothing.status.code() == Some(4) && says(&nothing, "hint:"), "{nothing:?}");

    let log = read(&dir.path().join("run/response.hlog"));
    let seconds = log.lines().filter(|line| line.starts_with("Tag=order,")).count();
    assert!((2..=4).contains(&seconds), "a line for each second with an answer: {log}");
    assert!(log.contains(",HIST"), "compressed: {log}");

    let page = read(&dir.path().join("run/report.html"));
    for outside in ["http://www", "https://", "<link", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "the page needs nothing else: {outside}");
    }
    if chromium::has_chromium() {
        look_at(&dir.path().join("run/report.html"));
    }
}

/// The terminal and the page show what the document holds.
fn figures_agree(stored: &Value, text: &str, page: &str) {
    let response = &stored["latency"]["response"];
    let shown = |name: &str| {
        let value = response[name].as_f64().unwrap_or_else(|| panic!("{name}: {response}"));
        match value {
            small if small < 10.0 => format!("{small:.3}"),
            middle if middle < 100.0 => format!("{middle:.2}"),
            large => format!("{large:.1}"),
        }
    };
    let row = text.lines().find(|line| line.trim_start().starts_with("response ")).expect("a row");
    let on_terminal: Vec<_> = row.split_whitespace().skip(1).map(|cell| cell.trim_end_matches('~')).collect();
    let names = ["min", "mean", "p50", "p90", "p95", "p99", "p999", "max"];
    assert_eq!(on_terminal, names.map(shown), "{text}");
    let all = page.split("<td>all</td>").nth(1).and_then(|rest| rest.split("</tr>").next()).expect("a row");
    for name in names.iter().chain(&["p75"]) {
        let cell = format!("<td>{}</td>", shown(name));
        assert!(all.contains(&cell), "{name} {cell} is not in {all}");
    }
    let throughput = format!("{:.1}", stored["totals"]["throughput"].as_f64().expect("a rate"));
    let started = stored["startedAt"].as_str().expect("a time");
    for part in [&throughput, started] {
        assert!(text.contains(part) && page.contains(part), "{part}: {text}");
    }
    assert!(text.contains(stored["command"].as_str().expect("a command")), "{text}");
}

/// The page in a real browser: curves are drawn, and no script fails.
fn look_at(page: &Path) {
    let rendered = chromium::render(&format!("file://{}", page.display()));
    assert!(rendered.console.is_empty(), "{:?}", rendered.console);
    assert!(rendered.dom.contains("data-ready=\"yes\""), "the script ran to its end");
    for id in ["percentiles", "throughput", "latency"] {
        let chart = rendered.dom.split(&format!("<svg id=\"{id}\"")).nth(1).expect("a chart");
        let chart = chart.split("</svg>").next().unwrap_or_default();
        let curve = chart.split("class=\"curve").nth(1).expect("a curve");
        let path = curve.split("d=\"").nth(1).and_then(|path| path.split('"').next()).unwrap_or_default();
        // A second without neighbours, on a machine that stood still, is a dot.
        let drawn = path.matches(['M', 'L']).count() + chart.matches("<circle class=\"dot").count();
        assert!(drawn >= 2, "{id} has a curve: {path}");
        assert!(!chart.contains("NaN") && !chart.contains("inf"), "{id}: {chart}");
    }
    assert!(rendered.dom.matches("<b class=\"").count() >= 10, "the verification table is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_runs_are_compared_and_different_loads_refused() {
    let (stack, dir) = (Stack::start().await, tempfile::tempdir().expect("a directory"));
    let out = dir.path().join("cmp").display().to_string();
    let side = "-c 2 -n 40 --products 1 --no-verify";
    let made =
        bench(&stack, &["compare", "--a", side, "--b", side, "--runs", "2", "--out", &out, "-o", "json"]);
    let made = json(&made);
    assert_eq!(made["decision"], "undecided", "{made}");
    assert_eq!(made["runs"], serde_json::json!([2, 2]));
    let (a, b) = (format!("{out}/a"), format!("{out}/b"));
    let stored = json(&bench(&stack, &["compare", &a, &b, "-o", "json"]));
    assert_eq!(stored["metrics"], made["metrics"], "what was stored says the same");
    let table = bench(&stack, &["compare", &a, &b]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("cannot decide"), "{table:?}");

    let other = dir.path().join("other").display().to_string();
    bench(&stack, &["-c", "3", "-n", "40", "--products", "1", "--no-verify", "--out", &other]);
    let refused = bench(&stack, &["compare", &a, &other]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(says(&refused, "a had 2 connections, b 3"), "{refused:?}");
    let one = bench(&stack, &["compare", &a]);
    assert!(one.status.code() == Some(2) && says(&one, "name a second directory"), "{one:?}");
    let alone = bench(&stack, &["compare", "--a", side]);
    assert!(alone.status.code() == Some(2) && says(&alone, "--aa"), "{alone:?}");
    let wrong = bench(&stack, &["compare", "--aa", "--a", "--rate fast"]);
    assert!(wrong.status.code() == Some(2) && says(&wrong, "--a:"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_is_found_as_an_interval() {
    let stack = Stack::start().await;
    // Nothing is answered within a microsecond: every rate is missed, down to the slowest.
    let slo = ["saturate", "--slo", "p99<1us", "--from", "4", "--step", "1s", "-o", "json"];
    let output = bench(&stack, &slo);
    let found = json(&output);
    assert_eq!(found["met"], Value::Null);
    // A machine under strain may make the runs invalid; then the search says so and claims nothing.
    match output.status.code() {
        Some(6) => assert_eq!(found["missed"], 1.0, "{found}"),
        Some(8) => assert!(found["invalid"].is_string(), "{found}"),
        other => panic!("{other:?}: {found}"),
    }
    let about = bench(&stack, &["saturate", "--slo", "throughput>5"]);
    assert!(about.status.code() == Some(2) && says(&about, "cannot be searched for"), "{about:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generator_measures_itself() {
    let stack = Stack::start().await;
    let _turn = busy().await;
    let output = bench(&stack, &["calibrate", "--step", "1s", "-c", "8", "-o", "json"]);
    let found = json(&output);
    assert!(output.status.success(), "{output:?}");
    assert!(found["closed"]["throughput"].as_f64().is_some_and(|rate| rate > 50.0), "{found}");
    assert!(found["closed"]["responderCpu"].as_f64().is_some_and(|micros| micros > 0.0), "{found}");
}
