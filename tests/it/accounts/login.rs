//! Accounts on the command line: who a command acts as, and what is kept of a login.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::command::login::{PASSWORD, accounts, accounts_file, log_in, register, with_input};
use ordersys_testkit::{Ended, Project, binary};
use serde_json::Value;

/// A stack with one registered user for each address.
fn stack_with(emails: &[&str]) -> Project {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    for email in emails {
        register(&project, email);
    }
    project
}

fn place(project: &Project, more: &[&str]) -> Ended {
    project.run(&[&["order", "place", "--item", "USB-C Hub=1"], more].concat())
}

fn id(ended: &Ended) -> String {
    ended.data["id"].as_str().expect("an id").to_owned()
}

#[test]
fn an_account_orders_and_others_do_not_see_it() {
    let project = stack_with(&["ann@example.com", "bob@example.com"]);
    let anonymous = place(&project, &[]);
    assert_eq!(anonymous.code, Some(2), "{}", anonymous.said);
    assert!(anonymous.said.contains("user login"), "{}", anonymous.said);

    let bob = log_in(&project, "bob@example.com").data["userId"].clone();
    let order = place(&project, &[]).ok();
    assert_eq!(order.data["userId"], bob);
    let order = id(&order);
    assert_eq!(project.run(&["user", "get"]).ok().data["id"], bob);

    log_in(&project, "ann@example.com");
    for command in ["get", "events", "cancel"] {
        let hidden = project.run(&["order", command, &order]);
        assert_eq!(hidden.code, Some(4), "{command}: {}", hidden.said);
        assert!(hidden.said.contains("ann@example.com"), "says who asks: {}", hidden.said);
        let hidden = project.run(&["order", command, &order, "--as", "anyone"]);
        assert_eq!(hidden.code, Some(4), "{command}: {}", hidden.said);
    }
    assert_ne!(place(&project, &["--user", bob.as_str().expect("an id")]).code, Some(0));
    let own = project.run(&["order", "list"]).ok().data;
    assert_eq!(own["orders"], Value::Array(vec![]), "its own, and it has none");
    for who in ["bob@example.com", "admin"] {
        assert_eq!(project.run(&["order", "get", &order, "--as", who]).ok().data["userId"], bob);
    }
    let listed = project.run(&["order", "list", "--as", "bob@example.com"]).ok();
    assert_eq!(listed.data["orders"][0]["id"].as_str(), Some(order.as_str()));
    project.run(&["order", "pay", &order]).ok();
    project.run(&["check"]).ok();

    project.run(&["user", "logout"]).ok();
    project.run(&["order", "get", &order]).ok(); // bob logged in before ann
    project.run(&["user", "logout"]).ok();
    assert_eq!(accounts(&project)["accounts"], Value::Array(vec![]));
    project.run(&["order", "get", &order]).ok(); // no account is logged in: the admin
}

#[test]
fn wrong_passwords_and_unknown_accounts_are_told() {
    let project = stack_with(&["bob@example.com"]);
    for email in ["bob@example.com", "nobody@example.com"] {
        let wrong = with_input(&project, &["user", "login", email, "--password-stdin"], "wrong password\n");
        assert_eq!(wrong.code, Some(1), "{}", wrong.said);
        assert!(wrong.said.contains("(401)") && !wrong.said.contains("wrong password"), "{}", wrong.said);
    }
    for (input, what) in [("", "is missing"), ("\u{0}\n", "password")] {
        let unusable = with_input(&project, &["user", "login", "bob@example.com", "--password-stdin"], input);
        assert!(unusable.code != Some(0) && unusable.said.contains(what), "{}", unusable.said);
    }
    let unknown = place(&project, &["--as", "carol@example.com"]);
    assert_eq!(unknown.code, Some(4), "{}", unknown.said);
    assert!(unknown.said.contains("no account is logged in"), "{}", unknown.said);
    log_in(&project, "bob@example.com");
    let unknown = place(&project, &["--as", "carol@example.com"]);
    assert_eq!(unknown.code, Some(4), "{}", unknown.said);
    assert!(unknown.said.contains("logged in are bob@example.com"), "{}", unknown.said);
    let short = ["user", "create", "--name", "Eve", "--email", "eve@example.com", "--password-stdin"];
    let short = with_input(&project, &short, "short\n");
    assert_eq!(short.code, Some(1), "{}", short.said);
    assert!(short.said.contains("password") && !short.said.contains("short\n"), "{}", short.said);
}

