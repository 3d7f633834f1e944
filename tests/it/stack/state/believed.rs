//! What is believed of the files in a state directory: what others could have written or read is not.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use ordersys_testkit::command::login::{log_in, register};
use ordersys_testkit::{Project, binary};

use super::{ONE, command_in, pasted, said};

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
    let dir = project.dir();
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
    let mut open = vec![project.dir()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let found = fs::symlink_metadata(&path).expect("is there");
        let wanted = if found.is_dir() { 0o700 } else { 0o600 };
        if found.is_dir() {
            open.extend(fs::read_dir(&path).expect("lists").flatten().map(|entry| entry.path()));
        }
        if !found.file_type().is_socket() {
            assert_eq!(found.mode() & 0o777, wanted, "{}", path.display());
        }
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}
