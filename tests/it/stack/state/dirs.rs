//! State directories through the command line: what is deleted, whose processes are commanded, and what is believed.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use ordersys_testkit::command::engine::{docker, left_of};
use ordersys_testkit::command::login::{log_in, register};
use ordersys_testkit::command::stage::kill;
use ordersys_testkit::{Project, binary, has_engine};
use serde_json::Value;

/// An engine that never answers: `down --all` here must not reach what others run in a real one.
const NO_ENGINE: [&str; 2] = ["--docker-host", "unix:///nowhere/docker.sock"];
/// A quick stack.
const ONE: [&str; 2] = ["--topology", "monolith"];

fn dir(project: &Project) -> PathBuf {
    project.state.path().join(&project.name)
}

/// Runs a line as a person pastes it, with the program of this build.
fn pasted(line: &str) -> Output {
    let line = line.replacen("ordersys ", &format!("{} ", binary().display()), 1);
    Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).output().expect("runs")
}

/// The first command in a hint.
fn command_in(said: &str) -> String {
    let hint = said.split("hint: ").nth(1).unwrap_or_else(|| panic!("no hint: {said}"));
    hint.split('`').nth(1).unwrap_or_else(|| panic!("no command: {hint}")).to_owned()
}

/// Whether a process runs; one that has ended and was not waited for has no words any more.
fn runs(pid: u64) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| !words.is_empty())
}

