//! Whether what an engine has of a project was made from this state directory. Two directories may use one name, and
//! a copy has the name of its original: neither must take over, or take down, what the other one made.

use std::path::Path;

use ordersys_engine::labels::{Names, Owner};
use ordersys_engine::observe::owners;
use ordersys_engine::volumes;
use ordersys_engine::volumes::Unlabelled;
use ordersys_engine::{Engine, EngineError};

use crate::model::project::{Project, SERVICE_FILE};
use crate::model::record::RuntimeKind;
use crate::model::started::Started;
use crate::state::mark::{Mark, Ownership};

/// The state directory of a project, as labels name it; `None` as long as no `up` has marked it.
pub(crate) fn of(project: &Project) -> Option<Owner> {
    let Ok(Ownership::Ours(mark)) = Ownership::of(project) else { return None };
    let dir = std::path::absolute(&project.dir).ok()?;
    Some(Owner { identity: mark.identity.to_string(), dir: dir.to_str()?.to_owned() })
}

/// Fails if containers or volumes of the project were made from another state directory that is still there.
pub(crate) async fn check_owner(engine: &Engine, project: &Project) -> Result<(), EngineError> {
    let ours = of(project).map(|owner| owner.identity);
    let names = Names::of(&project.name);
    let here = std::path::absolute(&project.dir).ok();
    // A directory that was restored is at the place that the labels name, and so is no other.
    let is_here = |owner: &Owner| here.as_deref() == Some(Path::new(&owner.dir));
    let other = owners(engine, &names).await?.into_iter().find(|owner| {
        let elsewhere = ours.as_ref() != Some(&owner.identity) && !is_here(owner);
        elsewhere && (engine.remote_host().is_some() || is_there(owner))
    });
    match other {
        None => Ok(()),
        Some(Owner { dir, .. }) => Err(EngineError::Elsewhere { project: project.name.to_string(), dir }),
    }
}

/// Fails if a volume of the project may be of another state directory: earlier versions did not note of which it is.
pub(crate) async fn check_volumes(engine: &Engine, project: &Project) -> Result<(), EngineError> {
    let names = Names::of(&project.name);
    let unlabelled = volumes::without_owner(engine, &names).await?;
    if unlabelled.is_empty() || was_in_docker(project) {
        return Ok(());
    }
    let ours = of(project).map(|owner| owner.identity);
    let is_ours = |owner: &Owner| ours.as_ref() == Some(&owner.identity);
    if project.is_in_the_usual_place() && owners(engine, &names).await?.iter().all(is_ours) {
        return Ok(());
    }
    let begun = begun(project);
    let other = |volume: &&Unlabelled| begun.is_none_or(|begun| volume.made.is_none_or(|made| made < begun));
    match unlabelled.iter().find(other) {
        None => Ok(()),
        Some(Unlabelled { name, .. }) => Err(EngineError::Unclaimed {
            volume: name.clone(),
            project: project.name.to_string(),
            dir: project.dir.display().to_string(),
        }),
    }
}

fn was_in_docker(project: &Project) -> bool {
    Started::load(project).is_some_and(|last| last.runtime == RuntimeKind::Docker)
}

/// When the state directory got its credentials, which it does before any volume is made, in seconds since 1970.
fn begun(project: &Project) -> Option<i64> {
    let made = std::fs::metadata(project.secrets_dir().join(SERVICE_FILE)).ok()?;
    Some(std::os::unix::fs::MetadataExt::mtime(&made))
}

/// Whether the directory is there and has not become another's. One that may not be read is.
fn is_there(owner: &Owner) -> bool {
    match std::fs::read(Path::new(&owner.dir).join(Mark::FILE)) {
        Ok(text) => serde_json::from_slice::<Mark>(&text)
            .is_ok_and(|mark| mark.identity.to_string() == owner.identity),
        Err(error) => error.kind() == std::io::ErrorKind::PermissionDenied,
    }
}
