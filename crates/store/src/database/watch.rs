//! Looks after the files of a store while it is open: whether they are still in place, how large the log is, and
//! whether a disk that was full has room again.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;

use crate::Options;
use crate::database::condition::Trouble;
use crate::database::directory::Held;
use crate::database::{holders, open};

/// How often the files are looked at.
pub(crate) const EVERY: Duration = Duration::from_secs(1);
/// How often a store in trouble is tried again.
pub(crate) const PROBE: Duration = Duration::from_millis(250);
/// A log beyond this is reported, and given back once nothing in it is needed: bytes. Eight times what it usually has.
const LARGE_LOG: u64 = 64 * 1024 * 1024;
/// Room that a disk needs before it counts as not full any more, in bytes: some commits.
const ROOM: usize = 256 * 1024;

/// How a database begins.
const DATABASE_MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How its log begins.
const LOG_MAGIC: [&[u8]; 2] = [&[0x37, 0x7f, 0x06, 0x82], &[0x37, 0x7f, 0x06, 0x83]];

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
    /// A file does not begin as one of SQLite's does any more.
    Overwritten,
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

    /// Looks at the files, at the database through the file that is held open: to close another one would drop
    /// SQLite's locks.
    pub(crate) fn look(&mut self, held: &File) -> Seen {
        let log = fs::metadata(&self.log);
        let database = fs::metadata(&self.database);
        if is_other(&database, self.database_place) || is_other(&log, self.log_place) {
            return Seen::Replaced;
        }
        if !begins_with(held, DATABASE_MAGIC) || !log_begins_well(&self.log) {
            return Seen::Overwritten;
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

/// Whether a file begins with these bytes. One that cannot be read now is not judged.
fn begins_with(file: &File, magic: &[u8]) -> bool {
    let mut found = [0; DATABASE_MAGIC.len()];
    match file.read_exact_at(&mut found[..magic.len()], 0) {
        Ok(()) => &found[..magic.len()] == magic,
        Err(error) => error.kind() != ErrorKind::UnexpectedEof,
    }
}

/// Whether a log that holds something begins as a log does; its last bit tells how its sums are made.
fn log_begins_well(log: &Path) -> bool {
    let Ok(file) = File::open(log) else { return true };
    let is_empty = file.metadata().is_ok_and(|metadata| metadata.len() == 0);
    is_empty || LOG_MAGIC.iter().any(|magic| begins_with(&file, magic))
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
