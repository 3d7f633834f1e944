//! A home directory with a stack of local processes on free ports, in which lines of shell are run.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::binary;
use serde_json::Value;
use tempfile::TempDir;

use crate::docs::examples::{Block, with_id};

/// Programs that a line may need and a machine may lack.
const OTHER_PROGRAMS: [&str; 2] = ["curl", "jq"];
/// Ends what a line prints, before its exit code.
const MARK: char = '\u{1e}';
/// How long the lines of a block may take.
const LIMIT: Duration = Duration::from_mins(1);
/// Where the state of projects is below the home directory.
const STATE: &str = ".local/state/ordersys";
/// The program; where it would ask for a password on the terminal, it gets one from a file.
const WRAPPER: &str = r#"#!/bin/sh
case "$*" in
    *--password-stdin*) exec PROGRAM "$@" ;;
    "user login"* | "user create"*--registered*) exec PROGRAM "$@" --password-stdin <"$HOME/password.txt" ;;
    *) exec PROGRAM "$@" ;;
esac
"#;

/// The home directory, which is also where lines are run.
pub(super) struct Sandbox(TempDir);

/// What a line printed, and its exit code.
struct Ran {
    printed: String,
    code: String,
}

impl Sandbox {
    pub(super) fn start() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        for folder in ["bin", ".zfunc", ".config/fish/completions"] {
            fs::create_dir_all(home.path().join(folder)).expect("makes");
        }
        fs::write(home.path().join("password.txt"), "correct horse battery\n").expect("writes");
        let wrapper = home.path().join("bin/ordersys");
        fs::write(&wrapper, WRAPPER.replace("PROGRAM", &binary().display().to_string())).expect("writes");
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("may be run");
        Self(home)
    }

    /// Brings the stack to its usual settings; says at which addresses the usual ones of a page are.
    fn up(&self) -> Vec<(&'static str, String)> {
        let ran = self.bash(&["ordersys up --quiet >up", "ordersys status -o json"]);
        let status: Value = serde_json::from_str(&ran[1].printed).expect("a status");
        let services = status["services"].as_array().expect("services").iter();
        let usual = [":3001", ":3002", ":3003"].into_iter();
        let port = |url: &str| format!(":{}", url.rsplit(':').next().unwrap_or_default());
        usual.zip(services.map(|service| port(service["url"].as_str().expect("a URL")))).collect()
    }

    /// Runs the lines of a block that can be run on this machine; says how many.
    pub(super) fn run(&self, block: &Block) -> usize {
        let addresses = self.up();
        let needs_order = block.lines.iter().any(|line| line.text != with_id(&line.text, ""));
        let order = if needs_order { self.order() } else { String::new() };
        let lines: Vec<_> = block.lines.iter().filter(|line| has_programs(&line.text)).collect();
        let texts: Vec<_> = lines.iter().map(|line| here(&line.text, &order, &addresses)).collect();
        let ran = self.bash(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        for ((line, text), ran) in lines.iter().zip(&texts).zip(&ran) {
            let failed = ran.code != "0";
            assert_eq!(
                failed,
                line.rejected,
                "{}: `{text}` ends with {}: {}",
                line.at,
                ran.code,
                self.said()
            );
        }
        if let (Some(shown), Some(ran), true) = (&block.shown, ran.last(), lines.len() == block.lines.len()) {
            assert_eq!(comparable(&ran.printed), comparable(shown), "{}", block.lines[0].at);
        }
        lines.len()
    }

    /// The id of an order that was just placed, to stand where the reader has to put one.
    fn order(&self) -> String {
        let made = |line: &str| {
            let made: Value = serde_json::from_str(&self.bash(&[line])[0].printed).expect("JSON");
            made["id"].as_str().expect("an id").to_owned()
        };
        let user = made("ordersys user create --name Ann --email ann@example.com -o json");
        made(&format!("ordersys order place --user {user} --item 'USB-C Hub=1' -o json"))
    }

    /// Runs lines in one shell; what each printed and its exit code.
    fn bash(&self, lines: &[&str]) -> Vec<Ran> {
        let ends = format!("\nprintf '{MARK}%s{MARK}' $?\n");
        let script = lines.iter().flat_map(|line| [*line, ends.as_str()]).collect::<String>();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("bash");
        shell.args(["-o", "pipefail", "-c", &script]).current_dir(self.0.path()).stdin(Stdio::null());
        shell.env_clear().env("HOME", self.0.path());
        shell.env("PATH", format!("{}:{path}", self.0.path().join("bin").display()));
        for (name, value) in [("PORTS", "auto"), ("RUNTIME", "process"), ("DURABILITY", "memory")] {
            shell.env(format!("ORDERSYS_{name}"), value);
        }
        let file = |name| File::create(self.0.path().join(name)).expect("a file");
        let mut shell = shell.stdout(file("printed")).stderr(file("said")).spawn().expect("bash runs");
        let began = Instant::now();
        while shell.try_wait().expect("waits").is_none() {
            if began.elapsed() > LIMIT {
                let _ = shell.kill();
                panic!("after {LIMIT:?} not done with {lines:#?}: {}", self.said());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let printed = fs::read_to_string(self.0.path().join("printed")).expect("reads");
        let parts: Vec<_> = printed.split(MARK).collect();
        let ran =
            parts.chunks_exact(2).map(|part| Ran { printed: part[0].to_owned(), code: part[1].to_owned() });
        let ran: Vec<_> = ran.collect();
        assert_eq!(ran.len(), lines.len(), "{lines:#?} was not run to its end: {}", self.said());
        ran
    }

    /// What the last lines wrote to standard error.
    fn said(&self) -> String {
        fs::read_to_string(self.0.path().join("said")).unwrap_or_default()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let state = self.0.path().join(STATE);
        for project in fs::read_dir(&state).into_iter().flatten().flatten() {
            let mut down = Command::new(binary());
            down.args(["down", "--volumes", "--project"])
                .arg(project.file_name())
                .arg("--state-dir")
                .arg(&state);
            let down = down.output().expect("runs");
            assert!(down.status.success() || std::thread::panicking(), "{project:?}: {down:?}");
        }
    }
}

/// The line with what differs here: an order's id, and the addresses.
fn here(line: &str, order: &str, addresses: &[(&str, String)]) -> String {
    let line = with_id(line, order);
    addresses.iter().fold(line, |line, (usual, here)| line.replace(usual, here))
}

/// Whether this machine has what a line needs besides `ordersys`.
fn has_programs(line: &str) -> bool {
    let mut needed = OTHER_PROGRAMS.iter().filter(|program| line.contains(**program));
    needed.all(|program| Command::new(program).arg("--version").output().is_ok())
}

/// A text without ids, times and space at the ends of lines.
fn comparable(text: &str) -> Vec<String> {
    let word = |word: &str| {
        let bare = word.trim_matches(['"', ',', ':']);
        let differs = bare.parse::<uuid::Uuid>().is_ok() || bare.parse::<jiff::Timestamp>().is_ok();
        if differs { word.replace(bare, "*") } else { word.to_owned() }
    };
    let lines = text.trim_end().lines().map(str::trim_end);
    lines.map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ")).collect()
}
