//! Nothing secret is where others look: not in what the engine tells, the environment and command lines
//! of processes, logs, `status`, errors, nor in any file but those that are there to hold it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ordersys_testkit::command::login::{PASSWORD, accounts, log_in, register, with_input};
use ordersys_testkit::{Project, has_engine};

/// Files that are there to hold secrets, below a project's directory.
const HOLDERS: [&str; 3] = ["secrets", "accounts.json", "data/user/keys.json"];

/// A name for messages, and the bytes that must not be visible.
type Secret = (String, Vec<u8>);

#[test]
fn no_secret_is_visible() {
    for runtime in if has_engine() { &["process", "docker"][..] } else { &["process"] } {
        let project = Project::new(runtime);
        let mut said = vec![project.up(&["--log", "debug"]).ok()];
        register(&project, "bob@example.com");
        said.push(log_in(&project, "bob@example.com"));
        let first_login = secrets(&project);
        let order = project.run(&["order", "place", "--item", "USB-C Hub=1"]).ok();
        let order_id = order.data["id"].as_str().expect("an id").to_owned();
        said.push(order);
        let wrong = format!("{PASSWORD}?\n");
        said.push(with_input(&project, &["user", "login", "bob@example.com", "--password-stdin"], &wrong));
        said.push(project.run(&["order", "pay", "no-such-order"]));
        said.push(project.run(&["order", "get", "01a20640-248e-77ef-9e39-680347842ebc"]));
        log_in(&project, "bob@example.com");
        let secrets = [first_login, secrets(&project)].concat();
        let names: BTreeSet<_> = secrets.iter().map(|(name, _)| name.as_str()).collect();
        let all = ["accessToken", "admin.token", "password", "refreshToken", "service.token", "signing key"];
        assert_eq!(names, all.into());

        let plants = Plants::new(&project);
        let mut places = seen_by_all(&project);
        plants.are_in(&places);
        let logs = places.iter().find(|(place, _)| place == r#"["logs"]"#).expect("is looked at");
        assert!(contains(&logs.1, order_id.as_bytes()), "{runtime}: the logs are those of what was done");
        drop(plants);
        for ended in said {
            places.push(("an answer".to_owned(), ended.data.to_string().into_bytes()));
            places.push(("a message".to_owned(), ended.said.into_bytes()));
        }
        for (name, secret) in &secrets {
            for (place, bytes) in &places {
                assert!(!contains(bytes, secret), "{runtime}: {name} is in {place}");
            }
        }
        assert!(
            places.iter().any(|(_, bytes)| contains(bytes, project.name.as_bytes())),
            "it looks at something"
        );
    }
}

/// Texts put where secrets must not be, as a mistake would do: the search has to find each of them.
struct Plants {
    /// Where, and the text.
    texts: Vec<(&'static str, String)>,
    process: Child,
    file: PathBuf,
}

impl Plants {
    fn new(project: &Project) -> Self {
        let text = || uuid::Uuid::new_v4().simple().to_string();
        let [argument, variable, content, label] = [text(), text(), text(), text()];
        let mut process = Command::new("sh");
        process.args(["-c", "read _", &argument]).env("PLANTED", &variable).stdin(Stdio::piped());
        let process = process.spawn().expect("starts");
        let file = project.state.path().join(&project.name).join("planted");
        fs::write(&file, &content).expect("writes");
        let mut texts = vec![("/cmdline", argument), ("/environ", variable), ("/planted", content)];
        if project.runtime == "docker" {
            let labels = [format!("ordersys.project={}", project.name), format!("planted={label}")];
            let name = format!("{}-planted", project.name);
            docker(&["network", "create", "--label", &labels[0], "--label", &labels[1], &name]);
            texts.push(("docker network inspect", label));
        }
        Self { texts, process, file }
    }

    fn are_in(&self, places: &[(String, Vec<u8>)]) {
        for (at, text) in &self.texts {
            let found = places.iter().filter(|(_, bytes)| contains(bytes, text.as_bytes()));
            let found: Vec<_> = found.map(|(place, _)| place).collect();
            assert!(found.iter().any(|place| place.ends_with(at)), "{text} is at {at}, seen in {found:?}");
        }
    }
}

impl Drop for Plants {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.file); // the network goes with the project
    }
}

