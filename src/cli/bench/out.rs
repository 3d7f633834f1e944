//! The directory that `--out` names: it never holds files of two runs, and what is wrong with it is said before anything
//! else is done.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::bench::{Exit, Failure, OrFail, Outcome};
use ordersys_bench::compare::Side;
use ordersys_bench::result::FILE;
use ordersys_bench::result::files::{create_shared, make_shared_dir};
use ordersys_report::export;

/// Most files of an earlier run that are looked at.
const MOST_FILES: usize = 10_000;

#[derive(Debug, clap::Args)]
pub(super) struct OutArgs {
    /// Store what was measured in this directory, with a page to look at
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace what an earlier run stored in that directory
    #[arg(long, requires = "out")]
    force: bool,
}

impl OutArgs {
    /// Whether a directory was named.
    pub(super) fn is_given(&self) -> bool {
        self.out.is_some()
    }

    /// Makes the directory ready, if one was named: it is there, can be written, and holds no result.
    pub(super) fn claim(&self) -> Outcome<Option<&Path>> {
        let Some(dir) = self.out.as_deref() else { return Ok(None) };
        if dir.exists() && !dir.is_dir() {
            let what = format!("{} is a file; --out takes a directory", dir.display());
            return Err(
                Failure::new(Exit::Usage, what).hint("name a directory, which is made if it is not there")
            );
        }
        let earlier = earlier(dir).hint("name another directory with --out")?;
        if let (Some(first), false) = (earlier.first(), self.force) {
            let what =
                format!("{} holds what an earlier run stored, such as {}", dir.display(), first.display());
            return Err(
                Failure::new(Exit::Usage, what).hint("name another directory, or replace it with --force")
            );
        }
        clear(&earlier).and_then(|()| try_out(dir)).hint("name another directory with --out")?;
        Ok(Some(dir))
    }
}

/// The files in a directory that runs or comparisons stored there, those of the compared runs included.
fn earlier(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = files_of_a_run(dir)?;
    for side in [Side::A, Side::B] {
        for run in entries(&dir.join(side.letter()))? {
            if run.is_dir() {
                found.extend(files_of_a_run(&run)?);
            }
        }
    }
    Ok(found)
}

fn files_of_a_run(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let ours =
        |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(export::is_stored);
    Ok(entries(dir)?.into_iter().filter(|path| ours(path) && !path.is_dir()).collect())
}

/// What is in a directory, in order; nothing if it is not there.
fn entries(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let context = || format!("cannot read {}", dir.display());
    let entries = match std::fs::read_dir(dir) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.with_context(context)?,
    };
    let paths: std::io::Result<Vec<_>> =
        entries.take(MOST_FILES).map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.with_context(context)?;
    paths.sort();
    Ok(paths)
}

fn clear(earlier: &[PathBuf]) -> anyhow::Result<()> {
    for path in earlier {
        std::fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        // The directory of a compared run goes with its last file; others hold more, or stay.
        if let Some(run) = path.parent().filter(|run| run.parent().is_some_and(is_side)) {
            let _ = std::fs::remove_dir(run);
        }
    }
    Ok(())
}

fn is_side(dir: &Path) -> bool {
    [Side::A, Side::B].iter().any(|side| dir.file_name().is_some_and(|name| name == side.letter()))
}

/// Whether a file can be made there.
fn try_out(dir: &Path) -> anyhow::Result<()> {
    make_shared_dir(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    let path = dir.join(FILE);
    let tried = create_shared(&path).map(drop).and_then(|()| std::fs::remove_file(&path));
    tried.with_context(|| format!("cannot write {}", path.display()))
}
