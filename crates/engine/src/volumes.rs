//! The project's volumes: data, one for each role, and the credentials.

use std::collections::BTreeSet;
use std::path::Path;

use bollard::body_full;
use bollard::models::{ContainerCreateBody, HostConfig, Volume, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptions, ListVolumesOptionsBuilder, RemoveVolumeOptions, UploadToContainerOptionsBuilder,
};
use ordersys_contract::Timestamp;

use crate::SECRETS_DIR;
use crate::container::body::{Access, volume_mount};
use crate::container::remove;
use crate::engine::Engine;
use crate::engine::error::{EngineError, during, gone_is_fine};
use crate::image::archive;
use crate::image::archive::ImageName;
use crate::labels;
use crate::labels::{Names, RunId};

/// The names of the project's volumes.
pub async fn list(engine: &Engine, names: &Names) -> Result<BTreeSet<String>, EngineError> {
    Ok(find(engine, names).await?.into_iter().map(|volume| volume.name).collect())
}

/// The names of the project's volumes a run made.
pub(crate) async fn of_run(engine: &Engine, names: &Names, run: &RunId) -> Result<Vec<String>, EngineError> {
    let of_run = |volume: &Volume| volume.labels.get(labels::RUN_ID).map(String::as_str) == Some(run.text());
    let found = find(engine, names).await?.into_iter();
    Ok(found.filter(of_run).map(|volume| volume.name).collect())
}

/// The values a label has on volumes.
pub(crate) async fn label_values(engine: &Engine, label: &str) -> Result<Vec<String>, EngineError> {
    let options = ListVolumesOptionsBuilder::new().filters(&labels::label_filter(label)).build();
    let found = engine.docker.list_volumes(Some(options)).await.map_err(during("list volumes"))?;
    let volumes = found.volumes.unwrap_or_default();
    Ok(volumes.into_iter().filter_map(|mut volume| volume.labels.remove(label)).collect())
}

/// A volume that does not say from which state directory it was made.
#[derive(Debug)]
pub struct Unlabelled {
    /// Its name.
    pub name: String,
    /// When it was made, in seconds since 1970, as far as the engine tells.
    pub made: Option<i64>,
}

/// The project's volumes without an owner: those that earlier versions made.
pub async fn without_owner(engine: &Engine, names: &Names) -> Result<Vec<Unlabelled>, EngineError> {
    let found = find(engine, names).await?.into_iter();
    let unlabelled = found.filter(|volume| !volume.labels.contains_key(labels::OWNER));
    let made = |volume: &Volume| volume.created_at.as_ref()?.parse::<Timestamp>().ok();
    let seconds = |at: Timestamp| at.as_millis().div_euclid(1000);
    Ok(unlabelled.map(|volume| Unlabelled { made: made(&volume).map(seconds), name: volume.name }).collect())
}

async fn find(engine: &Engine, names: &Names) -> Result<Vec<Volume>, EngineError> {
    let options = ListVolumesOptionsBuilder::new().filters(&names.filter()).build();
    let found = engine.docker.list_volumes(Some(options)).await.map_err(during("list volumes"))?;
    Ok(found.volumes.unwrap_or_default())
}

/// Makes a volume. Asked for one that exists, engines return that one: it has to be ours.
pub async fn create(engine: &Engine, names: &Names, run: &RunId, name: &str) -> Result<(), EngineError> {
    let request = VolumeCreateRequest {
        name: Some(name.to_owned()),
        labels: Some(names.labels(run)),
        ..VolumeCreateRequest::default()
    };
    let what = during(format!("create the volume {name}"));
    let volume = engine.docker.create_volume(request).await.map_err(what)?;
    if volume.labels.get(labels::PROJECT) == Some(&names.project) {
        return Ok(());
    }
    Err(EngineError::Foreign { kind: "volume", name: name.to_owned(), project: names.project.clone() })
}

/// Removes a volume; one that is gone is fine.
pub(crate) async fn delete(engine: &Engine, name: &str) -> Result<(), EngineError> {
    let what = during(format!("remove the volume {name}"));
    gone_is_fine(engine.docker.remove_volume(name, None::<RemoveVolumeOptions>).await.map_err(what))
}

/// The files that hold credentials on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The directory they are in.
    pub dir: &'a Path,
    /// Their names.
    pub files: &'a [&'a str],
}

/// Puts the project's credentials into their volume. A container that is never started carries them
/// there, so that they are in no environment, no label and no command line.
pub async fn fill_secrets(
    engine: &Engine,
    names: &Names,
    run: &RunId,
    image: &ImageName,
    credentials: Credentials<'_>,
) -> Result<(), EngineError> {
    let archive = packed(credentials)?;
    let carrier = ContainerCreateBody {
        image: Some(image.tag.clone()),
        labels: Some(names.labels(run)),
        host_config: Some(HostConfig {
            mounts: Some(vec![volume_mount(&names.secrets_volume(), SECRETS_DIR, Access::Write)]),
            network_mode: Some("none".to_owned()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let what = during("create the container that carries the credentials");
    let made = engine.docker.create_container(None::<CreateContainerOptions>, carrier).await.map_err(what)?;
    let options = UploadToContainerOptionsBuilder::new().path(SECRETS_DIR).build();
    let upload = engine.docker.upload_to_container(&made.id, Some(options), body_full(archive.into()));
    let uploaded = upload.await.map_err(during("store the credentials"));
    let removed = remove(engine, &made.id).await;
    uploaded.and(removed)
}

fn packed(Credentials { dir, files: names }: Credentials<'_>) -> Result<Vec<u8>, EngineError> {
    let mut files = Vec::new();
    for name in names {
        let path = dir.join(name);
        let content = std::fs::read(&path)
            .map_err(|source| EngineError::File { path: path.display().to_string(), source })?;
        files.push(((*name).to_owned(), content));
    }
    archive::secrets(&files).map_err(|source| EngineError::File { path: dir.display().to_string(), source })
}
