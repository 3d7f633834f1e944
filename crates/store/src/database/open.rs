//! Opening a database file so that it keeps what was promised, and proving that it does.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::database::directory::{Directory, Held};
use crate::database::identity;
use crate::database::identity::Found;
use crate::database::schema;
use crate::{OpenError, Options};

/// The first SQLite without the WAL-reset corruption: 3.51.3.
const OLDEST_SQLITE: i32 = 3_051_003;
/// Statements kept prepared on each connection.
const STATEMENTS: usize = 64;
/// Page cache of the writer, in KiB.
const WRITER_CACHE_KIB: i64 = 8 * 1024;
/// How long opening waits for another program's lock.
const OPENING: Duration = Duration::from_secs(5);
/// How long a connection in service waits for another program's lock.
pub(crate) const BUSY: Duration = Duration::from_secs(1);

pub(crate) struct Opened {
    pub(crate) writer: Connection,
    /// Held as long as any connection lives.
    pub(crate) held: Held,
    /// Whether the database was made just now.
    pub(crate) is_new: bool,
}

pub(crate) fn open(options: &Options) -> Result<Opened, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::SqliteTooOld(rusqlite::version()));
    }
    let directory = Directory::take(options)?;
    let found = identity::look(options, &directory)?;
    let path = file(options);
    let is_new = matches!(found, Found::New);
    let held = directory.hold(&path, is_new)?;
    let failed = |source| OpenError::database(&path, source);
    let mut writer = Connection::open(&path).map_err(failed)?;
    configure(&writer).map_err(failed)?;
    probe(&writer).map_err(failed)?;
    let lacking = identity::compare(&writer, &found, options)?;
    let unseen = unseen(&writer, options, &path)?;
    schema::check(&writer, options, &path, unseen)?;
    identity::complete(&writer, &found, &lacking, options, held.directory())?;
    keep(&writer, "journal_mode", "wal")?;
    keep(&writer, "synchronous", &options.durability.synchronous().to_string())?;
    migrate(&mut writer, options, unseen).and_then(|()| writer.busy_timeout(BUSY)).map_err(failed)?;
    identity::count_start(&writer, &found, options, held.directory())?;
    held.mark_open();
    Ok(Opened { writer, held, is_new })
}

pub(crate) fn reader(options: &Options) -> Result<Connection, OpenError> {
    let path = file(options);
    let connect = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    };
    connect().map_err(|source| OpenError::database(&path, source))
}

/// A connection that moves pages of the log to the file, as durably as the writer would.
pub(crate) fn mover(options: &Options) -> rusqlite::Result<Connection> {
    // Without permission to make a file: one that is gone must not come back empty beside its log.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file(options), flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "synchronous", options.durability.synchronous())?;
    Ok(connection)
}

pub(crate) fn file(options: &Options) -> PathBuf {
    options.dir.join(format!("{}.db", options.name))
}

pub(crate) fn log(options: &Options) -> PathBuf {
    options.dir.join(format!("{}.db-wal", options.name))
}

/// Reads the header and the schema: a file that is no database or was cut short fails here,
/// before any setting could write to it.
fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(OPENING)?;
    // A file that is refused stays as it is, its log beside it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "memory")
}

/// Sets a pragma and reads it back.
fn keep(connection: &Connection, setting: &'static str, wanted: &str) -> Result<(), OpenError> {
    let set = connection.pragma_update(None, setting, wanted);
    let got = set.and_then(|()| {
        connection.pragma_query_value(None, setting, |row| {
            row.get::<_, rusqlite::types::Value>(0).map(|value| match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => format!("{other:?}"),
            })
        })
    });
    let got = got.unwrap_or_else(|error| error.to_string());
    if got == wanted { Ok(()) } else { Err(OpenError::Setting { setting, wanted: wanted.to_owned(), got }) }
}

/// The number of the first migration that the file has not seen.
fn unseen(connection: &Connection, options: &Options, path: &Path) -> Result<usize, OpenError> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    let version = version.map_err(|source| OpenError::database(path, source))?;
    let (found, known) = (usize::try_from(version).unwrap_or(usize::MAX), options.migrations.len());
    if found > known {
        return Err(OpenError::TooNew { path: path.to_owned(), found, known });
    }
    Ok(found)
}

/// Runs the migrations from this one on, each in a transaction with its number.
fn migrate(connection: &mut Connection, options: &Options, from: usize) -> rusqlite::Result<()> {
    if from == options.migrations.len() {
        return Ok(());
    }
    sort_on_disk(connection, &options.dir)?;
    let mut unseen = options.migrations.iter().enumerate().skip(from);
    let migrated = unseen.try_for_each(|(number, migration)| step(connection, number + 1, migration));
    migrated.and(sort_in_memory(connection))
}

fn step(connection: &mut Connection, number: usize, migration: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(migration)?;
    transaction.pragma_update(None, "user_version", i64::try_from(number).unwrap_or(i64::MAX))?;
    transaction.commit()
}

/// Migrations sort whole tables, which may be larger than the memory there is: in files beside the database,
/// since a directory for temporary files may be missing, or be memory itself. They have no names, so none
/// is left by a crash. The directory holds for the whole process: if two stores migrate at once, either may sort
/// in the other's, or in SQLite's own choice.
fn sort_on_disk(connection: &Connection, dir: &Path) -> rusqlite::Result<()> {
    // A directory whose name is no text leaves SQLite its own choice.
    connection.pragma_update(None, "temp_store_directory", dir.to_str().unwrap_or_default())?;
    connection.pragma_update(None, "temp_store", "file")
}

/// As it is in service: there is little to sort, and no query waits for a disk.
fn sort_in_memory(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "temp_store_directory", "")
}
