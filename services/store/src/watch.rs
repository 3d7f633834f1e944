//! Looks after the files of a store while it is open: whether they are still in place, how large the log is, and
//! whether a disk that was full has room again.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;

use crate::condition::Trouble;
use crate::directory::Held;
use crate::{Options, holders, open};

/// How often the files are looked at.
pub(crate) const EVERY: Duration = Duration::from_secs(1);
/// How often a store in trouble is tried again.
pub(crate) const PROBE: Duration = Duration::from_millis(250);
/// A log beyond this is told, and given back once nothing in it is needed: bytes. Eight times what it usually has.
const LARGE_LOG: u64 = 64 * 1024 * 1024;
/// Room that a disk needs before it counts as not full any more, in bytes: some commits.
const ROOM: usize = 256 * 1024;

/// What makes a file the one that was opened.
type Place = (u64, u64);

/// The files of a store.
#[derive(Debug)]
pub(crate) struct Watch {
    name: &'static str,
    dir: PathBuf,
    database: PathBuf,
    log: PathBuf,
    database_place: Option<Place>,
    log_place: Option<Place>,
    is_large: bool,
    last: Instant,
    log_bytes: Gauge,
}

/// What a look at the files found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing to be done.
    Well,
    /// The log is large, and is to be given back.
    LargeLog,
    /// A file is not the one that is open.
    Replaced,
}

impl Watch {
    pub(crate) fn of(options: &Options, held: &Held, log_bytes: Gauge) -> Self {
        let log = open::log(options);
        Self {
            name: options.name,
            dir: options.dir.clone(),
            database: open::file(options),
            database_place: held.database.metadata().ok().map(|metadata| place(&metadata)),
            log_place: fs::metadata(&log).ok().map(|metadata| place(&metadata)),
            log,
            is_large: false,
            last: Instant::now(),
            log_bytes,
        }
    }

    /// Whether it is time for the next look.
    pub(crate) fn is_due(&mut self, every: Duration) -> bool {
        let is_due = self.last.elapsed() >= every;
        if is_due {
            self.last = Instant::now();
        }
        is_due
    }

    pub(crate) fn look(&mut self) -> Seen {
        let log = fs::metadata(&self.log);
        let database = fs::metadata(&self.database);
        if is_other(&database, self.database_place) || is_other(&log, self.log_place) {
            return Seen::Replaced;
        }
        let size = log.map_or(0, |metadata| metadata.len());
        self.log_bytes.set(i64::try_from(size).unwrap_or(i64::MAX));
        self.tell(size);
        if self.is_large { Seen::LargeLog } else { Seen::Well }
    }

    /// Tells once that the log has grown, and once that it has not any more.
    fn tell(&mut self, bytes: u64) {
        let was_large = std::mem::replace(&mut self.is_large, bytes > LARGE_LOG);
        let (store, file) = (self.name, self.log.display());
        match (was_large, self.is_large) {
            (false, true) => {
                let holders = holders::of(&self.database);
                tracing::warn!(
                    store, %file, bytes, holders,
                    "the log grows, since it cannot be emptied while a read that began before is under way"
                );
            }
            (true, false) => tracing::info!(store, %file, bytes, "the log is small again"),
            _ => {}
        }
    }

    pub(crate) fn database(&self) -> &Path {
        &self.database
    }

    /// Whether something can be written beside the database, and if not, why.
    pub(crate) fn room(&self) -> io::Result<()> {
        room(&self.dir)
    }
}

fn place(metadata: &Metadata) -> Place {
    (metadata.dev(), metadata.ino())
}

/// A file that cannot be looked at, for want of open files or so, is not another one.
fn is_other(found: &io::Result<Metadata>, opened: Option<Place>) -> bool {
    match found {
        Ok(metadata) => opened.is_some_and(|opened| opened != place(metadata)),
        Err(error) => opened.is_some() && error.kind() == ErrorKind::NotFound,
    }
}

/// Writes and syncs a file without a name.
fn room(dir: &Path) -> io::Result<()> {
    let mut file: File = tempfile::tempfile_in(dir)?;
    file.write_all(&vec![0; ROOM])?;
    file.sync_data()
}

/// What a failed write to a directory means. `None` if that is not known.
pub(crate) fn trouble(error: &io::Error) -> Option<Trouble> {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(Trouble::Full),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Some(Trouble::Unwritable),
        _ => None,
    }
}
