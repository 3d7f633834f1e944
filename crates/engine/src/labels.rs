//! What everything a project makes in an engine is labelled with, and named.

use std::collections::HashMap;
use std::fmt::Display;

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
pub struct RunId(String);

impl RunId {
    /// A new one: twelve hexadecimal digits.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Self {
        let text = uuid::Uuid::new_v4().simple().to_string();
        Self(text[..12].to_owned())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// The names a project uses in an engine.
#[derive(Debug, Clone)]
pub struct Names {
    /// The name of the project.
    pub(crate) project: String,
    /// The state directory that things are made from, where some are made.
    pub(crate) owner: Option<Owner>,
}

/// A state directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// What its mark says.
    pub identity: String,
    /// Where it is.
    pub dir: String,
}

impl Names {
    /// The names a project's things have, to look for them.
    #[must_use]
    pub fn of(project: impl Display) -> Self {
        Self { project: project.to_string(), owner: None }
    }

    /// The same, to make things from this state directory.
    #[must_use]
    pub fn made_from(self, owner: Option<Owner>) -> Self {
        Self { owner, ..self }
    }

    /// The network that the project's containers are on.
    #[must_use]
    pub fn network(&self) -> String {
        format!("{}_backend", self.project)
    }

    /// The volume that holds the data of a role.
    #[must_use]
    pub fn data_volume(&self, role: Role) -> String {
        format!("{}_{role}-data", self.project)
    }

    /// The volume that holds the credentials.
    #[must_use]
    pub fn secrets_volume(&self) -> String {
        format!("{}_secrets", self.project)
    }

    /// The container that serves as a service; `order.2` is the second one of its kind.
    #[must_use]
    pub fn container(&self, service: &str) -> String {
        let (kind, number) = service.split_once('.').unwrap_or((service, "1"));
        format!("{}-{kind}-{number}", self.project)
    }

    /// The name a container gets when a run sets it aside.
    #[must_use]
    pub fn set_aside(&self, service: &str, run: &RunId) -> String {
        format!("{}-{service}-replaced-{}", self.project, run.text())
    }

    /// The labels of everything a run makes for the project.
    pub(crate) fn labels(&self, run: &RunId) -> HashMap<String, String> {
        let owner = self.owner.clone();
        let owner = owner.map(|Owner { identity, dir }| [(OWNER, identity), (STATE_DIR, dir)]);
        [
            (PROJECT, self.project.clone()),
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
