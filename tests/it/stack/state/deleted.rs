//! What `down` deletes with the data of a project, and what it leaves.

use std::fs;

use ordersys_testkit::Project;

use super::{ONE, run_on, said};

/// An engine that never answers: `down --all` here must not reach what others run in a real one.
const NO_ENGINE: [&str; 2] = ["--docker-host", "unix:///nowhere/docker.sock"];

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
    fs::copy(project.dir().join("project.json"), of_another.join("project.json")).expect("copies");
    let listing = || {
        let mut names: Vec<_> =
            fs::read_dir(&other).expect("lists").flatten().map(|it| it.file_name()).collect();
        names.sort();
        names
    };
    let before = listing();
    let down = project.run(&[&["down", "--all", "--volumes"], &NO_ENGINE[..]].concat());
    assert_eq!(down.code, Some(3), "the engine is not seen: {}", down.said);
    assert!(!project.dir().exists(), "{}", down.said);
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
    let notes = project.dir().join("notes.txt");
    fs::write(&notes, "mine").expect("written");
    let down = project.run(&["down", "--volumes"]).ok();
    let left: Vec<_> = fs::read_dir(project.dir()).expect("lists").flatten().map(|it| it.path()).collect();
    assert_eq!(left, std::slice::from_ref(&notes), "{}", down.said);
    assert!(down.said.contains(&format!("left      {}", notes.display())), "{}", down.said);
    fs::remove_dir_all(project.dir()).expect("removes");
    project.up(&ONE).ok();
    project.run(&["down", "--volumes"]).ok();
    assert!(!project.dir().exists());
}

#[test]
fn a_project_from_before_there_were_marks_is_known_by_its_credentials() {
    let project = Project::new("process");
    project.up(&ONE).ok();
    project.run(&["down"]).ok();
    fs::remove_file(project.dir().join("project.json")).expect("removes");
    project.run(&["down", "--volumes"]).ok();
    assert!(!project.dir().exists());
}

/// What is deleted need not be readable; what is not is mended, or named with a command that does.
#[test]
fn no_state_file_keeps_a_project_from_going_or_from_being_mended() {
    let files = [
        "accounts.json",
        "stack.json",
        "started.json",
        "program.json",
        "process/desired.json",
        "process/state.json",
    ];
    for content in ["", "{\"cut"] {
        let project = Project::new("process");
        for file in files {
            project.up(&ONE).ok();
            fs::write(project.dir().join(file), content).expect("written");
            for args in [&["product", "list"][..], &["status"], &["user", "logout"]] {
                let ended = project.run(args);
                assert!(
                    ended.code == Some(0) || ended.said.contains("hint: "),
                    "{file}, {args:?}: {}",
                    ended.said
                );
                if ended.said.contains("is damaged") {
                    let mend = super::pasted(&super::command_in(&ended.said));
                    assert!(mend.status.success(), "{file}, {args:?}: {}", said(&mend));
                }
            }
            project.run(&["up"]).ok();
            project.run(&["status"]).ok();
        }
        project.run(&["down"]).ok();
        for file in files {
            let path = project.dir().join(file);
            fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        project.run(&["down", "--volumes"]).ok();
        assert!(!project.dir().exists(), "{content:?}");
    }
}
