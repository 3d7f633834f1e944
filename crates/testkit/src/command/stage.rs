//! A project for tests of the process runtime: the real supervisor, shell scripts as services, and
//! nothing that stays.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use ordersys_supervisor::{ProcessObserved, ProcessService, ProcessState, Processes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::command::project::supervisor_in;
use crate::{LIMIT, binary};

/// A project of its own; whatever the test does, nothing of it stays.
pub struct Stage {
    /// The state directory of the project `test`.
    pub dir: tempfile::TempDir,
    /// What is tested.
    pub processes: Processes,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage {
    /// A project of which nothing runs.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("directory");
        let project = dir.path().join("test");
        let processes = Processes::new(&project, PathBuf::from("/bin/sh")).supervised_by(binary().to_owned());
        Self { dir, processes }
    }

    /// A service that runs this script; its command line carries the project's directory.
    pub fn service(&self, name: &str, script: &str) -> ProcessService {
        let script = format!("{script}\n# {}", self.dir.path().display());
        ProcessService {
            name: name.to_owned(),
            args: vec!["-c".to_owned(), script],
            ready_urls: Vec::new(),
            spec_hash: "1".to_owned(),
            after: Vec::new(),
        }
    }

    /// A service that runs until it is ended.
    pub fn lasting(&self, name: &str) -> ProcessService {
        self.service(name, "while :; do sleep 0.05; done")
    }

    /// What is seen of the services now, by their names.
    pub fn observed(&self) -> BTreeMap<String, ProcessObserved> {
        let seen = self.processes.observe().expect("observes");
        seen.into_iter().map(|service| (service.name.clone(), service)).collect()
    }

    /// The process of a service that runs.
    pub fn pid(&self, name: &str) -> u32 {
        self.observed()[name].pid.expect("runs")
    }

    /// Waits until what is seen of the services is like this.
    pub async fn until(&self, what: &str, holds: impl Fn(&BTreeMap<String, ProcessObserved>) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !holds(&self.observed()) {
            assert!(Instant::now() < deadline, "never: {what}; {:?}; {}", self.observed(), self.journal());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until these services are ready, and there are no others.
    pub async fn until_ready(&self, names: &[&str]) {
        let ready = |seen: &BTreeMap<String, ProcessObserved>| {
            seen.len() == names.len()
                && names.iter().all(|name| {
                    seen.get(*name)
                        .is_some_and(|service| service.state == ProcessState::Ready && service.pid.is_some())
                })
        };
        self.until("all ready", ready).await;
    }

    /// The end of the supervisor's log.
    pub fn journal(&self) -> String {
        self.processes.last_log_lines("supervisor", 30).join("\n")
    }

    /// The supervisor's process.
    pub fn supervisor(&self) -> u32 {
        supervisor_in(&self.dir.path().join("test"))
    }

    /// Processes that carry this project's directory in their command line.
    pub fn left(&self) -> Vec<String> {
        let mark = self.dir.path().display().to_string();
        let entries = fs::read_dir("/proc").expect("proc").filter_map(Result::ok);
        let lines = entries.filter_map(|entry| {
            let line = fs::read_to_string(entry.path().join("cmdline")).ok()?.replace('\0', " ");
            line.contains(&mark).then(|| format!("{}: {line}", entry.file_name().display()))
        });
        lines.collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let processes = self.processes.clone();
        let ended = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
            runtime.block_on(processes.down())
        });
        let result = ended.join().expect("no panic");
        if !std::thread::panicking() {
            result.expect("down");
            assert_eq!(self.left(), Vec::<String>::new());
        }
    }
}

/// Kills a process, and waits until it is dead: on a busy machine that takes a while.
pub fn kill(pid: u32) {
    let line = format!("/proc/{pid}/cmdline");
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("pid")).expect("pid");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("kills");
    let deadline = Instant::now() + LIMIT;
    while fs::read(&line).is_ok_and(|line| !line.is_empty()) {
        assert!(Instant::now() < deadline, "process {pid:?} does not die");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Answers every request with a status the test sets.
pub async fn answering(status: u16) -> (String, Arc<AtomicU16>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("http://{}/readyz", listener.local_addr().expect("bound"));
    let current = Arc::new(AtomicU16::new(status));
    let answered = Arc::clone(&current);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let status = answered.load(Ordering::SeqCst);
            let _ = stream.read(&mut [0; 1024]).await;
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, current)
}
