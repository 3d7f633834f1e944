//! The image in the engine: is it there, load it, and clear away those that no container uses any more.

pub(crate) mod archive;
pub(crate) mod elf;

use std::path::Path;

pub use crate::image::archive::ImageName;

use bollard::body_full;
use bollard::errors::Error as Bollard;
use bollard::query_parameters::{ImportImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions};
use futures_util::StreamExt as _;
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::error::{EngineError, during};
use crate::labels;

/// Limit of loading an image, whatever its size.
const LOAD_LIMIT: Duration = Duration::from_mins(10);
/// How often an image that goes is loaded again for one thing to be made of it.
const MAX_RELOADS: usize = 3;

/// Whether the engine has the image.
pub async fn is_present(engine: &Engine, name: &ImageName) -> Result<bool, EngineError> {
    let found = engine.docker.inspect_image(&name.tag).await;
    match found.map_err(during(format!("look at the image {}", name.tag))) {
        Ok(image) => {
            let labels = image.config.and_then(|config| config.labels).unwrap_or_default();
            Ok(labels.get(labels::IMAGE_HASH) == Some(&name.hash))
        }
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the image of a program and loads it.
pub async fn load(engine: &Engine, name: &ImageName, program: &Path) -> Result<(), EngineError> {
    let archive = {
        let (name, path, arch) = (name.clone(), program.to_owned(), engine.arch.clone());
        let made = tokio::task::spawn_blocking(move || make(&name, &path, &arch)).await;
        made.map_err(|error| EngineError::Program {
            path: program.display().to_string(),
            why: format!("could not be packed: {error}"),
        })??
    };
    let docker = engine.docker.clone().with_timeout(LOAD_LIMIT);
    let options = ImportImageOptionsBuilder::new().quiet(true).build();
    let mut answers = Box::pin(docker.import_image(options, body_full(archive.into()), None));
    // Errors come inside an answer of 200, and bollard may stumble over the end of a good one: read
    // it to its end, then look whether the image is there.
    let mut said: Option<Bollard> = None;
    let read = async {
        while let Some(answer) = answers.next().await {
            said = answer.err().or(said.take());
        }
    };
    let _ = tokio::time::timeout(LOAD_LIMIT, read).await; // an answer without an end: what counts is the look
    if is_present(engine, name).await? {
        return Ok(());
    }
    Err(EngineError::ImageLost { tag: name.tag.clone(), source: said.map(Box::new) })
}

/// Makes what needs the image. If that went since it was seen, since another project replaced its last
/// container of it and cleared it away, it is loaded again, a few times at most: it may still be going.
pub async fn with_image<T>(
    engine: &Engine,
    name: &ImageName,
    program: &Path,
    make: impl AsyncFn() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    for _ in 0..MAX_RELOADS {
        match make().await {
            Err(error) if error.lacks_image() => load(engine, name, program).await?,
            made => return made,
        }
    }
    make().await
}

fn make(name: &ImageName, path: &Path, arch: &str) -> Result<Vec<u8>, EngineError> {
    let shown = path.display().to_string();
    let unreadable = |source| EngineError::File { path: shown.clone(), source };
    let unusable = |why: String| EngineError::Program { path: shown.clone(), why };
    let program = std::fs::read(path).map_err(unreadable)?;
    let machine = elf::inspect(&program).map_err(|error| unusable(error.to_string()))?;
    if machine.name() != arch {
        return Err(unusable(format!("is for {}, and the engine's machine is {arch}", machine.name())));
    }
    archive::image(name, machine, &program).map_err(unreadable)
}

/// Removes every image of ours that no container uses.
pub async fn prune(engine: &Engine) -> Result<(), EngineError> {
    let options = ListImagesOptionsBuilder::new().filters(&labels::label_filter(labels::IMAGE_HASH)).build();
    let images = engine.docker.list_images(Some(options)).await.map_err(during("list images"))?;
    remove_unused(engine, images.into_iter().map(|image| image.id)).await?;
    Ok(())
}

/// Removes images and returns those that were removed. One that a container uses stays: the engine
/// refuses.
pub async fn remove_unused(
    engine: &Engine,
    images: impl IntoIterator<Item = String>,
) -> Result<Vec<String>, EngineError> {
    let mut removed = Vec::new();
    for image in images {
        let what = during(format!("remove the image {image}"));
        match engine.docker.remove_image(&image, None::<RemoveImageOptions>, None).await.map_err(what) {
            Ok(_) => removed.push(image),
            Err(error) if error.is_conflict() || error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}
