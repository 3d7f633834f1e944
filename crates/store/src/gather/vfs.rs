//! SQLite's interface for files, around SQLite's own: <https://sqlite.org/vfs.html>, "VFS Shims".
//!
//! The one place with unsafe code: that interface is made of C functions and of memory that SQLite allots.
#![expect(unsafe_code, reason = "SQLite has no other interface for files")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::held::Held;

const NAME: &CStr = c"gather";

/// SQLite's own way to files, and this one, which differs in how a log is opened.
#[repr(C)]
struct Shim {
    /// First, so that a pointer to it is one to the whole.
    vfs: sqlite3_vfs,
    own: *mut sqlite3_vfs,
}

/// A log that is open. SQLite allots the memory, and behind it that of its own file.
#[repr(C)]
struct Log {
    /// First, so that a pointer to it is one to the whole.
    base: sqlite3_file,
    held: Held,
    own: *mut sqlite3_file,
}

/// Makes this way to files known to SQLite, once. Returns its name; `None` if SQLite does not take it.
pub(super) fn registered() -> Option<&'static CStr> {
    static DONE: OnceLock<bool> = OnceLock::new();
    DONE.get_or_init(register).then_some(NAME)
}

fn register() -> bool {
    // SAFETY: SQLite's own `sqlite3_vfs` lives for ever, and may be copied, which is how a shim inherits what it
    // does not change. The copy is leaked, since SQLite keeps it.
    unsafe {
        let own = ffi::sqlite3_vfs_find(ptr::null());
        let Some(plain) = own.as_ref() else { return false };
        let Ok(more) = c_int::try_from(size_of::<Log>()) else { return false };
        let vfs = sqlite3_vfs {
            szOsFile: plain.szOsFile + more,
            zName: NAME.as_ptr(),
            pNext: ptr::null_mut(),
            xOpen: Some(open),
            ..*plain
        };
        let shim = Box::into_raw(Box::new(Shim { vfs, own }));
        ffi::sqlite3_vfs_register(shim.cast(), 0) == ffi::SQLITE_OK
    }
}

/// Opens a file: a log around SQLite's own file, any other as SQLite does.
unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls this with the `vfs` of `register` only, and with `szOsFile` bytes for the file, aligned
    // for any type. `Log` is written whole before anybody reads it.
    unsafe {
        let own_vfs = (*vfs.cast::<Shim>()).own;
        let Some(open) = (*own_vfs).xOpen else { return ffi::SQLITE_CANTOPEN };
        if flags & ffi::SQLITE_OPEN_WAL == 0 {
            return open(own_vfs, name, file, flags, out);
        }
        let log = file.cast::<Log>();
        let own: *mut sqlite3_file = log.add(1).cast();
        let opened = open(own_vfs, name, own, flags, out);
        // SQLite closes a file if it has methods, also one that could not be opened.
        let methods = if opened == ffi::SQLITE_OK { &raw const METHODS } else { ptr::null() };
        log.write(Log { base: sqlite3_file { pMethods: methods }, held: Held::default(), own });
        opened
    }
}

impl Log {
    /// # Safety
    /// `file` comes from [`open`] and was not closed; nobody else uses it meanwhile, since a connection is used
    /// by one thread at a time.
    unsafe fn of<'a>(file: *mut sqlite3_file) -> &'a mut Self {
        // SAFETY: as above.
        unsafe { &mut *file.cast() }
    }

    /// Calls a method of SQLite's own file.
    fn own(&self, call: impl FnOnce(&sqlite3_io_methods, *mut sqlite3_file) -> Option<c_int>) -> c_int {
        // SAFETY: it was opened by `open`, or this log would have no methods.
        let methods = unsafe { &*(*self.own).pMethods };
        call(methods, self.own).unwrap_or(ffi::SQLITE_IOERR)
    }

    /// Writes what is held. What cannot be written is held on, since SQLite counts on it until it gives up the
    /// whole transaction.
    fn flush(&mut self) -> c_int {
        let Some((at, bytes)) = self.held.pending() else { return ffi::SQLITE_OK };
        let Ok(length) = c_int::try_from(bytes.len()) else { return ffi::SQLITE_IOERR };
        // SAFETY: the bytes outlive the call.
        let written =
            self.own(|own, file| Some(unsafe { own.xWrite?(file, bytes.as_ptr().cast(), length, at) }));
        if written == ffi::SQLITE_OK {
            self.held.clear();
        }
        written
    }

    /// Calls a method of SQLite's own file once all that is held is in it.
    fn flushed(
        &mut self,
        call: impl FnOnce(&sqlite3_io_methods, *mut sqlite3_file) -> Option<c_int>,
    ) -> c_int {
        match self.flush() {
            ffi::SQLITE_OK => self.own(call),
            failed => failed,
        }
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: see `Log::of`; SQLite gives `length` bytes.
    let (log, bytes) = unsafe {
        (Log::of(file), std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(length).unwrap_or(0)))
    };
    if log.held.take(at, bytes) {
        return ffi::SQLITE_OK;
    }
    match log.flush() {
        ffi::SQLITE_OK if log.held.take(at, bytes) => ffi::SQLITE_OK,
        // SAFETY: what SQLite gave this function.
        ffi::SQLITE_OK => log.own(|own, file| Some(unsafe { own.xWrite?(file, from, length, at) })),
        failed => failed,
    }
}

/// The end of a commit. If the log cannot be written, the commit fails and SQLite undoes it: nothing of it may
/// get into the log later.
unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: see `Log::of`.
    let log = unsafe { Log::of(file) };
    // SAFETY: what SQLite gave this function.
    let synced = log.flushed(|own, file| Some(unsafe { own.xSync?(file, flags) }));
    log.held.clear();
    synced
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: see `Log::of`, and what SQLite gave this function.
    unsafe { Log::of(file).flushed(|own, file| Some(own.xRead?(file, to, length, at))) }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: see `Log::of`, and what SQLite gave this function.
    unsafe { Log::of(file).flushed(|own, file| Some(own.xTruncate?(file, size))) }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: see `Log::of`, and what SQLite gave this function.
    unsafe { Log::of(file).flushed(|own, file| Some(own.xFileSize?(file, size))) }
}

unsafe extern "C" fn control(file: *mut sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: see `Log::of`, and what SQLite gave this function.
    unsafe { Log::of(file).flushed(|own, file| Some(own.xFileControl?(file, operation, argument))) }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: see `Log::of`. SQLite frees the memory and does not use the file again, so `Log` is dropped here.
    unsafe {
        let flushed = Log::of(file).flush();
        let closed = Log::of(file).own(|own, file| Some(own.xClose?(file)));
        ptr::drop_in_place(file.cast::<Log>());
        if flushed == ffi::SQLITE_OK { closed } else { flushed }
    }
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    // SAFETY: see `Log::of`.
    unsafe { Log::of(file).own(|own, file| Some(own.xSectorSize?(file))) }
}

unsafe extern "C" fn characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: see `Log::of`.
    unsafe { Log::of(file).own(|own, file| Some(own.xDeviceCharacteristics?(file))) }
}

/// What SQLite calls for a log, which is neither locked nor mapped: the database file is.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: None,
    xUnlock: None,
    xCheckReservedLock: None,
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};
