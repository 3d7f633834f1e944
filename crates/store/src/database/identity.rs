//! Which database belongs into a directory: both know the same random id, so that an empty, lost or foreign
//! file is never taken for the right one.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::database::directory::{Directory, LastEnd};
use crate::database::open;
use crate::{Durability, OpenError, Options};

/// The file beside the database.
pub(crate) const FILE: &str = "identity";
/// The form of that file.
const VERSION: u32 = 1;
/// The same in the database. Names and values, so that later versions can add to it.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS store_identity(
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Which store it is. Later versions may write more members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    version: u32,
    service: String,
    store: Uuid,
    /// How often the store was opened. A database that knows of fewer times than the file beside it has lost its
    /// log, or is an older copy.
    #[serde(default)]
    starts: u64,
}

impl Identity {
    fn is_of(&self, other: &Self) -> bool {
        (&self.service, self.store) == (&other.service, other.store)
    }
}

/// What a directory holds before anything is opened.
#[derive(Debug)]
pub(crate) enum Found {
    /// A store is to be made.
    New,
    /// A database, and the identity that it should have, unless an earlier version made it.
    Old(Option<Identity>),
}

/// Looks at the files, without changing any. A database that was there once and is not is an error.
pub(crate) fn look(options: &Options, directory: &Directory) -> Result<Found, OpenError> {
    if directory.last_end == LastEnd::Damaged {
        let path = open::file(options);
        let what = "was damaged when it was last in use (to start with what is there all the same, remove the \
                    file `lock` beside it)";
        return Err(OpenError::Lost { path, what });
    }
    let identity = read(&options.dir.join(FILE))?;
    let path = open::file(options);
    let size = |path: &Path| match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Directory { path: path.to_owned(), source }),
    };
    let (database, log) = (size(&path)?, size(&open::log(options))?);
    let what = match (database.unwrap_or(0), &identity, log.unwrap_or(0)) {
        (0, None, 0) => return Ok(Found::New),
        (0, None, _) if database.is_none() => "is gone, and its log is still there",
        (0, None, _) => "is empty, and its log is not",
        (0, Some(_), _) if database.is_none() => "is gone: this directory had one",
        (0, Some(_), _) => "is empty: it was not before",
        _ => {
            if log.unwrap_or(0) == 0 && directory.last_end == LastEnd::Open {
                tracing::warn!(
                    store = options.name,
                    file = %path.display(),
                    "the store was not closed and has no log any more, or an empty one: if that was removed, what was \
                     committed last is lost, and a copy has it"
                );
            }
            return Ok(Found::Old(identity));
        }
    };
    Err(OpenError::Lost { path, what })
}

fn read(path: &Path) -> Result<Option<Identity>, OpenError> {
    let failed = |source| OpenError::Identity { path: path.to_owned(), source };
    let text = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let invalid = |why: String| failed(io::Error::new(ErrorKind::InvalidData, why));
    let identity: Identity = serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
    if identity.version > VERSION {
        return Err(invalid(format!("a newer program wrote it, as version {}", identity.version)));
    }
    Ok(Some(identity))
}

/// What is still to be written.
#[derive(Debug)]
pub(crate) enum Lacking {
    /// Both sides know the identity.
    Nothing,
    /// The file: making the store was cut short.
    File(Identity),
    /// Both sides: the store is new or an earlier version made it.
    Both,
}

/// Holds the database to the identity beside it. Changes nothing.
pub(crate) fn compare(
    connection: &Connection,
    found: &Found,
    options: &Options,
) -> Result<Lacking, OpenError> {
    let path = open::file(options);
    let within = stored(connection).map_err(|source| OpenError::database(&path, source))?;
    let why = match (found, within) {
        (_, Some(within)) if within.service != options.name => {
            format!("is one of the {} service", within.service)
        }
        (Found::Old(Some(beside)), Some(within)) if beside.is_of(&within) => {
            // Other levels of durability may lose what was committed last.
            if within.starts >= beside.starts || options.durability != Durability::Full {
                return Ok(Lacking::Nothing);
            }
            "is not as it was left: its log was lost, or it is an older copy".to_owned()
        }
        (Found::Old(Some(beside)), Some(within)) => {
            format!("is another store: it says to be {}, expected is {}", within.store, beside.store)
        }
        (Found::Old(Some(beside)), None) => {
            format!("does not say which store it is, expected is {}", beside.store)
        }
        (_, Some(within)) => return Ok(Lacking::File(within)),
        (Found::New, None) => return Ok(Lacking::Both),
        (Found::Old(None), None) => {
            let lacks =
                lacks_table(connection, options).map_err(|source| OpenError::database(&path, source))?;
            match lacks {
                None => return Ok(Lacking::Both),
                Some(why) => why,
            }
        }
    };
    Err(OpenError::Foreign { path, why, identity: options.dir.join(FILE) })
}