fn run_on(state: &Path, name: &str, args: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(["--project", name, "-o", "json", "--state-dir"]).arg(state).args(args);
    command.stdin(Stdio::null()).output().expect("runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn down_all_deletes_what_up_made_and_nothing_else() {
    let project = Project::new("process");
    project.up(&ONE).ok();
    project.run(&["down"]).ok();
    let other = project.state.path().join("notours");
    fs::create_dir_all(other.join("data/photos")).expect("made");
    fs::write(other.join("data/photos/one"), "dear").expect("written");
    fs::create_dir(other.join("secrets")).expect("made");
    let of_another = project.state.path().join("copy");
    fs::create_dir_all(of_another.join("data")).expect("made");
    fs::copy(dir(&project).join("project.json"), of_another.join("project.json")).expect("copies");
    let listing = || {
        let mut names: Vec<_> =
            fs::read_dir(&other).expect("lists").flatten().map(|it| it.file_name()).collect();
        names.sort();
        names
    };
    let before = listing();
    let down = project.run(&[&["down", "--all", "--volumes"], &NO_ENGINE[..]].concat());
    assert_eq!(down.code, Some(3), "the engine is not seen: {}", down.said);
    assert!(!dir(&project).exists(), "{}", down.said);
    assert_eq!(fs::read_to_string(other.join("data/photos/one")).expect("is there"), "dear");
    assert!(of_another.join("data").exists());
    assert_eq!(listing(), before, "not even a lock was made");
    for left in [&other, &of_another] {
        assert!(down.said.contains(&format!("left      {}", left.display())), "{}", down.said);
    }
    let alone = run_on(project.state.path(), "notours", &["down", "--volumes"]);
    assert_eq!(alone.status.code(), Some(1), "{}", said(&alone));
    assert!(
        said(&alone).contains("notours is left as it is") && other.join("data").exists(),
        "{}",
        said(&alone)
    );
    let up = run_on(project.state.path(), "notours", &["up", "--runtime", "process", "--port", "auto"]);
    assert_eq!(up.status.code(), Some(3), "{}", said(&up));
    assert_eq!(listing(), before, "and `up` does not make it a project");
}

#[test]
fn down_with_volumes_leaves_nothing_but_what_others_put_there() {
    let project = Project::new("process");
    project.up(&ONE).ok();
    let notes = dir(&project).join("notes.txt");
    fs::write(&notes, "mine").expect("written");
    let down = project.run(&["down", "--volumes"]).ok();
    let left: Vec<_> = fs::read_dir(dir(&project)).expect("lists").flatten().map(|it| it.path()).collect();
    assert_eq!(left, std::slice::from_ref(&notes), "{}", down.said);
    assert!(down.said.contains(&format!("left      {}", notes.display())), "{}", down.said);
    fs::remove_dir_all(dir(&project)).expect("removes");
    project.up(&ONE).ok();
    project.run(&["down", "--volumes"]).ok();
    assert!(!dir(&project).exists());
}

#[test]
fn a_project_from_before_there_were_marks_is_known_by_its_credentials() {
    let project = Project::new("process");
    project.up(&ONE).ok();
    project.run(&["down"]).ok();
    fs::remove_file(dir(&project).join("project.json")).expect("removes");
    project.run(&["down", "--volumes"]).ok();
    assert!(!dir(&project).exists());
}

#[test]
fn a_copy_does_not_command_the_original() {
    let project = Project::new("process");
    project.up(&[]).ok();
    let pids =
        |project: &Project| ["user", "product", "order"].map(|name| project.service(name)["pid"].clone());
    let before = pids(&project);
    assert!(before.iter().all(Value::is_u64), "{before:?}");
    let copied =
        Command::new("cp").arg("-rp").arg(dir(&project)).arg(project.state.path().join("copy")).status();
    assert!(copied.expect("runs").success());
    for (args, code) in [
        (&["status"][..], 4),
        (&["restart", "product"], 4),
        (&["chaos", "kill", "order"], 4),
        (&["chaos", "pause", "order"], 4),
        (&["product", "list"], 4),
        (&["down"], 0),
        (&["down", "--volumes"], 1),
    ] {
        let ended = run_on(project.state.path(), "copy", args);
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {}", said(&ended));
    }
    assert_eq!(pids(&project), before);
    assert_eq!(project.service("order")["state"], "ready");
    // It can become a project of its own, beside the original.
    let up = run_on(project.state.path(), "copy", &["up", "--runtime", "process", "--port", "auto"]);
    assert!(up.status.success(), "{}", said(&up));
    assert_eq!(pids(&project), before);
    let down = run_on(project.state.path(), "copy", &["down", "--volumes"]);
    assert!(down.status.success() && !project.state.path().join("copy").exists(), "{}", said(&down));
    assert_eq!(pids(&project), before);
}

#[test]
fn lock_files_that_were_removed_let_no_second_instance_in() {
    let project = Project::new("process");
    project.up(&ONE).ok();
    let before = project.service("order")["pid"].clone();
    for name in ["process/supervisor.lock", "process/children.lock", "process/apply.lock", "change.lock"] {
        fs::remove_file(dir(&project).join(name)).expect("removes");
    }
    let mut second = Command::new(binary());
    let second = second.arg("supervise").arg("--dir").arg(dir(&project)).output().expect("runs");
    assert!(
        !second.status.success() && said(&second).contains("has a supervisor already"),
        "{}",
        said(&second)
    );
    let service = project.service("order");
    assert_eq!((&service["pid"], service["state"].as_str()), (&before, Some("ready")), "{service}");
    let down = project.run(&["down"]).ok();
    let removed = down.data[0]["removed"].to_string();
    assert!(removed.contains("supervisor") && removed.contains("service all"), "{removed}");
    assert!(!runs(before.as_u64().expect("a pid")), "it has ended");
}

#[test]
fn children_whose_leash_and_record_were_removed_are_found_and_named() {
    let project = Project::new("process");
    project.up(&ONE).ok();
    let pid = project.service("order")["pid"].as_u64().expect("a pid");
    let lock = fs::read(dir(&project).join("process/supervisor.lock")).expect("signed");
    let holder: Value = serde_json::from_slice(&lock).expect("JSON");
    kill(u32::try_from(holder["identity"]["pid"].as_u64().expect("a pid")).expect("a pid"));
    for name in ["process/children.lock", "process/state.json"] {
        fs::remove_file(dir(&project).join(name)).expect("removes");
    }
    let down = project.run(&["down"]).ok();
    let removed = down.data[0]["removed"].to_string();
    assert!(removed.contains(&format!("process {pid}")), "{removed}");
    assert!(!runs(pid), "it has ended");
}

/// Changes something, sees every command refuse it, and mends it by what the hint says.
fn refused_until_mended(project: &Project, path: &Path, wanted: &str) {
    for args in [&["status"][..], &["down"], &["user", "list"], &["up", "--dry-run"]] {
        let refused = project.run(args);
        assert_eq!(refused.code, Some(3), "{args:?}: {}", refused.said);
        let names = refused.said.contains(&path.display().to_string());
        assert!(names && refused.said.contains(wanted), "{args:?}: {}", refused.said);
    }
    let mended = pasted(&command_in(&project.run(&["status"]).said));
    assert!(mended.status.success(), "{}", said(&mended));
    let status = project.run(&["status"]);
    assert_ne!(status.code, Some(3), "{}", status.said);
}

#[test]
fn what_others_could_have_written_is_not_believed() {
    let project = Project::new("process");
    project.up(&ONE).ok();
    project.run(&["down"]).ok();
    let dir = dir(&project);
    let chmod =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changes");
    for (name, mode, wanted) in [
        ("", 0o777, "can be changed by others (mode 0777)"),
        ("data", 0o757, "can be changed by others (mode 0757)"),
        ("secrets/admin.token", 0o644, "can be read by others (mode 0644)"),
        ("process/supervisor.lock", 0o666, "can be changed by others (mode 0666)"),
    ] {
        let path = if name.is_empty() { dir.clone() } else { dir.join(name) };
        chmod(&path, mode);
        refused_until_mended(&project, &path, wanted);
    }
    let elsewhere = project.state.path().join("elsewhere");
    fs::write(&elsewhere, "dear").expect("written");
    let lock = dir.join("change.lock");
    fs::remove_file(&lock).expect("removes");
    symlink(&elsewhere, &lock).expect("links");
    refused_until_mended(&project, &lock, "is a symbolic link");
    assert_eq!(fs::read_to_string(&elsewhere).expect("is there"), "dear");
    let admin = dir.join("secrets/admin.token");
    fs::write(&admin, "x").expect("written");
    refused_until_mended(&project, &admin, "shorter than 32 characters");
    if fs::metadata(&dir).expect("is there").uid() == 0 {
        std::os::unix::fs::chown(dir.join("logs"), Some(12_345), None).expect("gives away");
        refused_until_mended(&project, &dir.join("logs"), "belongs to user 12345, and this is user 0");
    }
    project.up(&ONE).ok();
}

#[test]
fn a_service_does_not_start_with_credentials_that_others_know() {
    let place = tempfile::tempdir().expect("a directory");
    let (secrets, data) = (place.path().join("secrets"), place.path().join("data"));
    fs::create_dir(&secrets).expect("made");
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o755)).expect("changes");
    let write = |name: &str, text: &str, mode| {
        fs::write(secrets.join(name), text).expect("writes");
        fs::set_permissions(secrets.join(name), fs::Permissions::from_mode(mode)).expect("changes");
    };
    let long = "0123456789abcdef".repeat(4);
    for (text, mode, wanted) in [
        (long.as_str(), 0o644, "admin.token can be read by others (mode 0644)"),
        (&long, 0o620, "admin.token can be changed by others (mode 0620)"),
        ("short", 0o600, "admin.token is shorter than 32 characters"),
    ] {
        write("service.token", &long, 0o600);
        write("admin.token", text, mode);
        let mut serve = Command::new(binary());
        serve
            .args(["serve", "user", "--port", "0", "--data-dir"])
            .arg(&data)
            .arg("--secrets-dir")
            .arg(&secrets);
        let refused = serve.stdin(Stdio::null()).output().expect("runs");
        assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
        assert!(said(&refused).contains(wanted), "{}", said(&refused));
        assert!(said(&refused).contains("hint: "), "{}", said(&refused));
    }
}

