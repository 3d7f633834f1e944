//! What has to be done to get from what is there to what should be, each step with its cause.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::model::spec::{ServiceName, StackSpec};

mod decide;
#[cfg(test)]
mod tests;

pub use crate::plan::decide::plan;

/// What should be there.
#[derive(Debug, Clone)]
pub struct Desired<'a> {
    /// The services.
    pub stack: &'a StackSpec,
    /// The hash of the program they run.
    pub artefact: &'a str,
    /// The image, network and volumes they need; processes need none.
    pub docker_names: Option<DockerNames>,
    /// Whether the image is made anew even if it is there.
    pub image: ImagePolicy,
}

/// What containers need around them, by name.
#[derive(Debug, Clone)]
pub struct DockerNames {
    /// The image's tag.
    pub image: String,
    /// The network.
    pub network: String,
    /// The volumes.
    pub volumes: Vec<String>,
}

/// When the image is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImagePolicy {
    /// When it is not there.
    #[default]
    WhenMissing,
    /// Always.
    Always,
}

/// Something a plan is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// An image, by tag.
    Image(String),
    /// A network, by name.
    Network(String),
    /// A volume, by name.
    Volume(String),
    /// A service of the stack.
    Service(ServiceName),
    /// A container or process that is no service of the stack.
    Leftover(String),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(name) => write!(f, "image {name}"),
            Self::Network(name) => write!(f, "network {name}"),
            Self::Volume(name) => write!(f, "volume {name}"),
            Self::Service(name) => write!(f, "service {name}"),
            Self::Leftover(name) => write!(f, "leftover {name}"),
        }
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why a step is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Nothing of the kind exists.
    NotThere,
    /// The user wants it made anew.
    AskedFor,
    /// It runs another program: hashes of the old and the new one, shortened.
    ImageChanged(String, String),
    /// It was made with other settings; which, if that is known.
    SettingsChanged(Vec<String>),
    /// It is not on the stack's network.
    OtherNetwork,
    /// It was made and never started.
    NeverStarted,
    /// It ended; how.
    NotRunning(String),
    /// It ends again and again; how.
    KeepsEnding(String),
    /// It is paused.
    Paused,
    /// It is cut off the network.
    CutOff,
    /// What would start it again was killed.
    Unwatched,
    /// The engine gave it up.
    Dead,
    /// The stack has no such service.
    NoLongerWanted,
    /// An `up` that was killed left it.
    LeftByKilledRun,
    /// There is another of the same name.
    Duplicate,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere => f.write_str("not there"),
            Self::AskedFor => f.write_str("asked for"),
            Self::ImageChanged(old, new) => write!(f, "image changed: {old} -> {new}"),
            Self::SettingsChanged(changes) if changes.is_empty() => f.write_str("settings changed"),
            Self::SettingsChanged(changes) => write!(f, "setting changed: {}", changes.join(", ")),
            Self::OtherNetwork => f.write_str("on another network"),
            Self::NeverStarted => f.write_str("never started"),
            Self::NotRunning(how) => write!(f, "not running ({how})"),
            Self::KeepsEnding(how) => write!(f, "keeps ending ({how})"),
            Self::Paused => f.write_str("paused"),
            Self::CutOff => f.write_str("cut off the network"),
            Self::Unwatched => f.write_str("its supervisor was killed"),
            Self::Dead => f.write_str("dead"),
            Self::NoLongerWanted => f.write_str("no longer wanted"),
            Self::LeftByKilledRun => f.write_str("left by an interrupted run"),
            Self::Duplicate => f.write_str("another of the same name exists"),
        }
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is done with a resource. Ids are the engine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it is as it should be.
    Keep(String),
    /// It is made.
    Create(Cause),
    /// It is replaced.
    Recreate(String, Cause),
    /// What is there is started.
    Start(String, Cause),
    /// It is removed.
    Remove(String, Cause),
}

impl Action {
    /// The word for what is going to be done.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Keep(_) => "keep",
            Self::Create(_) => "create",
            Self::Recreate(..) => "recreate",
            Self::Start(..) => "start",
            Self::Remove(..) => "remove",
        }
    }

    /// The word for what was done.
    #[must_use]
    pub fn done(&self) -> &'static str {
        match self {
            Self::Keep(_) => "unchanged",
            Self::Create(_) => "created",
            Self::Recreate(..) => "recreated",
            Self::Start(..) => "started",
            Self::Remove(..) => "removed",
        }
    }

    /// Why, unless nothing is done.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Keep(_) => None,
            Self::Create(cause)
            | Self::Recreate(_, cause)
            | Self::Start(_, cause)
            | Self::Remove(_, cause) => Some(cause),
        }
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is about.
    pub resource: Resource,
    /// What is done with it.
    pub action: Action,
}

/// Steps, in the order they are listed; what may run at the same time is the engine's business.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.action, Action::Keep(_)))
    }

    /// What is done with a service of the stack.
    #[must_use]
    pub fn for_service(&self, name: ServiceName) -> Option<&Action> {
        let step = self.steps.iter().find(|step| step.resource == Resource::Service(name));
        step.map(|step| &step.action)
    }
}