/// Makes the access token of every account one that has run out.
fn expire(project: &Project) {
    let mut stored = accounts(project);
    for account in stored["accounts"].as_array_mut().expect("a list") {
        account["refreshAt"] = "2020-01-01T00:00:00.000Z".into();
        account["accessToken"] = "expired".into();
    }
    fs::write(accounts_file(project), stored.to_string()).expect("writes");
}

#[test]
fn an_expired_token_is_refreshed_by_the_first_command() {
    let project = stack_with(&["bob@example.com"]);
    log_in(&project, "bob@example.com");
    let tokens = |project: &Project| accounts(project)["accounts"][0]["refreshToken"].clone();
    let first = tokens(&project);
    expire(&project);
    place(&project, &[]).ok();
    let second = tokens(&project);
    assert_ne!(second, first, "a refresh token is good for one use");

    expire(&project);
    let children: Vec<_> = (0..6)
        .map(|_| {
            let mut command = project.command(&["user", "get"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs")
        })
        .collect();
    for child in children {
        Ended::wait(child).ok();
    }
    assert_ne!(tokens(&project), second);
    expire(&project);
    place(&project, &[]).ok(); // the session was not taken for a stolen one
}

#[test]
fn what_is_kept_is_private() {
    let project = stack_with(&["bob@example.com"]);
    log_in(&project, "bob@example.com");
    expire(&project);
    project.run(&["user", "get"]).ok();
    let dir = project.state.path().join(&project.name);
    let mode = |path: PathBuf| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(dir.clone()), 0o700);
    for file in ["accounts.json", "accounts.lock", "secrets/admin.token", "secrets/service.token"] {
        assert_eq!(mode(dir.join(file)), 0o600, "{file}");
    }
    project.run(&["down"]).ok();
    project.up(&["--topology", "monolith"]).ok();
    place(&project, &[]).ok(); // the login outlives the stack, as the data does
    project.run(&["down", "--volumes"]).ok();
    assert!(!accounts_file(&project).exists(), "its account is gone");
}

#[test]
fn a_new_password_ends_other_sessions_and_a_disabled_account_does_not_order() {
    let project = stack_with(&["bob@example.com"]);
    log_in(&project, "bob@example.com");
    let passwd = |input: &str| with_input(&project, &["user", "passwd", "--password-stdin"], input);
    let wrong = passwd("not the password\nanother good password\n");
    assert_eq!(wrong.code, Some(1), "{}", wrong.said);
    passwd(&format!("{PASSWORD}\nanother good password\n")).ok();
    place(&project, &[]).ok();
    let old = ["user", "login", "bob@example.com", "--password-stdin"];
    assert_eq!(with_input(&project, &old, &format!("{PASSWORD}\n")).code, Some(1));

    project.run(&["user", "disable", "bob@example.com"]).ok();
    let refused = place(&project, &[]);
    assert_eq!(refused.code, Some(1), "{}", refused.said);
    project.run(&["user", "enable", "bob@example.com"]).ok();
    let reset = ["user", "passwd", "bob@example.com", "--as", "admin", "--password-stdin"];
    with_input(&project, &reset, &format!("{PASSWORD}\n")).ok();
    let over = place(&project, &[]);
    assert_eq!(over.code, Some(1), "{}", over.said);
    assert!(over.said.contains("user login bob@example.com"), "{}", over.said);
    log_in(&project, "bob@example.com");
    place(&project, &[]).ok();
}

/// Answers each request with 404 and returns what it got, until no client calls any more.
fn listening(requests: usize) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let thread = std::thread::spawn(move || {
        let answer = |_| {
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut got = [0; 4096];
            let read = stream.read(&mut got).expect("a request");
            let _ = stream.write_all(b"HTTP/1.1 404 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            String::from_utf8_lossy(&got[..read]).to_lowercase()
        };
        (0..requests).map(answer).collect()
    });
    (url, thread)
}

#[test]
fn credentials_go_to_the_services_they_belong_to_only() {
    let project = stack_with(&["bob@example.com"]);
    log_in(&project, "bob@example.com");
    let order = id(&place(&project, &[]).ok());
    let (url, stranger) = listening(3);
    let get = ["order", "get", &order, "--order-url", &url];
    let asked = project.run(&get);
    assert_ne!(asked.code, Some(0));
    assert!(asked.said.contains("credentials are not sent"), "{}", asked.said);
    assert_ne!(project.run(&["order", "pay", &order, "--order-url", &url]).code, Some(0));
    let token = project.state.path().join("token");
    fs::write(&token, "a-token-of-theirs\n").expect("writes");
    let token = token.to_str().expect("UTF-8");
    assert_ne!(project.run(&[&get[..], &["--token-file", token]].concat()).code, Some(0));
    let got = stranger.join().expect("listens");
    assert!(!got[0].contains("authorization") && !got[1].contains("authorization"), "{got:?}");
    assert!(got[2].contains("authorization: bearer a-token-of-theirs"), "{got:?}");
    let elsewhere = project.run(&["order", "get", &order, "--order-url", &url, "--as", "bob@example.com"]);
    assert_eq!(elsewhere.code, Some(4), "bob is logged in at the project's services: {}", elsewhere.said);

    let empty = project.run(&["order", "list", "--token-file", "/dev/null"]);
    assert_eq!(empty.code, Some(2), "{}", empty.said);
}

/// A real terminal, by way of `script`, shows the prompt and not what is typed.
#[test]
fn the_terminal_does_not_show_a_password() {
    let project = stack_with(&["bob@example.com"]);
    let mut line = vec![binary().display().to_string()];
    let login = project.command(&["user", "login", "bob@example.com"]);
    line.extend(login.get_args().map(|arg| arg.to_str().expect("UTF-8").to_owned()));
    let mut terminal = Command::new("script")
        .args(["-qefc", &line.join(" "), "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`script` is part of every Debian");
    let (mut keyboard, mut screen) =
        (terminal.stdin.take().expect("a pipe"), terminal.stdout.take().expect("a pipe"));
    let mut shown = Vec::new();
    while !shown.ends_with(b": ") {
        let mut byte = [0];
        assert_eq!(screen.read(&mut byte).expect("reads"), 1, "{}", String::from_utf8_lossy(&shown));
        shown.push(byte[0]);
    }
    wait_for_silence(terminal.id());
    keyboard.write_all(format!("{PASSWORD}\n").as_bytes()).expect("types");
    screen.read_to_end(&mut shown).expect("reads");
    assert!(terminal.wait().expect("ends").success(), "{}", String::from_utf8_lossy(&shown));
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains("userId") && !shown.contains(PASSWORD), "{shown}");
}

/// Waits until the terminal that `script` made shows nothing of what is typed: the prompt comes first.
fn wait_for_silence(script: u32) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let is_silent = || {
        let children = fs::read_to_string(format!("/proc/{script}/task/{script}/children")).ok()?;
        let child = children.split_whitespace().next()?;
        let terminal = fs::read_link(format!("/proc/{child}/fd/0")).ok()?;
        let settings = Command::new("stty").arg("-aF").arg(terminal).output().ok()?;
        Some(String::from_utf8_lossy(&settings.stdout).contains(" -echo "))
    };
    while is_silent() != Some(true) {
        assert!(Instant::now() < deadline, "the terminal goes on showing what is typed");
        std::thread::sleep(Duration::from_millis(5));
    }
}