/// Writes what is lacking.
pub(crate) fn complete(
    connection: &Connection,
    found: &Found,
    lacking: &Lacking,
    options: &Options,
    directory: &Directory,
) -> Result<(), OpenError> {
    let written = match lacking {
        Lacking::Nothing => return Ok(()),
        Lacking::File(identity) => write(identity, directory, &options.dir),
        Lacking::Both => introduce(connection, options, directory),
    };
    match found {
        Found::New => written,
        Found::Old(_) => later(written, options),
    }
}

/// Counts a start, first in the database and then beside it.
pub(crate) fn count_start(
    connection: &Connection,
    found: &Found,
    options: &Options,
    directory: &Directory,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::database(&open::file(options), source);
    let Some(within) = stored(connection).map_err(failed)? else { return Ok(()) };
    let beside = if let Found::Old(Some(beside)) = found { beside.starts } else { 0 };
    let next = Identity { starts: within.starts.max(beside) + 1, ..within };
    let counted =
        insert(connection, &next).map_err(failed).and_then(|()| write(&next, directory, &options.dir));
    later(counted, options)
}

/// What an older store lacks can be added at a later start, if the disk is full now.
fn later(written: Result<(), OpenError>, options: &Options) -> Result<(), OpenError> {
    let is_full = |error: &OpenError| match error {
        OpenError::Full { .. } => true,
        OpenError::Identity { source, .. } => {
            matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
        }
        _ => false,
    };
    match written {
        Err(error) if is_full(&error) => {
            tracing::warn!(store = options.name, %error, "the identity of the store is not written: the next start does that");
            Ok(())
        }
        other => other,
    }
}

fn introduce(connection: &Connection, options: &Options, directory: &Directory) -> Result<(), OpenError> {
    let identity =
        Identity { version: VERSION, service: options.name.to_owned(), store: Uuid::new_v4(), starts: 0 };
    insert(connection, &identity).map_err(|source| OpenError::database(&open::file(options), source))?;
    write(&identity, directory, &options.dir)
}

fn stored(connection: &Connection) -> rusqlite::Result<Option<Identity>> {
    if !tables(connection)?.iter().any(|table| table == "store_identity") {
        return Ok(None);
    }
    let value = |name: &str| {
        let select = "SELECT value FROM store_identity WHERE name = ?1";
        connection.query_row(select, [name], |row| row.get::<_, String>(0)).optional()
    };
    let (service, store) = (value("service")?, value("store")?);
    let store = store.and_then(|text| text.parse().ok());
    let starts = value("starts")?.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(service.zip(store).map(|(service, store)| Identity { version: VERSION, service, store, starts }))
}

fn insert(connection: &Connection, identity: &Identity) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(TABLE)?;
    let Identity { service, store, starts, .. } = identity;
    let (store, starts) = (store.to_string(), starts.to_string());
    for (name, value) in [("service", service), ("store", &store), ("starts", &starts)] {
        transaction.execute("INSERT OR REPLACE INTO store_identity VALUES (?1, ?2)", [name, value])?;
    }
    transaction.commit()
}

/// Writes the file whole or not at all, for the owner alone.
fn write(identity: &Identity, directory: &Directory, dir: &Path) -> Result<(), OpenError> {
    let path = dir.join(FILE);
    let written = || {
        let mut file = tempfile::NamedTempFile::new_in(dir)?; // made with mode 0600
        file.write_all(&serde_json::to_vec(identity)?)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        directory.sync()
    };
    written().map_err(|source: io::Error| OpenError::Identity { path: path.clone(), source })
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut names = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    names.query_map([], |row| row.get(0))?.collect()
}

/// A database without an identity must at least have the tables that its schema number promises. One of a
/// newer program is another matter.
fn lacks_table(connection: &Connection, options: &Options) -> rusqlite::Result<Option<String>> {
    let number: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    if number > options.migrations.len() {
        return Ok(None);
    }
    let has = tables(connection)?;
    if number == 0 {
        return Ok((!has.is_empty()).then(|| "was made by another program".to_owned()));
    }
    let model = Connection::open_in_memory()?;
    options.migrations.iter().take(number).try_for_each(|migration| model.execute_batch(migration))?;
    let lacks = tables(&model)?.into_iter().find(|name| !has.contains(name));
    Ok(lacks.map(|name| format!("has no table `{name}`")))
}
