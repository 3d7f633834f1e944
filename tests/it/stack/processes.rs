//! The process runtime with the real supervisor and small shell scripts as services: what it
//! promises when things are changed, killed and raced.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ordersys_supervisor::{ProcessObserved, ProcessState, Processes, Signal};
use ordersys_testkit::command::stage::{Stage, answering, kill};
use ordersys_testkit::{LIMIT, binary, quiet};

#[tokio::test]
async fn a_list_is_run_kept_changed_and_ended() {
    let stage = Stage::new();
    let list = vec![stage.lasting("a"), stage.lasting("b"), stage.lasting("c")];
    stage.processes.apply(list.clone()).await.expect("applies");
    stage.until_ready(&["a", "b", "c"]).await;
    let before = stage.observed();
    let hash = ordersys_supervisor::binary_hash(&PathBuf::from("/bin/sh")).expect("hashes");
    assert!(before.values().all(|service| service.binary_hash == hash && service.memory_bytes > Some(0)));

    stage.processes.apply(list.clone()).await.expect("applies");
    let pids = |seen: &BTreeMap<String, ProcessObserved>| -> Vec<_> {
        seen.values().map(|service| (service.name.clone(), service.pid)).collect()
    };
    assert_eq!(pids(&stage.observed()), pids(&before), "the same list changes nothing");

    let mut changed = list.clone();
    changed.remove(2);
    changed[1].spec_hash = "2".to_owned();
    stage.processes.apply(changed).await.expect("applies");
    stage.until_ready(&["a", "b"]).await;
    let after = stage.observed();
    assert_eq!(after["a"].pid, before["a"].pid, "an unchanged service is not touched");
    assert_ne!(after["b"].pid, before["b"].pid, "a changed one starts anew");
    assert_eq!((after["b"].spec_hash.as_str(), after["b"].restarts), ("2", 0));
    let gone = before["c"].pid.expect("ran");
    assert!(!PathBuf::from(format!("/proc/{gone}")).exists(), "one that is not listed is gone on return");

    stage.processes.down().await.expect("down");
    assert_eq!(stage.left(), Vec::<String>::new());
    assert!(stage.observed().is_empty());
    stage.processes.down().await.expect("a second time too");
}

