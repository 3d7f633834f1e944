//! What everything a project makes in an engine is labelled with, and named.

use std::collections::HashMap;

use crate::model::project::ProjectName;
use crate::model::spec::{ServiceName, StackSpec};
use ordersys_contract::Role;

/// Which project it is of.
pub(crate) const PROJECT: &str = "ordersys.project";
/// Which service a container runs.
pub(crate) const SERVICE: &str = "ordersys.service";
/// The hash of the settings a container was made with.
pub(crate) const SPEC_HASH: &str = "ordersys.spec-hash";
/// The hash of the image's content.
pub(crate) const IMAGE_HASH: &str = "ordersys.image-hash";
/// The version of the program that made it.
pub(crate) const VERSION: &str = "ordersys.version";
/// The run of `up` that made it.
pub(crate) const RUN_ID: &str = "ordersys.run-id";

/// Names the state directory it was made from among all of the project's name.
pub(crate) const OWNER: &str = "ordersys.owner";
/// Where that directory is.
pub(crate) const STATE_DIR: &str = "ordersys.state-dir";

/// One run of `up`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunId(String);

impl RunId {
    /// A new one: twelve hexadecimal digits.
    pub(crate) fn new() -> Self {
        let text = uuid::Uuid::new_v4().simple().to_string();
        Self(text[..12].to_owned())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// The names a project uses in an engine.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) project: ProjectName,
    /// The state directory that things are made from, where some are made.
    pub(crate) owner: Option<Owner>,
}

/// A state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// What its mark says.
    pub(crate) identity: String,
    /// Where it is.
    pub(crate) dir: String,
}

impl Names {
    /// The names a project's things have, to look for them.
    pub(crate) fn of(project: ProjectName) -> Self {
        Self { project, owner: None }
    }

    pub(crate) fn network(&self) -> String {
        format!("{}_backend", self.project)
    }

    pub(crate) fn data_volume(&self, role: Role) -> String {
        format!("{}_{role}-data", self.project)
    }

    pub(crate) fn secrets_volume(&self) -> String {
        format!("{}_secrets", self.project)
    }

    /// Every volume a stack needs.
    pub(crate) fn volumes(&self, stack: &StackSpec) -> Vec<String> {
        let roles = stack.services.iter().flat_map(|spec| spec.name.roles());
        roles.map(|role| self.data_volume(*role)).chain([self.secrets_volume()]).collect()
    }

    pub(crate) fn container(&self, service: ServiceName) -> String {
        format!("{}-{service}-1", self.project)
    }

    /// The name a container gets when a run sets it aside.
    pub(crate) fn set_aside(&self, service: ServiceName, run: &RunId) -> String {
        format!("{}-{service}-replaced-{}", self.project, run.text())
    }

    /// The labels of everything a run makes for the project.
    pub(crate) fn labels(&self, run: &RunId) -> HashMap<String, String> {
        let owner = self.owner.clone();
        let owner = owner.map(|Owner { identity, dir }| [(OWNER, identity), (STATE_DIR, dir)]);
        [
            (PROJECT, self.project.to_string()),
            (VERSION, env!("CARGO_PKG_VERSION").to_owned()),
            (RUN_ID, run.text().to_owned()),
        ]
        .into_iter()
        .chain(owner.into_iter().flatten())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// The filter that finds everything of the project.
    pub(crate) fn filter(&self) -> HashMap<String, Vec<String>> {
        label_filter(&format!("{PROJECT}={}", self.project))
    }
}

/// The filter for one label.
pub(crate) fn label_filter(label: &str) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![label.to_owned()])])
}