#[test]
fn everything_is_its_owners_alone_whatever_the_umask() {
    let project = Project::new("process");
    let with_umask = |args: &[&str]| {
        let command = project.command(args);
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "umask 000; exec \"$0\" \"$@\""])
            .arg(command.get_program())
            .args(command.get_args());
        let ended = shell.stdin(Stdio::null()).output().expect("runs");
        assert!(ended.status.success(), "{args:?}: {}", said(&ended));
    };
    with_umask(&project.up_args(&ONE));
    with_umask(&["restart", "order"]);
    register(&project, "bob@example.com");
    log_in(&project, "bob@example.com");
    with_umask(&["logs"]);
    let mut open = vec![dir(&project)];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let found = fs::symlink_metadata(&path).expect("is there");
        let wanted = if found.is_dir() { 0o700 } else { 0o600 };
        if found.is_dir() {
            open.extend(fs::read_dir(&path).expect("lists").flatten().map(|entry| entry.path()));
        }
        if !found.file_type().is_socket_like() {
            assert_eq!(found.mode() & 0o777, wanted, "{}", path.display());
        }
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}

/// What the supervisor has written down may be removed while it runs: nothing is started anew for that.
#[test]
fn up_knows_what_runs_when_the_supervisors_files_are_gone() {
    let project = Project::new("process");
    project.up(&[]).ok();
    let pids = || ["user", "product", "order"].map(|name| project.service(name)["pid"].clone());
    let (before, ports) = (pids(), project.run(&["status"]).ok().data["endpoints"].clone());
    for name in ["supervisor.lock", "state.json"] {
        let file = dir(&project).join("process").join(name);
        fs::remove_file(&file).expect("removes");
        let began = std::time::Instant::now();
        while name == "state.json" && !file.exists() {
            assert!(began.elapsed() < Duration::from_secs(10), "it is not written again");
            std::thread::sleep(Duration::from_millis(5));
        }
        let up = project.up(&[]).ok();
        assert!(up.said.contains("unchanged"), "{name}: {}", up.said);
        let told: Vec<_> =
            up.data["services"].as_array().expect("a list").iter().map(|one| one["pid"].clone()).collect();
        assert_eq!((pids(), told), (before.clone(), before.to_vec()), "{name}");
        assert_eq!(project.run(&["status"]).ok().data["endpoints"], ports, "{name}");
    }
}

