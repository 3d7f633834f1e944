//! A full disk under the state directory: what only looks or gets rid of something works, and what cannot be
//! written is named. On a small file system of its own, which takes the right to mount one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ordersys_testkit::command::stage::kill;
use ordersys_testkit::{LIMIT, binary, in_words};

/// Size of the file system: the data of a small stack, and little more.
const SIZE: &str = "size=12m";
const NAME: &str = "full";

struct Small(tempfile::TempDir);

impl Small {
    /// Fails where nothing may be mounted.
    fn mounted() -> Result<Self, String> {
        let dir = tempfile::tempdir().expect("a directory");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(dir.path()).output();
        match mount {
            Ok(output) if output.status.success() => {
                use std::os::unix::fs::PermissionsExt as _;
                fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).expect("changes");
                Ok(Self(dir))
            }
            refused => Err(format!("skipped: no file system can be mounted here: {refused:?}")),
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn project(&self) -> PathBuf {
        self.path().join(NAME)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.args(["--project", NAME, "-o", "json", "--state-dir"]).arg(self.path()).args(args);
        command.stdin(Stdio::null()).output().expect("runs")
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut filler = fs::File::create(self.path().join("filler")).expect("makes a file");
        for size in [64 * 1024, 4096, 1] {
            let block = vec![0; size];
            while filler.write_all(&block).is_ok() {}
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = self.run(&["down"]);
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

fn said(output: &Output) -> String {
    in_words(&output.stderr)
}

#[test]
fn a_stack_that_has_no_room_says_where() {
    let small = match Small::mounted() {
        Ok(small) => small,
        Err(why) => return eprintln!("{why}"),
    };
    small.fill();
    let up = small.run(&["up", "--runtime", "process", "--port", "auto"]);
    let path = small.project().display().to_string();
    assert_eq!(up.status.code(), Some(3), "{}", said(&up));
    assert!(said(&up).contains(&path) && said(&up).contains("No space left"), "{}", said(&up));
    assert!(said(&up).contains("--state-dir"), "{}", said(&up));
    small.ok(&["down", "--volumes"]);
    assert!(!small.project().exists(), "nothing is left");
}

/// Wherever the room ends, `up` says so, and does not wait for what cannot be written down.
#[test]
fn up_says_at_once_that_the_disk_is_full_wherever_its_room_ends() {
    const SOON: std::time::Duration = std::time::Duration::from_secs(15);
    let small = match Small::mounted() {
        Ok(small) => small,
        Err(why) => return eprintln!("{why}"),
    };
    let up = ["up", "--runtime", "process", "--port", "auto", "--topology", "monolith"];
    small.ok(&up);
    small.ok(&["down"]);
    let mut supervised = 0;
    for blocks in 0..40 {
        small.fill();
        let filler = fs::File::options().write(true).open(small.path().join("filler")).expect("opens");
        let size = filler.metadata().expect("is there").len();
        filler.set_len(size / 4096 * 4096 - blocks * 4096).expect("gives room");
        let began = std::time::Instant::now();
        let ended = small.run(&up);
        let (said, took) = (said(&ended), began.elapsed());
        if ended.status.success() {
            break;
        }
        assert!(took < SOON, "{took:?}: {said}");
        assert!(said.contains("No space left") || said.contains("is full"), "{said}");
        supervised += u32::from(said.contains("process"));
        small.ok(&["down"]);
    }
    assert!(supervised > 0, "the room never ended where a supervisor writes");
}

#[test]
fn a_full_disk_keeps_nothing_from_being_seen_or_removed() {
    let small = match Small::mounted() {
        Ok(small) => small,
        Err(why) => return eprintln!("{why}"),
    };
    let up = ["up", "--runtime", "process", "--port", "auto", "--topology", "monolith"];
    small.ok(&up);
    let pid = |status: &str| {
        let status: serde_json::Value = serde_json::from_str(status).expect("JSON");
        status["services"][2]["pid"].as_u64().expect("a pid")
    };
    let first = pid(&small.ok(&["status"]));
    small.fill();
    fs::remove_file(small.project().join("program.json")).expect("removes");
    small.fill();
    assert_eq!(pid(&small.ok(&["status"])), first);
    small.ok(&["logs"]);

    let restart = small.run(&["restart", "order"]);
    assert!(!restart.status.success());
    let path = small.project().join("process/desired.json");
    assert!(said(&restart).contains(&path.display().to_string()), "{}", said(&restart));
    assert!(said(&restart).contains("No space left"), "{}", said(&restart));
    let again = small.run(&up);
    assert!(!again.status.success() && said(&again).contains("process/desired.json"), "{}", said(&again));
    assert!(!small.project().join("process/desired.next").exists(), "no half file is left");

    // The supervisor cannot write down the next process; it is seen all the same.
    kill(u32::try_from(first).expect("a pid"));
    let began = std::time::Instant::now();
    loop {
        let now = small.run(&["status"]);
        let now: serde_json::Value = serde_json::from_slice(&now.stdout).unwrap_or_default();
        let service = &now["services"][2];
        if service["pid"].as_u64().is_some_and(|pid| pid != first) {
            break;
        }
        assert!(began.elapsed() < LIMIT, "{now}");
    }
    for name in ["change.lock", "process/apply.lock"] {
        fs::remove_file(small.project().join(name)).expect("removes");
        small.fill();
    }
    let down = small.ok(&["down", "--volumes"]);
    assert!(down.contains("service all") && down.contains("supervisor"), "{down}");
    assert!(!small.project().exists(), "nothing is left");
}
