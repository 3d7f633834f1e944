use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changes the mode");
}

fn made(dir: &Path) -> Project {
    let project = Project::new("p".parse().expect("a name"), dir);
    project.prepare().expect("prepared");
    for name in ["data", "logs", "process"] {
        ordersys_supervisor::files::make_private_dir(&project.dir.join(name)).expect("made");
    }
    fs::write(project.dir.join("process/state.json"), "{}").expect("written");
    project
}

/// What is said, and whether it names the path.
fn refused(project: &Project, path: &Path) -> String {
    let error = check_project(project).expect_err("is not believed");
    let (said, hint) = (error.to_string(), error.hint());
    assert!(said.contains(&path.display().to_string()), "{said}");
    assert!(hint.contains(&path.display().to_string()), "{hint}");
    said
}

#[test]
fn modes_that_let_others_in_are_named_with_what_mends_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let project = made(dir.path());
    check_project(&project).expect("as it is made");
    let cases = [
        ("", 0o777, 0o700, "can be changed by others (mode 0777)"),
        ("data", 0o770, 0o700, "can be changed by others (mode 0770)"),
        ("project.json", 0o666, 0o600, "can be changed by others (mode 0666)"),
        ("process/state.json", 0o620, 0o600, "can be changed by others (mode 0620)"),
        ("secrets", 0o755, 0o700, "can be read by others (mode 0755)"),
        ("secrets/admin.token", 0o644, 0o600, "can be read by others (mode 0644)"),
    ];
    for (name, wrong, right, expected) in cases {
        let path = if name.is_empty() { project.dir.clone() } else { project.dir.join(name) };
        chmod(&path, wrong);
        assert!(refused(&project, &path).contains(expected), "{name}");
        chmod(&path, right);
        check_project(&project).expect("mended");
    }
    chmod(dir.path(), 0o777);
    let above = fs::canonicalize(dir.path()).expect("is there");
    assert!(refused(&project, &above).contains("can be changed by others"));
    chmod(dir.path(), 0o1777);
    check_project(&project).expect("as in /tmp");
}

#[test]
fn links_other_kinds_and_short_credentials_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let project = made(dir.path());
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("made");
    for name in ["data", "change.lock", "process/desired.json", "logs/user.log"] {
        let path = project.dir.join(name);
        let _ = fs::remove_dir(&path);
        symlink(&elsewhere, &path).expect("links");
        assert!(refused(&project, &path).contains("is a symbolic link"), "{name}");
        fs::remove_file(&path).expect("removes");
    }
    let record = project.dir.join("stack.json");
    fs::create_dir(&record).expect("made");
    assert!(refused(&project, &record).contains("is no file"));
    fs::remove_dir(&record).expect("removes");
    let admin = project.secrets_dir().join(ADMIN_FILE);
    for short in ["", "x", &"x".repeat(MIN_CREDENTIAL - 1)] {
        fs::write(&admin, short).expect("writes");
        assert!(refused(&project, &admin).contains("shorter than 32"), "{short}");
    }
}

#[test]
fn what_belongs_to_others_is_refused() {
    if us() != ROOT {
        return; // only root gives files away
    }
    let dir = tempfile::tempdir().expect("a directory");
    let project = made(dir.path());
    for name in ["stack.json", "secrets/service.token", "logs", ""] {
        let path = if name.is_empty() { project.dir.clone() } else { project.dir.join(name) };
        if !path.exists() {
            fs::write(&path, "{}").expect("writes");
        }
        std::os::unix::fs::chown(&path, Some(12_345), None).expect("gives away");
        assert!(refused(&project, &path).contains("belongs to user 12345, and this is user 0"), "{name}");
        std::os::unix::fs::chown(&path, Some(ROOT), None).expect("takes back");
    }
}

#[test]
fn credentials_of_a_service_are_for_it_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let place = dir.path().join("secrets");
    fs::create_dir(&place).expect("made");
    for name in [SERVICE_FILE, ADMIN_FILE] {
        fs::write(place.join(name), "x".repeat(MIN_CREDENTIAL)).expect("writes");
        chmod(&place.join(name), 0o644);
    }
    chmod(&place, 0o700);
    check_credentials(&place).expect("no other user gets there");
    chmod(&place, 0o755);
    let said = check_credentials(&place).expect_err("readable").error.to_string();
    assert!(said.contains("service.token can be read by others (mode 0644)"), "{said}");
    for name in [SERVICE_FILE, ADMIN_FILE] {
        chmod(&place.join(name), 0o600);
    }
    check_credentials(&place).expect("mended");
    // As Kubernetes mounts them: each name a link to a file in a directory that is replaced as a whole.
    let first = place.join("..first");
    fs::create_dir(&first).expect("made");
    fs::rename(place.join(ADMIN_FILE), first.join(ADMIN_FILE)).expect("moves");
    symlink("..first/admin.token", place.join(ADMIN_FILE)).expect("links");
    check_credentials(&place).expect("links are fine here");
    fs::write(first.join(ADMIN_FILE), "short").expect("writes");
    assert!(check_credentials(&place).is_err());
}
