//! What a running stack leaves in its project's directory so that clients find it.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::Context as _;
use ordersys_contract::client::Endpoints;
use serde::{Deserialize, Serialize};

use crate::model::project::{Project, STATE_HINT};
use crate::model::spec::ServiceSpec;
use ordersys_command::{Exit, OrFail as _, Outcome};
use ordersys_supervisor::files::write_private;
use ordersys_supervisor::home::Home;

/// Where services run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeKind {
    /// Containers of a Docker engine.
    Docker,
    /// Processes of this machine.
    Process,
}

impl RuntimeKind {
    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Process => "process",
        }
    }
}

impl Topology {
    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Monolith => "monolith",
        }
    }
}

/// How services are spread over processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Topology {
    /// Three services.
    Services,
    /// One process that is all three.
    Monolith,
}

/// A stack that is up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackRecord {
    /// Where it runs.
    pub runtime: RuntimeKind,
    /// How it is spread.
    pub topology: Topology,
    /// Where its services answer.
    pub endpoints: Endpoints,
    /// The services and the settings they were made with.
    #[serde(default)]
    pub services: Vec<ServiceSpec>,
    /// The program they run, on this machine.
    #[serde(default)]
    pub program: Option<PathBuf>,
    /// Whether it is what a failed `up` left for a look: nobody wants it to be like that again.
    #[serde(default)]
    pub(crate) failed: bool,
    /// The directory it was written for: a copy of a directory has no stack.
    #[serde(default)]
    pub(crate) home: Option<Home>,
}

const FILE: &str = "stack.json";

impl StackRecord {
    /// The record of a project's stack; `None` if none is up.
    pub fn load(project: &Project) -> Outcome<Option<Self>> {
        let path = project.dir.join(FILE);
        match fs::read(&path) {
            Ok(text) => {
                let record: Self = serde_json::from_slice(&text)
                    .with_context(|| format!("{} is damaged", path.display()))
                    .hint(format!("`{}` writes it anew; data is not touched", project.command("up")))?;
                let is_here = record.home.as_ref().is_none_or(|home| home.is_at(&project.dir));
                Ok(is_here.then_some(record))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error)
                .with_context(|| format!("cannot read {}", path.display()))
                .exit(Exit::Environment)
                .hint(STATE_HINT),
        }
    }

    /// The same, of a stack that is observed anyway: a record that cannot be read says nothing.
    pub(crate) fn readable(project: &Project) -> Option<Self> {
        Self::load(project).ok().flatten()
    }

    /// Stores the record, replacing an earlier one.
    pub fn save(&self, project: &Project) -> anyhow::Result<()> {
        let home =
            Home::of(&project.dir).with_context(|| format!("cannot read {}", project.dir.display()))?;
        let here = Self { home: Some(home), ..self.clone() };
        write_private(&project.dir.join(FILE), &serde_json::to_vec_pretty(&here)?)
    }

    /// Removes the record, if there is one.
    pub fn remove(project: &Project) -> anyhow::Result<()> {
        let path = project.dir.join(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }
}
