//! The image as a tar made in memory: `docker load` takes it in a twentieth of a second and needs no
//! builder, no registry and no Dockerfile. The layout serves old engines (`manifest.json`) and those
//! that keep images in containerd (`index.json`) alike. The same program makes the same bytes.

use std::io;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::image::elf::Machine;
use crate::{GROUP_ID, SECRETS_DIR, USER_ID, labels};
use ordersys_contract::Role;
use ordersys_contract::hex;

/// Raised whenever the files or the configuration below change, so that the image gets another name.
const LAYOUT: u32 = 2;
/// When the release was made: the same program is the same image wherever and whenever it is made.
const RELEASED: &str = "2026-11-30T00:00:00Z";

/// The name of an image and the hash of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    /// `ordersys:` and the first digits of the hash.
    pub tag: String,
    /// SHA-256 of layout and program, in hexadecimal.
    pub hash: String,
}

impl ImageName {
    /// The image of the program with this SHA-256.
    #[must_use]
    pub fn of(program_sha256: &str) -> Self {
        let hash = hex(&Sha256::digest(format!("layout {LAYOUT}\nprogram {program_sha256}\n")));
        Self { tag: Self::tag_of(&hash), hash }
    }

    /// The tag of the image whose hash begins like this: with twelve digits at least.
    #[must_use]
    pub fn tag_of(hash: &str) -> String {
        format!("ordersys:{}", hash.get(..12).unwrap_or(hash))
    }
}

/// Content that is named by its digest.
struct Blob {
    digest: String,
    content: Vec<u8>,
}

impl Blob {
    fn new(content: Vec<u8>) -> Self {
        Self { digest: hex(&Sha256::digest(&content)), content }
    }

    fn json(value: &Value) -> io::Result<Self> {
        Ok(Self::new(serde_json::to_vec(value)?))
    }

    fn path(&self) -> String {
        format!("blobs/sha256/{}", self.digest)
    }

    fn reference(&self, kind: &str) -> Value {
        json!({
            "mediaType": format!("application/vnd.oci.image.{kind}"),
            "digest": format!("sha256:{}", self.digest),
            "size": self.content.len(),
        })
    }
}

/// The archive for `docker load`.
pub(crate) fn image(name: &ImageName, machine: Machine, program: &[u8]) -> io::Result<Vec<u8>> {
    let layer = Blob::new(layer(program)?);
    let config = Blob::json(&config(name, machine, &layer.digest))?;
    let manifest = Blob::json(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config.reference("config.v1+json"),
        "layers": [layer.reference("layer.v1.tar")],
    }))?;
    let index = index(name, machine, &manifest);
    let classic = json!([{ "Config": config.path(), "RepoTags": [name.tag], "Layers": [layer.path()] }]);
    let mut tar = Builder::new(Vec::with_capacity(layer.content.len() + 64 * 1024));
    for blob in [&layer, &config, &manifest] {
        file(&mut tar, &blob.path(), 0o444, &blob.content)?;
    }
    file(&mut tar, "oci-layout", 0o444, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    file(&mut tar, "index.json", 0o444, &serde_json::to_vec(&index)?)?;
    file(&mut tar, "manifest.json", 0o444, &serde_json::to_vec(&classic)?)?;
    tar.into_inner()
}

fn index(name: &ImageName, machine: Machine, manifest: &Blob) -> Value {
    let version = name.tag.rsplit(':').next().unwrap_or_default();
    let mut entry = manifest.reference("manifest.v1+json");
    entry["platform"] = json!({ "architecture": machine.name(), "os": "linux" });
    entry["annotations"] = json!({
        "io.containerd.image.name": format!("docker.io/library/{}", name.tag),
        "org.opencontainers.image.ref.name": version,
    });
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    })
}

/// The credentials as a tar to unpack into their volume: readable for the services' user only.
pub(crate) fn secrets(files: &[(String, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = header(EntryType::Regular, 0o400, content.len());
        header.set_uid(USER_ID);
        header.set_gid(GROUP_ID);
        tar.append_data(&mut header, name, content.as_slice())?;
    }
    tar.into_inner()
}

fn layer(program: &[u8]) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::with_capacity(program.len() + 16 * 1024));
    file(&mut tar, "ordersys", 0o555, program)?;
    directory(&mut tar, "etc", 0o755, 0)?;
    let passwd =
        format!("root:x:0:0:root:/:/sbin/nologin\nordersys:x:{USER_ID}:{GROUP_ID}::/:/sbin/nologin\n");
    file(&mut tar, "etc/passwd", 0o444, passwd.as_bytes())?;
    file(&mut tar, "etc/group", 0o444, format!("root:x:0:\nordersys:x:{GROUP_ID}:\n").as_bytes())?;
    directory(&mut tar, "tmp", 0o1777, 0)?;
    directory(&mut tar, "data", 0o755, USER_ID)?;
    for role in Role::ALL {
        // A new volume mounted here takes over owner and mode.
        directory(&mut tar, &format!("data/{role}"), 0o700, USER_ID)?;
    }
    directory(&mut tar, "run", 0o755, 0)?;
    directory(&mut tar, "run/ordersys", 0o755, 0)?;
    directory(&mut tar, SECRETS_DIR.trim_start_matches('/'), 0o700, USER_ID)?;
    tar.into_inner()
}

