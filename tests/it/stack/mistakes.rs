//! What a command says, and with which exit code, where something it needs is not there; and what is offered
//! so that mistakes are not made.

use std::process::{Command, Output};

use ordersys_testkit::{Project, binary, has_engine};

fn ordersys(args: &[&str]) -> Output {
    Command::new(binary()).args(args).output().expect("runs")
}

fn hint(said: &str) -> &str {
    said.split("hint: ").nth(1).unwrap_or_else(|| panic!("no hint: {said}"))
}

#[test]
fn without_an_engine_down_all_says_what_it_cannot_know() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    let down = project.run(&["down", "--all", "--docker-host", "unix:///nowhere/docker.sock"]);
    assert_eq!(down.code, Some(3), "{}", down.said);
    assert!(down.said.contains("no Docker engine answers"), "{}", down.said);
    assert!(down.data["projects"][0]["removed"].to_string().contains("service all"), "{}", down.data);
    assert_eq!(project.run(&["status"]).code, Some(4), "its processes are gone all the same");
}

#[test]
fn a_state_directory_that_cannot_be_made_is_named_with_the_flag() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    std::fs::write(&file, "").expect("writes");
    let file = file.to_str().expect("text");
    let output = ordersys(&["up", "--runtime", "process", "--port", "auto", "--state-dir", file]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(file) && hint(&said).contains("--state-dir"), "{said}");
}

#[test]
fn a_program_that_is_not_there_is_named_with_the_flag() {
    let project = Project::new("process");
    let up = project.up(&["--binary", "/nowhere/ordersys"]);
    assert_eq!(up.code, Some(4), "{}", up.said);
    assert!(up.said.contains("/nowhere/ordersys") && hint(&up.said).contains("--binary"), "{}", up.said);
}

#[test]
fn the_services_there_are_are_named_where_another_one_is_asked_for() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    let logs = project.run(&["logs", "prodct"]);
    assert_eq!(logs.code, Some(2), "{}", logs.said);
    assert!(logs.said.contains("`prodct`") && hint(&logs.said).contains("product"), "{}", logs.said);
}

#[test]
fn refused_orders_and_steps_are_named_as_people_name_them_with_what_to_do_next() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    let buyer = ["user", "create", "--name", "Ann", "--email", "ann@example.com"];
    project.run(&buyer).ok();
    let place = |item| project.run(&["order", "place", "--user", "ann@example.com", "--item", item]);
    let short = place("usb-c hub=201");
    assert_eq!(short.code, Some(1), "{}", short.said);
    let told = hint(&short.said);
    assert!(told.contains("\"USB-C Hub\", 201 asked, 200 there"), "{told}");
    assert!(told.contains("ordersys product restock"), "{told}");

    let order = place("usb-c hub=1").ok().data["id"].as_str().expect("an id").to_owned();
    project.run(&["order", "cancel", &order]).ok();
    let paid = project.run(&["order", "pay", &order]);
    assert_eq!(paid.code, Some(1), "{}", paid.said);
    assert!(paid.said.contains("cancelled"), "{}", paid.said);
    assert!(hint(&paid.said).contains(&format!("ordersys order events {order}")), "{}", paid.said);

    let unknown = uuid::Uuid::new_v4().to_string();
    for command in ["get", "events", "cancel"] {
        let read = project.run(&["order", command, &unknown]);
        assert_eq!(read.code, Some(4), "{}", read.said);
        let told = hint(&read.said);
        assert!(told.contains(&unknown) && told.contains("ordersys order list"), "{told}");
    }
    let priced = project.run(&["product", "create", "--name", "Thing", "--price", "-3"]);
    assert_eq!(priced.code, Some(2), "{}", priced.said);
    assert!(priced.said.contains("'-3' for '--price"), "{}", priced.said);
}

#[test]
fn completions_offer_what_people_use() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = ordersys(&["completions", shell]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for offered in ["saturate", "docker-host", "restart", "--version"] {
            let offered = if shell == "fish" { offered.trim_start_matches("--") } else { offered };
            assert!(text.contains(offered), "{shell} does not offer {offered}");
        }
        for hidden in
            ["crash-container", "crash__container", "supervise", "ordersys,respond", "bench,responder"]
        {
            assert!(!text.contains(hidden), "{shell} offers {hidden}");
        }
    }
}

#[test]
fn the_memory_of_services_is_shown_wherever_they_run() {
    for runtime in if has_engine() { &["process", "docker"][..] } else { &["process"] } {
        let project = Project::new(runtime);
        let up = project.up(&["--topology", "monolith"]).ok();
        for shown in [up.data, project.run(&["status"]).data] {
            let memory = shown["services"][0]["memoryBytes"].as_u64();
            assert!(memory > Some(1_000_000), "{runtime}: {shown:#}");
        }
    }
}
