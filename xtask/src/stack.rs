//! A stack of the program that is measured: brought up on free ports by the program itself, and taken down with its
//! data however a measurement ends.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ordersys_bench::result::Core;
use serde::Deserialize;

use crate::lab::{LIMIT, Lab};
use crate::machine::kib;

/// A stack as it is measured unless a measurement is about something else.
pub(crate) const USUAL: [&str; 6] =
    ["--runtime", "process", "--topology", "services", "--durability", "full"];

/// A stack of its own.
pub(crate) struct Stack<'a> {
    pub(crate) lab: &'a Lab,
    project: String,
}

/// What `ordersys status` says of a stack.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) services: Vec<Service>,
}

/// What it says of a service.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) pid: Option<u32>,
    pub(crate) container_id: Option<String>,
}

impl<'a> Stack<'a> {
    /// A stack that is not up yet; `name` tells it from others of the same lab.
    pub(crate) fn new(lab: &'a Lab, name: &str) -> Self {
        Self { lab, project: format!("xtask-{}-{name}", std::process::id()) }
    }

    /// Where the project keeps its state.
    pub(crate) fn dir(&self) -> PathBuf {
        self.lab.dir().join("state").join(&self.project)
    }

    /// The flags that name the stack.
    pub(crate) fn at(&self) -> Vec<String> {
        let state = self.lab.dir().join("state").display().to_string();
        ["--project", &self.project, "--state-dir", &state].map(str::to_owned).to_vec()
    }

    /// What the program prints with these arguments about this stack.
    pub(crate) async fn run(&self, args: &[&str]) -> anyhow::Result<Vec<u8>> {
        let at = self.at();
        let at: Vec<_> = at.iter().map(String::as_str).chain(["--quiet"]).collect();
        self.lab.printed(&[args, &at].concat()).await
    }

    pub(crate) async fn up(&self, flags: &[&str]) -> anyhow::Result<()> {
        let up = self.run(&[&["up", "--port", "auto"], flags].concat()).await;
        up.map(|_| ()).context("the stack does not start")
    }

    /// Takes it down and keeps its data.
    pub(crate) async fn down(&self) -> anyhow::Result<()> {
        self.run(&["down"]).await.map(|_| ())
    }

    /// Takes it down with its data.
    pub(crate) async fn remove(&self) -> anyhow::Result<()> {
        self.run(&["down", "--volumes"]).await.map(|_| ())
    }

    pub(crate) async fn status(&self) -> anyhow::Result<Status> {
        Ok(serde_json::from_slice(&self.run(&["status", "--output", "json"]).await?)?)
    }

    /// Memory of its services together, in KiB: `Rss`, or `Pss`, which counts what they share once.
    pub(crate) async fn memory(&self, kind: &str) -> anyhow::Result<u64> {
        let status = self.status().await?;
        status
            .services
            .iter()
            .filter_map(|service| service.pid)
            .map(|pid| kib(pid, "smaps_rollup", kind))
            .sum()
    }

    /// A container of it.
    pub(crate) async fn container(&self) -> anyhow::Result<String> {
        let mut services = self.status().await?.services.into_iter();
        services.find_map(|service| service.container_id).context("no service is a container")
    }

    /// One run of the load tester against it.
    pub(crate) async fn load(&self, seconds: u64, flags: &[&str]) -> anyhow::Result<Core> {
        self.lab.load(&self.at(), seconds, flags).await
    }
}

impl Drop for Stack<'_> {
    fn drop(&mut self) {
        if !self.dir().exists() {
            return;
        }
        let mut down = self.lab.command();
        let down = down.as_std_mut().args(["down", "--volumes", "--quiet"]).args(self.at());
        let Ok(mut down) = down.stdin(Stdio::null()).stdout(Stdio::null()).spawn() else { return };
        let began = Instant::now();
        while matches!(down.try_wait(), Ok(None)) {
            if began.elapsed() > LIMIT {
                eprintln!("{} may still be in use", self.dir().display());
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