#[tokio::test]
async fn a_service_waits_for_what_it_needs() {
    let stage = Stage::new();
    let (url, status) = answering(503).await;
    let mut first = stage.lasting("first");
    first.ready_urls = vec![url];
    let mut second = stage.lasting("second");
    second.after = vec!["first".to_owned()];
    stage.processes.apply(vec![second, first]).await.expect("applies");
    stage.until("first runs", |seen| seen["first"].pid.is_some()).await;
    for _ in 0..20 {
        let seen = stage.observed();
        assert_eq!((seen["first"].state, seen["second"].pid), (ProcessState::Starting, None));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    status.store(200, Ordering::SeqCst);
    stage.until_ready(&["first", "second"]).await;
    status.store(503, Ordering::SeqCst);
    stage.until("noticed", |seen| seen["first"].state == ProcessState::Unready).await;
    assert_eq!(stage.observed()["second"].state, ProcessState::Ready, "what runs goes on");
    status.store(200, Ordering::SeqCst);
    stage.until_ready(&["first", "second"]).await;
    assert_eq!(stage.observed()["first"].restarts, 0);
}

#[tokio::test]
async fn a_killed_service_comes_back() {
    let stage = Stage::new();
    stage.processes.apply(vec![stage.lasting("a"), stage.lasting("b")]).await.expect("applies");
    stage.until_ready(&["a", "b"]).await;
    let before = stage.observed();
    let killed = stage.processes.signal("a", Signal::Kill).expect("signals");
    assert_eq!(killed, before["a"].pid);
    stage.until("restarted", |seen| seen["a"].restarts == 1 && seen["a"].pid.is_some()).await;
    stage.until_ready(&["a", "b"]).await;
    let after = stage.observed();
    assert_ne!(after["a"].pid, before["a"].pid);
    assert_eq!(after["a"].last_exit.as_deref(), Some("signal 9"));
    assert_eq!((after["b"].pid, after["b"].restarts), (before["b"].pid, 0));
    assert_eq!(stage.processes.signal("none", Signal::Kill).expect("no such service"), None);
}

#[tokio::test]
async fn a_crash_loop_is_called_so_and_its_output_is_kept() {
    let stage = Stage::new();
    let failing = stage.service("failing", "echo to stdout; echo to stderr >&2; exit 3");
    stage.processes.apply(vec![failing]).await.expect("applies");
    stage.until("crash loop", |seen| seen["failing"].state == ProcessState::CrashLoop).await;
    let seen = stage.observed();
    assert_eq!((seen["failing"].restarts, seen["failing"].pid), (4, None));
    assert_eq!(seen["failing"].last_exit.as_deref(), Some("exit code 3"));
    assert_eq!(stage.processes.last_log_lines("failing", 2), ["to stdout", "to stderr"]);
    let _turn = quiet().await;
    let started = Instant::now();
    stage.processes.down().await.expect("down");
    assert!(started.elapsed() < Duration::from_secs(5), "the pause of a crash loop is not waited for");
}

#[tokio::test]
async fn a_program_that_is_missing_is_an_error_and_one_that_vanishes_a_crash() {
    let stage = Stage::new();
    let program = stage.dir.path().join("sh");
    let ordersys = binary().to_owned();
    let processes = Processes::new(&stage.dir.path().join("test"), program.clone()).supervised_by(ordersys);
    let error = processes.apply(vec![stage.lasting("a")]).await.expect_err("missing").to_string();
    assert_eq!(error, format!("cannot run {}", program.display()));
    fs::copy("/bin/sh", &program).expect("copies");
    processes.apply(vec![stage.lasting("a")]).await.expect("applies");
    stage.until_ready(&["a"]).await;
    fs::remove_file(&program).expect("removes");
    stage.processes.signal("a", Signal::Kill).expect("signals");
    stage
        .until("cannot start", |seen| {
            seen["a"].last_exit.as_ref().is_some_and(|why| why.contains("cannot start"))
        })
        .await;
}

#[tokio::test]
async fn children_of_a_killed_supervisor_are_replaced_by_the_next_apply() {
    let stage = Stage::new();
    let list = vec![stage.lasting("a"), stage.lasting("b")];
    stage.processes.apply(list.clone()).await.expect("applies");
    stage.until_ready(&["a", "b"]).await;
    let before = stage.observed();
    let supervisor = stage.supervisor();
    kill(supervisor);
    stage.until("seen", |seen| seen["a"].state == ProcessState::Unwatched).await;
    assert_eq!(stage.pid("a"), before["a"].pid.expect("ran"), "they outlive it");
    stage.processes.apply(list).await.expect("applies");
    stage.until_ready(&["a", "b"]).await;
    assert_ne!(stage.supervisor(), supervisor);
    for (name, service) in stage.observed() {
        assert_ne!(service.pid, before[&name].pid, "an unwatched process is not kept");
    }
    assert_eq!(stage.left().len(), 3, "a supervisor and two services: {:?}", stage.left());
}

#[tokio::test]
async fn unrecorded_children_are_found_and_ended() {
    let stage = Stage::new();
    stage.processes.apply(vec![stage.lasting("a"), stage.lasting("b")]).await.expect("applies");
    stage.until_ready(&["a", "b"]).await;
    kill(stage.supervisor());
    fs::remove_file(stage.dir.path().join("test/process/state.json")).expect("forgets the children");
    stage.until("unknown", BTreeMap::is_empty).await;
    assert_eq!(stage.left().iter().filter(|line| !line.contains("supervise")).count(), 2);
    stage.processes.down().await.expect("down");
    assert_eq!(stage.left(), Vec::<String>::new());
}

#[tokio::test]
async fn two_at_once_take_turns() {
    let stage = Stage::new();
    let (one, two) =
        (vec![stage.lasting("a"), stage.lasting("b")], vec![stage.lasting("a"), stage.lasting("c")]);
    let (first, second) = tokio::join!(stage.processes.apply(one), stage.processes.apply(two));
    first.expect("applies");
    second.expect("applies");
    let deadline = Instant::now() + LIMIT;
    while stage.left().len() != 3 || stage.observed().len() != 2 {
        assert!(Instant::now() < deadline, "one supervisor, two services: {:?}", stage.left());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_second_supervisor_ends_and_leaves_everything_to_the_first() {
    let stage = Stage::new();
    stage.processes.apply(vec![stage.lasting("a")]).await.expect("applies");
    stage.until_ready(&["a"]).await;
    let before = (stage.supervisor(), stage.pid("a"));
    let mut second = tokio::process::Command::new(binary());
    second.arg("supervise").arg("--dir").arg(stage.dir.path().join("test")).kill_on_drop(true);
    let second = tokio::time::timeout(LIMIT, second.output()).await.expect("ends").expect("runs");
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && said.contains("has a supervisor already"), "{said}");
    assert_eq!((stage.supervisor(), stage.pid("a")), before);
}

#[tokio::test]
async fn a_supervisor_whose_project_is_deleted_ends() {
    let stage = Stage::new();
    stage.processes.apply(vec![stage.lasting("a")]).await.expect("applies");
    let deadline = Instant::now() + LIMIT;
    // The supervisor may write into it at the same time.
    while fs::remove_dir_all(stage.dir.path().join("test")).is_err() {
        assert!(Instant::now() < deadline, "the directory cannot be removed");
    }
    while !stage.left().is_empty() {
        assert!(Instant::now() < deadline, "left: {:?}", stage.left());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_service_that_does_not_end_is_killed_and_a_paused_one_ends() {
    let stage = Stage::new();
    let stubborn = stage.service("stubborn", "trap '' TERM; while :; do sleep 0.05; done");
    stage.processes.apply(vec![stubborn, stage.lasting("paused")]).await.expect("applies");
    stage.until_ready(&["stubborn", "paused"]).await;
    stage.processes.signal("paused", Signal::Pause).expect("pauses");
    // Only ends in time because the paused one is woken: both together get the ten seconds once.
    let started = Instant::now();
    stage.processes.apply(vec![stage.lasting("other")]).await.expect("applies");
    let took = started.elapsed();
    assert!((9..20).contains(&took.as_secs()), "{took:?}");
    assert!(stage.journal().contains("signal 9 after 10 s"), "{}", stage.journal());
    assert!(stage.journal().contains("stopped (signal 15)"), "{}", stage.journal());
}

/// Wherever the supervisor is killed, `down` leaves nothing and the next `apply` works.
#[tokio::test]
async fn killing_the_supervisor_at_any_moment_leaves_nothing() {
    let stage = Stage::new();
    for delay in (0..24_u64).map(|step| step * 3) {
        let list = vec![stage.lasting("a"), stage.lasting("b"), stage.lasting("c")];
        let processes = stage.processes.clone();
        let applying = tokio::spawn(async move { processes.apply(list).await });
        tokio::time::sleep(Duration::from_millis(delay)).await;
        for line in stage.left().iter().filter(|line| line.contains(" supervise ")) {
            let pid = line.split(':').next().and_then(|pid| pid.parse().ok()).expect("pid");
            kill(pid);
        }
        applying.await.expect("no panic").expect("a killed supervisor is replaced");
        stage.processes.down().await.expect("down");
        assert_eq!(stage.left(), Vec::<String>::new(), "killed after {delay} ms");
    }
}
