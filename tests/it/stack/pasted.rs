//! What a command names as the next step works when it is pasted: it means the same project and state directory, and
//! nothing in it has to be filled in.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output, Stdio};

use ordersys_testkit::command::login::{PASSWORD, register, with_input};
use ordersys_testkit::{Ended, Project, binary};

/// The commands of this program that a text names: whole `next:` lines, and what hints have between backticks.
fn commands_in(said: &str) -> Vec<String> {
    let next = said.lines().filter_map(|line| line.strip_prefix("next: "));
    let hints = said.split("hint: ").skip(1).flat_map(|hint| hint.split('`').skip(1).step_by(2));
    next.chain(hints).filter(|text| text.starts_with("ordersys ")).map(str::to_owned).collect()
}

/// Commands are pasted into a shell. One that starts a stack only says what it would do, and one that reads a
/// password gets none.
fn paste(line: &str) -> Output {
    let line = line.replacen("ordersys", &binary().display().to_string(), 1);
    let line = if line.contains(" up") { format!("{line} --dry-run") } else { line };
    Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).output().expect("runs")
}

struct Collected<'a> {
    project: &'a Project,
    commands: BTreeSet<String>,
}

impl Collected<'_> {
    /// Notes what is said next; there has to be something.
    fn note(&mut self, what: &str, ended: &Ended) {
        let found = commands_in(&ended.said);
        assert!(!found.is_empty(), "{what} names no command: {}", ended.said);
        let state = self.project.state.path().display().to_string();
        for command in found {
            let names = [format!("--project {}", self.project.name), format!("--state-dir {state}")];
            assert!(names.iter().all(|name| command.contains(name)), "{what}: `{command}`");
            self.commands.insert(command);
        }
    }

    fn run(&mut self, args: &[&str]) -> Ended {
        let ended = self.project.run(args);
        self.note(&args.join(" "), &ended);
        ended
    }
}

#[test]
fn every_command_that_is_named_works_when_pasted() {
    let project = Project::new("process");
    let mut seen = Collected { project: &project, commands: BTreeSet::new() };
    seen.run(&["status"]);
    let up = project.up(&["--topology", "monolith"]).ok();
    seen.note("up", &up);
    seen.run(&["doctor"]);
    seen.run(&["seed", "--users", "1", "--products", "1"]).ok();
    let guest = seen.run(&["user", "create", "--name", "G", "--email", "guest@example.com"]).ok();
    let guest = guest.data["id"].as_str().expect("an id").to_owned();
    seen.note("register", &register(&project, "o'brien@example.com"));
    let wrong = ["user", "login", "nobody@example.com", "--password-stdin"];
    seen.note("login", &with_input(&project, &wrong, &format!("{PASSWORD}\n")));

    let placed = seen.run(&["order", "place", "--user", &guest, "--item", "USB-C Hub=1"]).ok();
    let order = placed.data["id"].as_str().expect("an id").to_owned();
    seen.run(&["order", "place", "--user", &guest, "--item", "USB-C Hub=9999"]);
    seen.run(&["order", "place", "--user", "xxxxxxxxxx@yyyyyyyyyyyy.zz", "--item", "USB-C Hub=1"]);
    seen.run(&["order", "place", "--user", &guest, "--item", "no such thing=1"]);
    project.run(&["order", "cancel", &order]).ok();
    seen.run(&["order", "pay", &order]);
    seen.run(&["order", "get", &guest]);
    seen.run(&["order", "list", "--as", "none@example.com"]);
    seen.run(&["user", "get", "nothing"]);
    seen.run(&["trace", &guest]);
    seen.run(&["chaos", "partition", "order"]);
    seen.run(&["restart"]).ok();
    seen.run(&["chaos", "pause", "order"]).ok();
    seen.run(&["product", "list"]);
    project.run(&["chaos", "resume", "order"]).ok();
    seen.run(&["stop"]).ok();
    seen.run(&["product", "list"]);
    project.run(&["start"]).ok();
    let record = project.dir().join("stack.json");
    let kept = fs::read(&record).expect("reads");
    fs::write(&record, "{").expect("writes");
    seen.run(&["product", "list"]);
    fs::write(&record, kept).expect("writes");

    assert!(seen.commands.len() >= 15, "{:#?}", seen.commands);
    for command in &seen.commands {
        let output = paste(command);
        let said = String::from_utf8_lossy(&output.stderr);
        let asks = said.contains("there is no terminal to ask for the password");
        assert!(output.status.success() || asks, "`{command}`: {said}");
    }
    let mut ended = Collected { project: &project, commands: BTreeSet::new() };
    ended.run(&["down"]).ok();
    ended.run(&["product", "list"]);
    ended.commands.iter().for_each(|command| assert!(paste(command).status.success(), "{command}"));
}

/// A command that was sent to services elsewhere goes on with them.
#[test]
fn services_and_callers_that_were_named_are_named_again() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    let url = project.service("order")["url"].as_str().expect("a URL").to_owned();
    let user = project.service("user")["url"].as_str().expect("a URL").to_owned();
    let get = ["order", "get", "7f1d0b5e-0000-4000-8000-000000000000", "--as", "anyone"];
    let ended = project.run(&[&get[..], &["--order-url", &url, "--user-url", &user]].concat());
    let list = commands_in(&ended.said).pop().expect("a command");
    for flag in [format!("--order-url {url}"), format!("--user-url {user}"), "--as anyone".to_owned()] {
        assert!(list.contains(&flag), "{list}");
    }
}
