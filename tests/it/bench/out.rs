//! `--out`: a directory holds one run or none, and what is wrong with it is said before anything is loaded.

use ordersys_contract::TestData;
use ordersys_contract::client::UserFilter;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ordersys_testkit::{Stack, binary};

/// Runs `ordersys bench` as the admin of a stack, in a directory.
fn bench(stack: &Stack, dir: &Path, args: &[&str]) -> Output {
    let (urls, token) = (&stack.endpoints, dir.join("token"));
    fs::write(&token, stack.admin().credential().expect("a credential").expose()).expect("writes");
    let mut command = Command::new(binary());
    command.args(["--state-dir", "state", "--token-file", "token"]).current_dir(dir);
    command.args(["--user-url", &urls.user, "--product-url", &urls.product, "--order-url", &urls.order]);
    command.arg("bench").args(args).output().expect("runs")
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("reads").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_holds_the_files_of_one_run() {
    let (stack, dir) = (Stack::start().await, tempfile::tempdir().expect("a directory"));
    let (dir, run) = (dir.path(), dir.path().join("run"));
    let load = |more: &[&str]| {
        bench(&stack, dir, &[&["-n", "40", "-c", "2", "--no-verify", "--products", "2"], more].concat())
    };
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let mixed = load(&["--mix", "order:1,read:1", "--out", "run"]);
    assert!(
        said(&mixed).trim_end().lines().any(|line| line == "report: run/report.html"),
        "{}",
        said(&mixed)
    );
    fs::write(run.join("notes.txt"), "mine").expect("writes");
    assert!(names(&run).contains(&"endpoint-read.hgrm".to_owned()));
    let before = (names(&run), fs::read(run.join("result.json")).expect("is there"));

    let all = UserFilter { test: TestData::Include, ..UserFilter::default() };
    let users = stack.admin().users(&all).await.expect("lists").items.len();
    let refused = load(&["--out", "run"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(
        said(&refused).contains("an earlier run") && said(&refused).contains("--force"),
        "{}",
        said(&refused)
    );
    fs::write(dir.join("t.sh"), "#!/bin/sh").expect("writes");
    let file = load(&["--out", "t.sh"]);
    assert_eq!(file.status.code(), Some(2), "{}", said(&file));
    assert!(said(&file).contains("t.sh is a file; --out takes a directory"), "{}", said(&file));
    assert_eq!(
        stack.admin().users(&all).await.expect("lists").items.len(),
        users,
        "nothing was made for them"
    );
    assert_eq!((names(&run), fs::read(run.join("result.json")).expect("is there")), before);

    load(&["--out", "run", "--force"]);
    assert!(!names(&run).contains(&"endpoint-read.hgrm".to_owned()), "{:?}", names(&run));
    assert!(names(&run).contains(&"notes.txt".to_owned()), "what is not ours stays");
    assert_ne!(fs::read(run.join("result.json")).expect("is there"), before.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_keeps_its_runs_its_result_and_its_page() {
    let (stack, dir) = (Stack::start().await, tempfile::tempdir().expect("a directory"));
    let (dir, out) = (dir.path(), dir.path().join("cmp"));
    let compare = |runs: &str, more: &[&str]| {
        let own = ["compare", "--a", "-c 2", "--b", "-c 2", "--runs", runs, "--out", "cmp"];
        let both = ["--", "-n", "30", "--products", "2", "--no-verify"];
        bench(&stack, dir, &[&own[..], more, &both].concat())
    };
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let first = compare("2", &[]);
    assert!(first.status.success(), "{}", said(&first));
    assert!(said(&first).contains("run 1 of 4: a  ") && said(&first).contains(" p99 "), "{}", said(&first));
    assert!(said(&first).contains("report: cmp/compare.html"), "{}", said(&first));
    assert_eq!(
        (names(&out), names(&out.join("b"))),
        (words("a b compare.html compare.json"), words("01 02"))
    );
    let page = fs::read_to_string(out.join("compare.html")).expect("is there");
    assert!(page.contains("cannot decide") && page.contains("throughput /s"), "{page}");
    assert_eq!(compare("1", &[]).status.code(), Some(2), "it is used");
    assert!(compare("1", &["--force"]).status.success());
    assert_eq!(names(&out.join("b")), ["01"], "no run of the comparison before");
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}
