//! Why there is no engine to work with, and what to do about it.

use std::path::PathBuf;

use crate::engine::{Api, NEWEST_API, OLDEST_API};

/// Why there is no engine to work with.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// None of the usual sockets exists.
    #[error("no Docker engine was found (looked for {})", tried.join(", "))]
    NoSocket {
        /// The addresses looked at.
        tried: Vec<String>,
    },
    /// The socket is there, and closed to this user.
    #[error("permission denied on {path}, the socket of the engine")]
    PermissionDenied {
        /// The socket.
        path: PathBuf,
    },
    /// Nothing usable answers there.
    #[error("no engine answers at {address} ({reason}): {detail}")]
    NotAnswering {
        /// Where.
        address: String,
        /// Why it was asked.
        reason: String,
        /// What happened.
        detail: String,
    },
    /// The engine is older than what is supported.
    #[error(
        "the engine at {address} is too old: {version} speaks API {newest}, at least {OLDEST_API} is needed"
    )]
    TooOld {
        /// Where.
        address: String,
        /// Its version.
        version: String,
        /// The newest API it speaks.
        newest: Api,
    },
    /// The engine no longer speaks what this program speaks.
    #[error(
        "the engine at {address} is too new for this program: {version} wants API {oldest}, up to {NEWEST_API} is known"
    )]
    TooNew {
        /// Where.
        address: String,
        /// Its version.
        version: String,
        /// The oldest API it speaks.
        oldest: Api,
    },
    /// The engine runs containers of another system.
    #[error("the engine at {address} runs {os} containers, the services need Linux")]
    NotLinux {
        /// Where.
        address: String,
        /// What it runs.
        os: String,
    },
    /// The way to it is not supported.
    #[error("{address} ({reason}) cannot be reached: {detail}")]
    Unsupported {
        /// Where.
        address: String,
        /// Why it was asked.
        reason: String,
        /// What is missing.
        detail: &'static str,
    },
    /// The Docker configuration cannot be used.
    #[error("the Docker configuration {} {detail}", path.display())]
    Context {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

impl DiscoverError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoSocket { .. } => "start Docker, or name an engine with --docker-host",
            Self::PermissionDenied { .. } => {
                "join the group of the socket: `sudo usermod -aG docker $USER`, then log in again"
            }
            Self::NotAnswering { .. } => "start the engine, or name another with --docker-host",
            Self::TooOld { .. } => "install Docker 20.10 or newer",
            Self::TooNew { .. } => "install a newer ordersys",
            Self::NotLinux { .. } => "switch the engine to Linux containers",
            Self::Unsupported { .. } => {
                "forward the engine's socket, e.g. `ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock HOST`, \
                 and name it with --docker-host unix:///tmp/engine.sock"
            }
            Self::Context { .. } => {
                "choose another with `docker context use`, or name an engine with --docker-host"
            }
        }
    }
}
