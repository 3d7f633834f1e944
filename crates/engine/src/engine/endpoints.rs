//! Where an engine may be, in the order the Docker command line looks, with the reason for each.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::engine::discover_error::DiscoverError;
use ordersys_contract::hex;

/// The usual socket of an engine.
const SOCKET: &str = "/var/run/docker.sock";
/// The usual port of an engine.
const PORT: &str = "2375";

/// What the user and the environment say about engines. Read in `cli`, passed down.
#[derive(Debug, Clone, Default)]
pub struct Lookup {
    /// The address a flag names.
    pub flag: Option<String>,
    /// `DOCKER_HOST`.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub context: Option<String>,
    /// `DOCKER_CONFIG`, else `~/.docker`.
    pub config_dir: Option<PathBuf>,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// Whether `DOCKER_TLS_VERIFY` asks for TLS.
    pub tls: Tls,
}

/// Whether the connection has to be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// It need not be.
    #[default]
    No,
    /// `DOCKER_TLS_VERIFY` is set.
    Required,
}

/// A place to look at, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The address, with its scheme.
    pub(crate) address: String,
    /// Why this one.
    pub(crate) reason: String,
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Candidates {
    /// The user chose: this one or none.
    Chosen(Candidate),
    /// The user made no choice: the first that answers.
    Usual(Vec<Candidate>),
}

impl Lookup {
    /// Where to look. Fails when a chosen context cannot be read.
    pub(crate) fn candidates(&self) -> Result<Candidates, DiscoverError> {
        let chosen = |address: &str, reason: &str| {
            Ok(Candidates::Chosen(Candidate { address: in_full(address), reason: reason.to_owned() }))
        };
        if let Some(address) = filled(self.flag.as_ref()) {
            return chosen(address, "named with --docker-host");
        }
        if let Some(address) = filled(self.host.as_ref()) {
            return chosen(address, "DOCKER_HOST");
        }
        let (name, reason) = match filled(self.context.as_ref()) {
            Some(name) => (Some(name.to_owned()), "DOCKER_CONTEXT"),
            None => (self.current_context(), "current Docker context"),
        };
        match name.filter(|name| name != "default") {
            Some(name) => chosen(&self.context_host(&name)?, &format!("{reason} `{name}`")),
            None => Ok(Candidates::Usual(self.usual())),
        }
    }

    fn current_context(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Config {
            #[serde(rename = "currentContext")]
            current_context: Option<String>,
        }
        let path = self.config_dir.as_ref()?.join("config.json");
        let config: Config = read_json(&path).ok()?; // as to the docker command, one that cannot be read says nothing
        config.current_context.filter(|name| !name.is_empty())
    }

    fn context_host(&self, name: &str) -> Result<String, DiscoverError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Meta {
            endpoints: std::collections::BTreeMap<String, Endpoint>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Endpoint {
            host: Option<String>,
        }
        let directory = hex(&Sha256::digest(name)); // the Docker command line's naming
        let dir = self.config_dir.clone().unwrap_or_default();
        let path = dir.join("contexts/meta").join(directory).join("meta.json");
        let meta: Meta = read_json(&path)?;
        let host = meta.endpoints.get("docker").and_then(|endpoint| endpoint.host.clone());
        host.filter(|host| !host.is_empty())
            .ok_or_else(|| DiscoverError::Context { path, detail: "names no docker endpoint".to_owned() })
    }

