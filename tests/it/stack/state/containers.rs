//! Containers and volumes know their state directory: from another one they are neither commanded nor deleted.

use std::fs;
use std::time::Duration;

use ordersys_testkit::command::engine::{docker, left_of};
use ordersys_testkit::{Project, has_engine};

use super::{ONE, command_in, pasted, run_on, said};

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
            said(&refused).contains(&project.dir().display().to_string()),
            "{args:?}: {}",
            said(&refused)
        );
        let there = pasted(&command_in(&said(&refused)));
        assert!(there.status.success(), "{}", said(&there));
    }
    assert_eq!(project.service("order")["containerId"], before);
    // Where the directory is gone, what it left can be taken down.
    fs::remove_dir_all(project.dir()).expect("removes");
    let down = run_on(other.path(), &project.name, &["down", "--volumes"]);
    assert!(down.status.success(), "{}", said(&down));
    assert_eq!(left_of(&project.name), Vec::<String>::new());
}

/// One obstacle is named and does not keep the rest.
#[test]
fn what_holds_a_network_and_a_volume_is_named_and_the_rest_goes() {
    if !has_engine() {
        return;
    }
    let project = Project::new("docker");
    project.up(&ONE).ok();
    let image = docker(&["inspect", "--format", "{{.Config.Image}}", &format!("{}-all-1", project.name)]);
    let holder = format!("{}-holder", project.name);
    let (network, volume) = (format!("{}_backend", project.name), format!("{}_user-data", project.name));
    let mount = format!("{volume}:/held");
    docker(&["run", "-d", "--name", &holder, "--network", &network, "-v", &mount, &image, "respond"]);
    let down = project.run(&["down", "--volumes"]);
    docker(&["rm", "--force", &holder]);
    assert_eq!(down.code, Some(1), "{}", down.said);
    for held in [format!("network {network}"), format!("volume {volume}")] {
        assert!(down.said.contains(&format!("the {held} is in use by {holder}")), "{}", down.said);
    }
    assert!(down.said.contains(&format!("`docker rm --force {holder}`")), "{}", down.said);
    assert_eq!(left_of(&project.name).len(), 2, "all else is gone");
    assert!(!project.dir().join("secrets").exists(), "{}", down.said);
    project.run(&["down", "--volumes"]).ok();
    assert!(left_of(&project.name).is_empty() && !project.dir().exists());
}