/// Volumes of earlier versions do not say from which state directory they were made.
#[test]
fn volumes_without_an_owner_are_neither_taken_over_nor_deleted_from_another_directory() {
    if !has_engine() {
        return;
    }
    let project = Project::new("docker");
    let volume = format!("{}_user-data", project.name);
    let label = format!("ordersys.project={}", project.name);
    let make = || docker(&["volume", "create", "--label", &label, &volume]);
    make();
    std::thread::sleep(Duration::from_millis(1100)); // engines tell the second in which a volume was made
    let up = ["up", "--runtime", "docker", "--port", "auto", "--topology", "monolith"];
    for args in [&up[..], &["up", "--dry-run", "--runtime", "docker"], &up, &["down", "--volumes"]] {
        let refused = project.run(args);
        assert_eq!(refused.code, Some(3), "{args:?}: {}", refused.said);
        for part in [&volume, "earlier version", "--state-dir", &format!("`docker volume rm {volume}`")] {
            assert!(refused.said.contains(part), "{args:?}: no `{part}` in {}", refused.said);
        }
    }
    project.run(&["down"]).ok();
    assert_eq!(left_of(&project.name).len(), 1, "it is still there");
    docker(&["volume", "rm", &volume]);
    // From the directory that was there before them they are known.
    make();
    project.up(&ONE).ok();
    project.run(&["down"]).ok();
    project.up(&ONE).ok();
    project.run(&["down", "--volumes"]).ok();
    assert_eq!(left_of(&project.name), Vec::<String>::new());
}

/// Sockets have no content to be read.
trait SocketLike {
    fn is_socket_like(&self) -> bool;
}

impl SocketLike for fs::FileType {
    fn is_socket_like(&self) -> bool {
        std::os::unix::fs::FileTypeExt::is_socket(self)
    }
}

#[test]
fn containers_of_another_state_directory_are_named_and_not_taken_over() {
    if !has_engine() {
        return;
    }
    let project = Project::new("docker");
    project.up(&ONE).ok();
    let before = project.service("order")["containerId"].clone();
    let other = tempfile::tempdir().expect("a directory");
    let up = ["up", "--runtime", "docker", "--port", "auto", "--topology", "monolith"];
    for args in [&up[..], &["status"], &["down", "--volumes"]] {
        let refused = run_on(other.path(), &project.name, args);
        assert_eq!(refused.status.code(), Some(3), "{args:?}: {}", said(&refused));
        assert!(
            said(&refused).contains(&dir(&project).display().to_string()),
            "{args:?}: {}",
            said(&refused)
        );
        let there = pasted(&command_in(&said(&refused)));
        assert!(there.status.success(), "{}", said(&there));
    }
    assert_eq!(project.service("order")["containerId"], before);
    // Where the directory is gone, what it left can be taken down.
    fs::remove_dir_all(dir(&project)).expect("removes");
    let down = run_on(other.path(), &project.name, &["down", "--volumes"]);
    assert!(down.status.success(), "{}", said(&down));
    assert_eq!(left_of(&project.name), Vec::<String>::new());
}