    /// The sockets engines usually have.
    fn usual(&self) -> Vec<Candidate> {
        let mut found = Vec::new();
        let mut add = |path: Option<PathBuf>, what: &str| {
            if let Some(path) = path {
                let address = format!("unix://{}", path.display());
                found.push(Candidate { address, reason: format!("the usual socket of {what}") });
            }
        };
        let home = |tail: &str| self.home.as_ref().map(|dir| dir.join(tail));
        let runtime = |tail: &str| self.runtime_dir.as_ref().map(|dir| dir.join(tail));
        add(Some(PathBuf::from(SOCKET)), "Docker");
        add(runtime("docker.sock"), "rootless Docker");
        add(home(".docker/run/docker.sock"), "Docker Desktop");
        add(home(".docker/desktop/docker.sock"), "Docker Desktop");
        add(home(".orbstack/run/docker.sock"), "OrbStack");
        add(home(".colima/default/docker.sock"), "Colima");
        add(runtime("podman/podman.sock"), "rootless Podman");
        add(Some(PathBuf::from("/run/podman/podman.sock")), "Podman");
        found
    }
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// An address in full: what may be left out is as in the docker command. A bare path is a socket, as everywhere else a
/// path is a path.
fn in_full(address: &str) -> String {
    let address = address.trim();
    let (scheme, place) = match address.split_once("://") {
        Some((scheme, place)) => (scheme, place),
        None if address.starts_with('/') => ("unix", address),
        None => ("tcp", address),
    };
    match scheme {
        "unix" if place.is_empty() => format!("unix://{SOCKET}"),
        "tcp" | "http" => format!("{scheme}://{}", with_port(place)),
        _ => format!("{scheme}://{place}"),
    }
}

/// A host with its port: the engine's own where none is named, on this machine where no host is.
fn with_port(place: &str) -> String {
    let (authority, path) = place.find('/').map_or((place, ""), |at| place.split_at(at));
    let bare_v6 = authority.ends_with(']');
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !bare_v6 => (host, port),
        _ => (authority, ""),
    };
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    let port = if port.is_empty() { PORT } else { port };
    format!("{host}:{port}{path}")
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, DiscoverError> {
    let broken = |detail: String| DiscoverError::Context { path: path.to_owned(), detail };
    let text = std::fs::read(path).map_err(|error| broken(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(current: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("config.json"), format!(r#"{{"currentContext":"{current}"}}"#))
            .expect("written");
        let meta = dir.path().join("contexts/meta").join(hex(&Sha256::digest("far")));
        std::fs::create_dir_all(&meta).expect("made");
        let text = r#"{"Name":"far","Endpoints":{"docker":{"Host":"unix:///far.sock"}}}"#;
        std::fs::write(meta.join("meta.json"), text).expect("written");
        dir
    }

    fn chosen(lookup: &Lookup) -> Option<(String, String)> {
        match lookup.candidates().expect("readable") {
            Candidates::Chosen(one) => Some((one.address, one.reason)),
            Candidates::Usual(_) => None,
        }
    }

    #[test]
    fn the_order_is_that_of_the_docker_command_line() {
        let dir = config("far");
        let some = |text: &str| Some(text.to_owned());
        let mut lookup = Lookup {
            flag: some("/flag.sock"),
            host: some("tcp://h:2375"),
            context: some("far"),
            config_dir: Some(dir.path().to_owned()),
            ..Lookup::default()
        };
        let pair = |address: &str, reason: &str| Some((address.to_owned(), reason.to_owned()));
        assert_eq!(chosen(&lookup), pair("unix:///flag.sock", "named with --docker-host"));
        lookup.flag = None;
        assert_eq!(chosen(&lookup), pair("tcp://h:2375", "DOCKER_HOST"));
        lookup.host = some("");
        assert_eq!(chosen(&lookup), pair("unix:///far.sock", "DOCKER_CONTEXT `far`"));
        lookup.context = None;
        assert_eq!(chosen(&lookup), pair("unix:///far.sock", "current Docker context `far`"));
        lookup.context = some("default");
        assert_eq!(chosen(&lookup), None);
    }

    #[test]
    fn what_an_address_leaves_out_is_as_in_the_docker_command() {
        for (given, full) in [
            ("/x.sock", "unix:///x.sock"),
            ("unix://", "unix:///var/run/docker.sock"),
            ("127.0.0.1:2375", "tcp://127.0.0.1:2375"),
            (" docker ", "tcp://docker:2375"),
            ("tcp://docker", "tcp://docker:2375"),
            ("tcp://", "tcp://127.0.0.1:2375"),
            (":4000", "tcp://127.0.0.1:4000"),
            ("tcp://[::1]", "tcp://[::1]:2375"),
            ("tcp://[::1]:9", "tcp://[::1]:9"),
            ("tcp://h:1/path", "tcp://h:1/path"),
            ("ssh://h", "ssh://h"),
        ] {
            assert_eq!(in_full(given), full, "{given}");
        }
    }

    #[test]
    fn a_configuration_that_cannot_be_read_says_nothing() {
        let dir = config("far");
        for text in ["", "{"] {
            std::fs::write(dir.path().join("config.json"), text).expect("written");
            let lookup = Lookup { config_dir: Some(dir.path().to_owned()), ..Lookup::default() };
            assert_eq!(chosen(&lookup), None, "{text}");
        }
    }

    #[test]
    fn a_context_that_is_not_there_is_an_error_that_names_its_file() {
        let dir = config("gone");
        let lookup = Lookup { config_dir: Some(dir.path().to_owned()), ..Lookup::default() };
        let error = lookup.candidates().expect_err("there is none").to_string();
        assert!(error.contains("meta.json"), "{error}");
    }

    #[test]
    fn without_a_choice_the_usual_sockets_are_tried() {
        let lookup = Lookup {
            home: Some(PathBuf::from("/h")),
            runtime_dir: Some(PathBuf::from("/r")),
            ..Lookup::default()
        };
        let Candidates::Usual(found) = lookup.candidates().expect("readable") else { panic!("no choice") };
        assert_eq!(found.len(), 8);
        assert_eq!(found[0].address, "unix:///var/run/docker.sock");
        assert_eq!(found[1].address, "unix:///r/docker.sock");
    }
}
