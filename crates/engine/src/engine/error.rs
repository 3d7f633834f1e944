//! What can go wrong with an engine, in words that name the thing and the cause.

use bollard::errors::Error as Bollard;

/// Why the engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It refused.
    #[error("the engine cannot {what}")]
    Refused {
        /// What it was asked.
        what: String,
        /// The HTTP status of its answer.
        status: u16,
        /// Its own words.
        #[source]
        said: EngineSaid,
    },
    /// It gave no usable answer.
    #[error("the engine gave no answer when asked to {what}")]
    NoAnswer {
        /// What it was asked.
        what: String,
        /// What the connection said.
        #[source]
        source: Box<Bollard>,
    },
    /// A port was taken between the check and the start.
    #[error("a port of {container} is taken")]
    PortTaken {
        /// The container that wanted it.
        container: String,
        /// The engine's own words.
        #[source]
        said: EngineSaid,
    },
    /// Something of the same name belongs to another owner; it is not touched.
    #[error("a {kind} named `{name}` exists and is not of project `{project}`")]
    Foreign {
        /// What it is.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The project that wanted the name.
        project: String,
    },
    /// What the engine has of the project was made from another state directory.
    #[error("what the engine has of project `{project}` was made from another state directory, {dir}")]
    Elsewhere {
        /// The project.
        project: String,
        /// The project's directory there.
        dir: String,
    },
    /// A volume does not say from which state directory it was made, and this one did not know of it.
    #[error(
        "the volume {volume} of project `{project}` was made by an earlier version, and not from this state directory, \
         {dir}, as far as that tells"
    )]
    Unclaimed {
        /// The volume.
        volume: String,
        /// The project.
        project: String,
        /// The project's directory here.
        dir: String,
    },
    /// Something of others uses what is to go.
    #[error("the {what} is in use by {}", holders.join(", "))]
    Held {
        /// What is to go: `network shop_backend`.
        what: String,
        /// Names of the containers that use it.
        holders: Vec<String>,
    },
    /// The image was sent, but is not there.
    #[error("the engine took the image {tag} and does not have it")]
    ImageLost {
        /// The image's tag.
        tag: String,
        /// What it said while loading, if it said anything.
        #[source]
        source: Option<Box<Bollard>>,
    },
    /// The program cannot run in the image.
    #[error("no image can be made of {path}: it {why}")]
    Program {
        /// Where the program is.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file of this machine cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// The engine's own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EngineSaid(pub String);

impl EngineError {
    /// Whether what was asked for does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether the image of what was to be made does not exist, or went while it was made.
    pub(crate) fn lacks_image(&self) -> bool {
        matches!(self, Self::Refused { status: 404 | 500, said, .. } if says_image_gone(&said.0))
    }

    /// Whether it is in the way of something: a name, a state, a use.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status: 409, .. })
    }
}

/// Turns bollard's error into ours; `what` completes "the engine cannot ...".
pub(crate) fn during(what: impl Into<String>) -> impl FnOnce(Bollard) -> EngineError {
    let what = what.into();
    move |error| match error {
        Bollard::DockerResponseServerError { status_code, message } => {
            EngineError::Refused { what, status: status_code, said: EngineSaid(message.trim().to_owned()) }
        }
        source => EngineError::NoAnswer { what, source: Box::new(source) },
    }
}

/// Whether the engine's words say that a port is taken: the three texts engines have for it.
pub(crate) fn says_port_taken(text: &str) -> bool {
    ["port is already allocated", "address already in use", "Ports are not available"]
        .iter()
        .any(|sign| text.contains(sign))
}

/// Whether the engine's words say that an image is not there: it finds none of the name, or none of its files any
/// more, or none of its layers.
fn says_image_gone(text: &str) -> bool {
    let file_went = text.contains("failed to get digest") && text.contains("no such file or directory");
    file_went || ["No such image", "layer does not exist"].iter().any(|sign| text.contains(sign))
}

/// Makes an answer of "it does not exist" a success: it is gone, as wanted.
pub(crate) fn gone_is_fine(result: Result<(), EngineError>) -> Result<(), EngineError> {
    match result {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_conflicts_are_recognised_in_all_their_words() {
        for (text, taken) in [
            (
                "driver failed programming external connectivity: Bind for 0.0.0.0:3003 failed: port is already allocated",
                true,
            ),
            ("Error starting userland proxy: listen tcp4 127.0.0.1:3003: bind: address already in use", true),
            ("Ports are not available: exposing port TCP 0.0.0.0:3003", true),
            ("No such container: x", false),
        ] {
            assert_eq!(says_port_taken(text), taken, "{text}");
        }
    }

    #[test]
    fn the_engine_is_quoted_without_its_status() {
        let error = during("start the container shop-user-1")(Bollard::DockerResponseServerError {
            status_code: 404,
            message: "No such container: shop-user-1\n".to_owned(),
        });
        assert!(error.is_not_found() && !error.is_conflict() && !error.lacks_image());
        let shown = format!("{:#}", anyhow::Error::from(error));
        assert_eq!(
            shown,
            "the engine cannot start the container shop-user-1: No such container: shop-user-1"
        );
    }

    #[test]
    fn a_missing_image_is_told_from_another_thing_that_is_missing() {
        let missing = |status_code: u16, message: &str| {
            let message = message.to_owned();
            during("create it")(Bollard::DockerResponseServerError { status_code, message }).lacks_image()
        };
        assert!(missing(404, "No such image: ordersys:0123456789ab"));
        // Removed while a container was made of it.
        assert!(missing(
            500,
            "failed to get digest sha256:01ab: open /var/lib/docker/image/overlay2/imagedb/content/sha256/01ab: \
             no such file or directory"
        ));
        assert!(missing(500, "layer does not exist"));
        assert!(!missing(404, "network 0123 not found"));
        assert!(!missing(500, "open /run/docker/netns/01ab: no such file or directory"));
        assert!(!missing(409, "No such image: ordersys:0123456789ab"));
    }
}
