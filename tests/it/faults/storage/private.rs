//! Data belongs to one user, and is used by one process at a time.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Service, directory, file, refused};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused_whatever_became_of_the_lock_file() {
    let (dir, data) = directory();
    let first = Service::start("user", &data).await;
    let holder = format!("in use by process {}", first.child.id());
    refused("user", &data, &[&holder, "stop process"]);
    fs::remove_file(data.join("user/lock")).expect("removes");
    refused("user", &data, &["in use by another instance", "stop the other instance"]);
    fs::write(data.join("user/lock"), "1\n").expect("writes");
    refused("user", &data, &["in use by process 1"]);

    // The same database by another name.
    let other = dir.path().join("other");
    fs::create_dir_all(other.join("user")).expect("makes");
    fs::hard_link(first.file(""), file("user", &other, "")).expect("links");
    refused("user", &other, &["in use by another instance"]);
    assert_eq!(first.write().await.status, 201);
    first.stop();
}

fn modes(dir: &Path) -> Vec<(String, u32)> {
    let mut all = vec![(dir.display().to_string(), dir.metadata().expect("is there").mode() & 0o777)];
    for entry in fs::read_dir(dir).expect("reads").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            all.extend(modes(&entry));
        } else if let Ok(metadata) = entry.metadata() {
            all.push((entry.display().to_string(), metadata.mode() & 0o777));
        }
    }
    all
}

#[track_caller]
fn assert_private(data: &Path) {
    for (path, mode) in modes(data) {
        let wanted = if Path::new(&path).is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{path} is {mode:o}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_is_its_owners_alone_whatever_the_umask() {
    for umask in ["000", "022", "077"] {
        let (_dir, data) = directory();
        let under = |command: Command| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"]);
            shell.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
            shell
        };
        let service = Service::start_by("user", &data, under).await;
        assert_eq!(service.write().await.status, 201);
        assert_private(&data);
        service.stop();
        assert_private(&data);

        // What was open to others before is closed.
        let own = data.join("user");
        fs::set_permissions(&own, Permissions::from_mode(0o755)).expect("opens");
        for entry in fs::read_dir(&own).expect("reads") {
            let path = entry.expect("an entry").path();
            fs::set_permissions(path, Permissions::from_mode(0o666)).expect("opens");
        }
        let service = Service::start_by("user", &data, under).await;
        assert_private(&data);
        service.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let (_dir, data) = directory();
    Service::start("user", &data).await.stop();
    for name in ["user.db", "identity", "."] {
        let path = data.join("user").join(name);
        std::os::unix::fs::chown(&path, Some(4321), None).expect("gives away");
        refused("user", &data, &["belongs to user 4321", "this process runs as user 0", "chown -R 0"]);
        std::os::unix::fs::chown(&path, Some(0), None).expect("takes back");
    }
    Service::start("user", &data).await.stop();
}
