//! Who may depend on whom, and how large the rooms may grow: `ARCHITECTURE.md` draws these arrows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// Each crate of the workspace, and the crates of the workspace that it may use, except in its tests.
const MAY_USE: [(&str, &[&str]); 22] = [
    (
        "ordersys",
        &[
            "bench",
            "chassis",
            "command",
            "contract",
            "engine",
            "loadgen",
            "logs",
            "order",
            "product",
            "report",
            "spans",
            "stack",
            "store",
            "supervisor",
            "user",
            "verify",
            "workload",
        ],
    ),
    ("bench", &["command", "contract", "loadgen", "stack", "verify", "workload"]),
    (
        "benches",
        &[
            "chassis", "contract", "loadgen", "order", "ordersys", "product", "spans", "store", "user",
            "workload",
        ],
    ),
    ("chassis", &["contract", "spans", "token"]),
    ("command", &[]),
    ("contract", &[]),
    ("engine", &["contract"]),
    ("loadgen", &["contract", "workload"]),
    ("logs", &["command", "contract", "engine", "stack", "supervisor"]),
    ("order", &["chassis", "contract", "spans", "store"]),
    ("postgres", &["contract"]),
    ("product", &["chassis", "contract", "spans", "store"]),
    ("report", &["bench", "command", "contract", "loadgen", "stack", "verify", "workload"]),
    ("spans", &["contract"]),
    ("stack", &["command", "contract", "engine", "supervisor"]),
    ("store", &["contract", "spans"]),
    ("supervisor", &["command", "contract"]),
    ("token", &["contract"]),
    ("user", &["chassis", "contract", "spans", "store", "token"]),
    ("verify", &["contract", "workload"]),
    ("workload", &["contract"]),
    ("xtask", &["bench", "command", "contract"]),
];
/// What tests share: it may use every crate, and none may use it except in its tests.
const TESTKIT: &str = "testkit";
/// Most files in a folder; the commands are a file each.
const MAX_FILES: usize = 15;
/// Most lines of a file, of tests too.
const MAX_LINES: usize = 300;
/// Most lines of a crate, its unit tests included.
const MAX_CRATE_LINES: usize = 10_000;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

fn short(name: &str) -> &str {
    name.strip_prefix("ordersys-").unwrap_or(name)
}

#[test]
fn crates_use_only_the_crates_they_may() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).expect("metadata");
    let allowed: BTreeMap<_, BTreeSet<_>> =
        MAY_USE.iter().map(|(name, uses)| (*name, uses.iter().copied().collect())).collect();
    let mut used = metadata.packages.iter().flat_map(|package| &package.dependencies);
    assert!(used.all(|dependency| dependency.name != "xtask"), "nothing uses xtask");
    let packages = metadata.packages.iter().filter(|package| short(&package.name) != TESTKIT);
    for package in packages.clone() {
        let name = short(&package.name);
        let allowed = allowed.get(name).unwrap_or_else(|| panic!("{name} has no line in the table"));
        let shipped = package.dependencies.iter().filter(|used| used.kind.as_deref() != Some("dev"));
        for used in shipped.map(|dependency| &dependency.name).filter(|used| used.starts_with("ordersys")) {
            assert!(allowed.contains(short(used)), "{name} must not use {}", short(used));
        }
    }
    assert_eq!(packages.count(), MAY_USE.len(), "each crate has one line in the table");
}

/// Visits every folder with the lines of each of its Rust files; how many lines it is in all.
fn visit(dir: &Path, look: &mut impl FnMut(&Path, &BTreeMap<String, usize>)) -> usize {
    let (mut files, mut sum) = (BTreeMap::new(), 0);
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            sum += visit(&path, look);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let lines = std::fs::read_to_string(&path).expect("reads").lines().count();
            files.insert(name, lines);
            sum += lines;
        }
    }
    look(dir, &files);
    sum
}

/// How many lines of code are below a folder, none of whose folders and files is too large.
fn lines_of_small_rooms(top: &Path) -> usize {
    visit(top, &mut |dir, files| {
        let is_commands = dir.ends_with("src/cli");
        assert!(is_commands || files.len() <= MAX_FILES, "{} has {} files", dir.display(), files.len());
        for (name, lines) in files {
            assert!(*lines <= MAX_LINES, "{} has {lines} lines", dir.join(name).display());
        }
    })
}

#[test]
fn rooms_stay_small() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let members = ["crates", "services"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).expect("a folder"));
    let members = members.flatten().map(|entry| entry.path());
    let members: Vec<_> = members.chain([root.to_owned(), root.join("xtask")]).collect();
    for member in &members {
        let lines = lines_of_small_rooms(&member.join("src"));
        assert!(lines <= MAX_CRATE_LINES, "{} has {lines} lines", member.display());
        if member.join("tests").is_dir() {
            lines_of_small_rooms(&member.join("tests"));
        }
    }
}
