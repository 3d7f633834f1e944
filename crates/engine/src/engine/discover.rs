//! Finds an engine that answers, and says which and why.

use std::path::PathBuf;
use std::time::Duration;

use bollard::Docker;

use crate::engine::discover_error::DiscoverError;
use crate::engine::endpoints::{Candidate, Candidates, Lookup, Tls};
use crate::engine::{Api, Engine, NEWEST_API, OLDEST_API};

/// Limit of one control call. Stops get more, see `containers`.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// Finds an engine. Asks each candidate for at most `limit`.
pub async fn discover(lookup: &Lookup, limit: Duration) -> Result<Engine, DiscoverError> {
    match lookup.candidates()? {
        Candidates::Chosen(candidate) => connect(&candidate, lookup.tls, limit).await,
        Candidates::Usual(usual) => first_usual(&usual, limit).await,
    }
}

/// The first that answers; else the first that is there and does not.
async fn first_usual(usual: &[Candidate], limit: Duration) -> Result<Engine, DiscoverError> {
    let mut failure = None;
    for candidate in usual {
        match connect(candidate, Tls::No, limit).await {
            Ok(engine) => return Ok(engine),
            Err(DiscoverError::NoSocket { .. }) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    let tried = || usual.iter().map(|candidate| candidate.address.clone()).collect();
    Err(failure.unwrap_or_else(|| DiscoverError::NoSocket { tried: tried() }))
}

async fn connect(candidate: &Candidate, tls: Tls, limit: Duration) -> Result<Engine, DiscoverError> {
    let Candidate { address, reason } = candidate.clone();
    check_way(candidate, tls)?;
    let silent = |detail: String| DiscoverError::NotAnswering {
        address: address.clone(),
        reason: reason.clone(),
        detail,
    };
    // `connect_with_host` and not a pinned version: 20.10 speaks at most 1.41, Docker 29 at least 1.44.
    let docker = Docker::connect_with_host(&address).map_err(|error| silent(error.to_string()))?;
    let docker = docker.with_timeout(CALL_LIMIT);
    let answer = tokio::time::timeout(limit, docker.version()).await;
    let version = answer.map_err(|_| silent(format!("no answer within {limit:?}")))?;
    let version = version.map_err(|error| silent(innermost(&error)))?;
    let os = version.os.unwrap_or_default();
    if os != "linux" {
        return Err(DiscoverError::NotLinux { address, os });
    }
    let api = |text: Option<String>| text.and_then(|text| Api::parse(&text)).unwrap_or(OLDEST_API);
    let engine = Engine {
        oldest_api: api(version.min_api_version),
        newest_api: api(version.api_version),
        version: version.version.unwrap_or_else(|| "unknown".to_owned()),
        arch: version.arch.unwrap_or_default(),
        address,
        reason,
        docker,
    };
    within_range(engine)
}

/// The last cause: those before it name the layers that it came through.
fn innermost(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn within_range(engine: Engine) -> Result<Engine, DiscoverError> {
    let Engine { address, version, newest_api, oldest_api, .. } = &engine;
    let (address, version) = (address.clone(), version.clone());
    if *newest_api < OLDEST_API {
        return Err(DiscoverError::TooOld { address, version, newest: *newest_api });
    }
    if *oldest_api > NEWEST_API {
        return Err(DiscoverError::TooNew { address, version, oldest: *oldest_api });
    }
    Ok(engine)
}

/// What can be said before the engine is asked: bollard tells a closed socket from a missing engine by
/// nothing.
fn check_way(candidate: &Candidate, tls: Tls) -> Result<(), DiscoverError> {
    let Candidate { address, reason } = candidate;
    let unsupported = |detail: &'static str| {
        Err(DiscoverError::Unsupported { address: address.clone(), reason: reason.clone(), detail })
    };
    match address.split_once("://") {
        Some(("unix", path)) => check_socket(path, candidate),
        Some(("tcp" | "http", _)) if tls == Tls::Required => unsupported("TLS connections are not supported"),
        Some(("tcp" | "http" | "npipe", _)) => Ok(()),
        Some(("https", _)) => unsupported("TLS connections are not supported"),
        Some(("ssh", _)) => unsupported("ssh connections are not supported"),
        _ => unsupported("the address has to start with unix:// or tcp://"),
    }
}

#[cfg(unix)]
fn check_socket(path: &str, candidate: &Candidate) -> Result<(), DiscoverError> {
    use std::io::ErrorKind;
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            ErrorKind::PermissionDenied => DiscoverError::PermissionDenied { path: PathBuf::from(path) },
            ErrorKind::NotFound => DiscoverError::NoSocket { tried: vec![candidate.address.clone()] },
            _ => DiscoverError::NotAnswering {
                address: candidate.address.clone(),
                reason: candidate.reason.clone(),
                detail: error.to_string(),
            },
        }),
    }
}

#[cfg(not(unix))]
fn check_socket(_path: &str, candidate: &Candidate) -> Result<(), DiscoverError> {
    Err(DiscoverError::NoSocket { tried: vec![candidate.address.clone()] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(address: &str) -> Lookup {
        Lookup { flag: Some(address.to_owned()), ..Lookup::default() }
    }

    async fn failure(lookup: &Lookup) -> DiscoverError {
        discover(lookup, Duration::from_millis(300)).await.expect_err("nothing is there")
    }

    #[tokio::test]
    async fn each_way_to_have_no_engine_is_told_apart() {
        let dir = tempfile::tempdir().expect("a directory");
        let missing = dir.path().join("none.sock").display().to_string();
        assert!(matches!(failure(&named(&missing)).await, DiscoverError::NoSocket { .. }));

        let silent = dir.path().join("silent.sock");
        let _listening = std::os::unix::net::UnixListener::bind(&silent).expect("bound");
        let error = failure(&named(&silent.display().to_string())).await;
        assert!(error.to_string().contains("no answer within"), "{error}");

        assert!(matches!(failure(&named("ssh://u@h")).await, DiscoverError::Unsupported { .. }));
        let tls = Lookup { tls: Tls::Required, ..named("tcp://127.0.0.1:1") };
        assert!(matches!(failure(&tls).await, DiscoverError::Unsupported { .. }));
        assert!(matches!(failure(&named("tcp://127.0.0.1:1")).await, DiscoverError::NotAnswering { .. }));
    }
}