/// The project's secrets as they are now.
fn secrets(project: &Project) -> Vec<Secret> {
    let dir = project.state.path().join(&project.name).join("secrets");
    let credential =
        |name: &str| (name.to_owned(), fs::read(dir.join(name)).expect("reads").trim_ascii().to_vec());
    let mut secrets = vec![credential("admin.token"), credential("service.token")];
    secrets.push(("password".to_owned(), PASSWORD.into()));
    let keys = signing_keys(project);
    let seeds = keys.split("\"seed\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    secrets.extend(seeds.map(|seed| ("signing key".to_owned(), seed.into())));
    for account in accounts(project)["accounts"].as_array().expect("a list") {
        for token in ["accessToken", "refreshToken"] {
            secrets.push((token.to_owned(), account[token].as_str().expect("a token").into()));
        }
    }
    secrets
}

/// The file of the user service's keys, in Docker within a tar.
fn signing_keys(project: &Project) -> String {
    let bytes = if project.runtime == "docker" {
        let user = format!("label=ordersys.project={}", project.name);
        let id = docker(&["ps", "-q", "--filter", &user, "--filter", "label=ordersys.service=user"]);
        let id = String::from_utf8_lossy(&id).trim().to_owned();
        docker(&["cp", &format!("{id}:/data/user/keys.json"), "-"])
    } else {
        let dir = project.state.path().join(&project.name);
        fs::read(dir.join("data/user/keys.json")).expect("reads")
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

fn docker(args: &[&str]) -> Vec<u8> {
    Command::new("docker").args(args).output().expect("runs").stdout
}

/// Everything that others can see.
fn seen_by_all(project: &Project) -> Vec<(String, Vec<u8>)> {
    let mut places = Vec::new();
    for args in
        [&["status"][..], &["status", "-o", "table"], &["logs"], &["logs", "-o", "table"], &["doctor"]]
    {
        let output = project.command(args).output().expect("runs");
        places.push((format!("{args:?}"), [output.stdout, output.stderr].concat()));
    }
    for process in fs::read_dir("/proc").expect("proc").filter_map(Result::ok) {
        for file in ["cmdline", "environ"] {
            let path = process.path().join(file);
            places.extend(fs::read(&path).ok().map(|bytes| (path.display().to_string(), bytes)));
        }
    }
    let dir = project.state.path().join(&project.name);
    let holders = HOLDERS.map(|name| dir.join(name));
    files(&dir, &mut |path| {
        if !holders.iter().any(|holder| path.starts_with(holder)) {
            places.push((path.display().to_string(), fs::read(&path).unwrap_or_default()));
        }
    });
    if project.runtime == "docker" {
        places.extend(inspected(project));
    }
    places
}

fn files(dir: &Path, found: &mut impl FnMut(PathBuf)) {
    for entry in fs::read_dir(dir).expect("a directory").filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files(&entry.path(), found);
        } else {
            found(entry.path());
        }
    }
}

/// What the engine tells about all that is the project's.
fn inspected(project: &Project) -> Vec<(String, Vec<u8>)> {
    let filter = format!("label=ordersys.project={}", project.name);
    let kinds = [("container", &["-aq"][..]), ("volume", &["-q"]), ("network", &["-q"])];
    let told = kinds.into_iter().map(|(kind, quiet)| {
        let ids = docker(&[&[kind, "ls", "--filter", &filter], quiet].concat());
        let ids = String::from_utf8_lossy(&ids).into_owned();
        assert!(!ids.trim().is_empty(), "the project has a {kind}");
        let inspect: Vec<_> = [kind, "inspect"].into_iter().chain(ids.split_whitespace()).collect();
        (format!("docker {kind} inspect"), docker(&inspect))
    });
    told.collect()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