fn config(name: &ImageName, machine: Machine, layer_digest: &str) -> Value {
    json!({
        "architecture": machine.name(),
        "os": "linux",
        "created": RELEASED,
        "config": {
            "User": format!("{USER_ID}:{GROUP_ID}"),
            "Env": ["PATH=/"],
            "Entrypoint": ["/ordersys"],
            "WorkingDir": "/",
            "StopSignal": "SIGTERM",
            "Labels": { (labels::IMAGE_HASH): name.hash },
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer_digest}")] },
        "history": [{ "created": RELEASED, "created_by": "ordersys up" }],
    })
}

fn file(tar: &mut Builder<Vec<u8>>, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    tar.append_data(&mut header(EntryType::Regular, mode, content.len()), path, content)
}

fn directory(tar: &mut Builder<Vec<u8>>, path: &str, mode: u32, owner: u64) -> io::Result<()> {
    let mut header = header(EntryType::Directory, mode, 0);
    header.set_uid(owner);
    header.set_gid(owner);
    tar.append_data(&mut header, format!("{path}/"), io::empty())
}

fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use super::*;

    fn entries(tar: &[u8]) -> BTreeMap<String, (u32, u64, Vec<u8>)> {
        let mut archive = tar::Archive::new(tar);
        let read = |mut entry: tar::Entry<'_, &[u8]>| {
            let path = entry.path().expect("a path").display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("content");
            let header = entry.header();
            (path, (header.mode().expect("mode"), header.uid().expect("uid"), content))
        };
        archive.entries().expect("a tar").map(|entry| read(entry.expect("an entry"))).collect()
    }

    fn sample() -> Vec<u8> {
        image(&ImageName::of("abc"), Machine::X86_64, b"program").expect("made")
    }

    #[test]
    fn the_same_program_makes_the_same_bytes() {
        assert_eq!(sample(), sample());
        assert_ne!(ImageName::of("abc").tag, ImageName::of("abd").tag);
    }

    #[test]
    fn every_blob_has_the_digest_it_is_named_by() {
        let files = entries(&sample());
        let blobs: Vec<_> = files.iter().filter(|(path, _)| path.starts_with("blobs/")).collect();
        assert_eq!(blobs.len(), 3);
        for (path, (_, _, content)) in blobs {
            assert_eq!(*path, Blob::new(content.clone()).path());
        }
        let manifest: Value = serde_json::from_slice(&files["manifest.json"].2).expect("JSON");
        let config = &files[manifest[0]["Config"].as_str().expect("a path")].2;
        let config: Value = serde_json::from_slice(config).expect("JSON");
        let layer = &files[manifest[0]["Layers"][0].as_str().expect("a path")].2;
        assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{}", Blob::new(layer.clone()).digest));
    }

    #[test]
    fn the_layer_is_what_a_service_needs_and_no_more() {
        let files = entries(&layer(b"program").expect("made"));
        let shown: Vec<String> =
            files.iter().map(|(path, (mode, uid, _))| format!("{mode:o} {uid} {path}")).collect();
        assert_eq!(
            shown,
            [
                "755 65532 data/",
                "700 65532 data/order/",
                "700 65532 data/product/",
                "700 65532 data/user/",
                "755 0 etc/",
                "444 0 etc/group",
                "444 0 etc/passwd",
                "555 0 ordersys",
                "755 0 run/",
                "755 0 run/ordersys/",
                "700 65532 run/ordersys/secrets/",
                "1777 0 tmp/",
            ]
        );
    }

    #[test]
    fn secrets_are_for_the_services_user_only() {
        let files = entries(&secrets(&[("service.token".to_owned(), b"x".to_vec())]).expect("made"));
        assert_eq!(files["service.token"], (0o400, USER_ID, b"x".to_vec()));
    }
}
