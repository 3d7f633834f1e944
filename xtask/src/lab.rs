//! Where measurements happen: one program, and a directory that goes with its stacks.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use ordersys_bench::result::Core;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::common::{output, printed, root};

/// How long a command may take that is not told how long to run.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);
/// How long a load run may take to prepare and verify, besides its length.
const AROUND_A_RUN: Duration = Duration::from_mins(4);
/// Exit codes of a load run whose result counts: good, an invariant was violated, the generator was the limit. The
/// result says which.
const COUNTS: [Option<i32>; 3] = [Some(0), Some(7), Some(8)];

/// One program, and a directory for its data.
pub(crate) struct Lab {
    pub(crate) program: PathBuf,
    dir: TempDir,
}

impl Lab {
    pub(crate) fn new(program: PathBuf) -> anyhow::Result<Self> {
        // Below target: /tmp may be memory, on which a sync costs nothing.
        let target = root().join("target");
        std::fs::create_dir_all(&target)?;
        Ok(Self { program, dir: tempfile::Builder::new().prefix("xtask-").tempdir_in(target)? })
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The program, to be given arguments.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // Settings of the person who measures must not change what is measured.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ORDERSYS_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// What the program prints with these arguments.
    pub(crate) async fn printed(&self, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        printed(self.command().args(args), LIMIT).await
    }

    /// The program with these arguments, going on beside what follows; it is killed with what this returns.
    pub(crate) fn beside(&self, args: &[&str], log: impl AsRef<Path>) -> anyhow::Result<Child> {
        let log = std::fs::File::create(self.dir().join(log))?;
        let mut command = self.command();
        command.args(args).stdin(Stdio::null()).stderr(log.try_clone()?).stdout(log);
        Ok(command.kill_on_drop(true).spawn()?)
    }

    /// One run of the load tester against the system that `at` names.
    pub(crate) async fn load(&self, at: &[String], seconds: u64, flags: &[&str]) -> anyhow::Result<Core> {
        let mut bench = self.command();
        bench.args(["bench", "--output", "json", "--quiet", "--duration", &format!("{seconds}s")]);
        let ended = output(bench.args(at).args(flags), Duration::from_secs(seconds) + AROUND_A_RUN).await?;
        let said = String::from_utf8_lossy(&ended.stderr);
        anyhow::ensure!(COUNTS.contains(&ended.status.code()), "a run ended with {}: {said}", ended.status);
        serde_json::from_slice(&ended.stdout).with_context(|| format!("a run gave no result: {said}"))
    }
}
