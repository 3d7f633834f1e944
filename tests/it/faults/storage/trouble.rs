//! A disk that is full, and a lock that another program holds: told as what they are, and over when they are over.
#![expect(clippy::print_stderr, reason = "says why a test did nothing")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::quiet;

use super::{Service, directory};

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_lock_is_told_as_that_and_waits_do_not_add_up() {
    const CALLS: usize = 9;
    let (_dir, data) = directory();
    let mut service = Service::start("user", &data).await;
    let id = service.write().await.body["id"].as_str().expect("an id").to_owned();
    let script = format!("exec sqlite3 '{}'", service.file("").display());
    let mut other =
        Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let foreign = match &mut other {
        Ok(shell) => shell,
        Err(error) => panic!("no shell: {error}"),
    };
    let mut input = foreign.stdin.take().expect("a pipe");
    let mut output = std::io::BufReader::new(foreign.stdout.take().expect("a pipe"));
    let mut said = String::new();
    std::io::Write::write_all(&mut input, b"BEGIN IMMEDIATE; SELECT 'locked';\n").expect("writes");
    let read = std::io::BufRead::read_line(&mut output, &mut said).expect("reads");
    if read == 0 {
        eprintln!("skipped: the command sqlite3 cannot be started");
        return;
    }
    let turn = quiet().await;
    let calls = (0..CALLS).map(|_| service.write());
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.code(), (503, "storage-busy"), "{}", answer.body);
        assert_eq!(answer.retry_after.as_deref(), Some("1"));
        assert!(answer.took < Duration::from_secs(4), "waits add up: {:?}", answer.took);
    }
    let began = Instant::now();
    assert_eq!(service.write().await.code(), (503, "storage-busy"));
    assert!(
        began.elapsed() < Duration::from_millis(700),
        "the next one does not wait: {:?}",
        began.elapsed()
    );
    drop(turn);
    assert!(service.trouble().await.contains("holds the lock of user.db"), "{}", service.log());
    assert_eq!(service.get(&format!("/users/{id}")).await.status, 200, "reads go on");
    let holder = format!("process {} (sqlite3)", foreign.id());
    service.until_logged(&holder).await;
    drop(input);
    foreign.wait().expect("ends");
    service.until("ready again", |answer| answer.status == 200).await;
    assert_eq!(service.write().await.status, 201);
    assert!(service.is_running());
    service.stop();
}

/// A small file system of its own, until dropped.
struct Small(PathBuf);

impl Small {
    fn mounted(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).expect("a directory");
        let options = format!("size={size},mode=700");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        if mount.as_ref().is_ok_and(|output| output.status.success()) {
            return Some(Self(at.to_owned()));
        }
        eprintln!("skipped: a file system cannot be mounted here: {mount:?}");
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_the_service_goes_on_by_itself_when_there_is_room() {
    let (_dir, data) = directory();
    let Some(small) = Small::mounted(&data, "3m") else { return };
    let mut service = Service::start("user", &data).await;
    let id = service.write().await.body["id"].as_str().expect("an id").to_owned();
    let filler = data.join("filler");
    let fill = || {
        let mut file = fs::File::options().create(true).append(true).open(&filler).expect("opens");
        while std::io::Write::write(&mut file, &[0; 1024]).is_ok_and(|written| written == 1024) {}
    };
    let mut written = 1;
    for _ in 0..2 {
        fill();
        let refused = loop {
            let answer = service.write().await;
            if answer.status != 201 {
                break answer;
            }
            written += 1;
        };
        assert_eq!(refused.code(), (503, "storage-full"), "{}", refused.body);
        assert!(service.trouble().await.contains("no room to write user.db"), "{}", service.log());
        assert_eq!(service.get(&format!("/users/{id}")).await.status, 200, "reads go on");
        for _ in 0..5 {
            assert_eq!(service.write().await.code(), (503, "storage-full"));
        }
        assert_eq!(service.get("/livez").await.status, 200);
        fs::remove_file(&filler).expect("removes");
        service.until("ready again", |answer| answer.status == 200).await;
        assert_eq!(service.write().await.status, 201);
        written += 1;
    }
    let pid = service.child.id();
    assert!(service.is_running(), "{pid} went on through all of it");
    assert_eq!(service.get("/users?limit=1000").await.body.as_array().map(Vec::len), Some(written));
    let log = service.log.clone();
    service.stop();
    let told = fs::read_to_string(log).expect("reads").matches("no room to write user.db").count();
    assert!((2..=6).contains(&told), "{told} times, once for each change");
    drop(small);
}
