//! The output of a service on its way to a file of bounded size.

use std::fs::{self, File};
use std::io::{self, PipeReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ordersys_contract::Timestamp;
use tokio::sync::oneshot;

use crate::files::append_private;
use crate::layout::old_log;

/// A log larger than this gives way to a new one; one old log is kept.
pub(crate) const MAX_LOG_BYTES: u64 = 64 * 1024 * 1024;
/// What is copied at once.
const COPY_BYTES: usize = 256 * 1024;
/// A copy smaller than this is followed by a pause in which more gathers in the pipe (64 KiB on
/// Linux): a service that writes line by line then costs two system calls per pause, not per line.
const SMALL_COPY_BYTES: usize = 16 * 1024;
/// That pause. Up to 64 KiB / 4 ms = 16 MB/s in small writes pass without the writer waiting.
const GATHER: Duration = Duration::from_millis(4);

/// A log file that is replaced when it has grown to its limit, always between two lines.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    name: String,
    limit: u64,
    file: Option<File>,
    size: u64,
    line_open: bool,
    lost: u64,
}

/// A log that several writers share.
pub(crate) type SharedLog = Arc<Mutex<Log>>;

impl Log {
    /// The log of service `name` at `path`, continued if it is there.
    pub(crate) fn new(path: &Path, name: &str, limit: u64) -> Self {
        let log = Self {
            path: path.to_owned(),
            name: name.to_owned(),
            limit,
            file: None,
            size: 0,
            line_open: false,
            lost: 0,
        };
        log.opened()
    }

    /// Its length now, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    fn opened(mut self) -> Self {
        let _ = self.open(); // tried again with each write, which counts what is lost
        self
    }

    /// Appends. What cannot be written (full disk) is dropped rather than stopping the service, and
    /// counted; the log says so as soon as it can.
    pub(crate) fn append(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() {
            if self.size >= self.limit && !self.line_open {
                self.rotate();
            }
            let (now, later) = chunk.split_at(self.fitting(chunk));
            self.write(now);
            chunk = later;
            if !later.is_empty() {
                self.rotate();
            }
        }
    }

    /// How much of the chunk still goes into this file: all of it, or whole lines up to the limit,
    /// or, where the limit is inside of a line, up to its end.
    fn fitting(&self, chunk: &[u8]) -> usize {
        let room = usize::try_from(self.limit.saturating_sub(self.size)).unwrap_or(usize::MAX);
        if chunk.len() <= room {
            return chunk.len();
        }
        let inside = chunk[..room].iter().rposition(|byte| *byte == b'\n');
        let behind = || chunk[room..].iter().position(|byte| *byte == b'\n').map(|at| room + at);
        let overlong = self.size >= self.limit.saturating_mul(2);
        match inside.or_else(behind) {
            Some(end) => end + 1,
            None if overlong => room.max(1),
            None => chunk.len(),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.lost > 0 {
            self.confess();
        }
        if self.open().and_then(|mut file| file.write_all(bytes)).is_ok() {
            self.size += bytes.len() as u64;
            self.line_open = bytes.last() != Some(&b'\n');
        } else {
            self.lost += bytes.len() as u64;
            self.line_open = true; // part of a line may have got through
        }
    }

    fn confess(&mut self) {
        let line = serde_json::json!({
            "timestamp": Timestamp::now(), "level": "WARN", "service": self.name,
            "message": "log lines were lost: the file could not be written", "bytes": self.lost,
        });
        let line = format!("{}{line}\n", if self.line_open { "\n" } else { "" });
        if self.open().and_then(|mut file| file.write_all(line.as_bytes())).is_ok() {
            self.size += line.len() as u64;
            self.lost = 0;
            self.line_open = false;
        }
    }

    fn open(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            let file = append_private(&self.path)?;
            self.size = file.metadata()?.len();
            self.file = Some(file);
        }
        self.file.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rotate(&mut self) {
        if fs::rename(&self.path, old_log(&self.path)).is_ok() {
            self.file = None;
            self.size = 0;
            self.line_open = false;
        }
    }
}

/// Copies a pipe into a log until every writer has closed it; the receiver hears of the end.
pub(crate) fn copy(mut pipe: PipeReader, log: SharedLog) -> io::Result<oneshot::Receiver<()>> {
    let (done, ended) = oneshot::channel();
    std::thread::Builder::new().name("log".to_owned()).spawn(move || {
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    log.lock().unwrap_or_else(PoisonError::into_inner).append(&buffer[..count]);
                    if count < SMALL_COPY_BYTES {
                        std::thread::sleep(GATHER);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let _ = done.send(()); // the receiver may be gone
    })?;
    Ok(ended)
}

/// The last lines of a log that were written once it was `from` bytes long, also from its predecessor.
pub(crate) fn last_lines(log: &Path, lines: usize, from: u64) -> Vec<String> {
    let moved_on = fs::metadata(log).map_or(0, |found| found.len()) < from;
    let mut found = tail(log, lines, if moved_on { 0 } else { from });
    if found.len() < lines && (moved_on || from == 0) {
        let mut older = tail(&old_log(log), lines - found.len(), from);
        older.append(&mut found);
        found = older;
    }
    found
}

/// Bytes of a file's end that are searched for lines.
const TAIL_BYTES: u64 = 1024 * 1024;

fn tail(path: &Path, lines: usize, from: u64) -> Vec<String> {
    let read = || -> io::Result<Vec<u8>> {
        use std::io::Seek as _;
        let mut file = File::open(path)?;
        let start = file.metadata()?.len().saturating_sub(TAIL_BYTES).max(from);
        file.seek(io::SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut last: Vec<String> = text.lines().rev().take(lines).map(str::to_owned).collect();
    last.reverse();
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn rotation_keeps_lines_whole_and_two_files() {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("a.log");
        let mut log = Log::new(&path, "a", 10);
        log.append(b"one\ntwo\nthr");
        assert_eq!((read(&path).as_str(), read(&old_log(&path)).as_str()), ("thr", "one\ntwo\n"));
        log.append(b"ee\nfour\n");
        assert_eq!((read(&path).as_str(), read(&old_log(&path)).as_str()), ("four\n", "three\n"));
        drop(log);
        let mut log = Log::new(&path, "a", 10);
        log.append(b"five\n");
        assert_eq!(last_lines(&path, 2, 0), ["four", "five"]);
        assert_eq!(last_lines(&path, 9, 0).last().map(String::as_str), Some("five"));
        assert_eq!(last_lines(&path, 9, 5), ["five"]);
        assert_eq!(last_lines(&path, 9, 10), Vec::<String>::new());
        assert_eq!(last_lines(&path, 9, 12), ["four", "five"], "the file has changed since");
        assert_eq!(last_lines(&dir.path().join("none.log"), 3, 0), Vec::<String>::new());
        log.append(&[b'x'; 100]);
        log.append(&[b'x'; 100]);
        assert!(fs::metadata(&path).expect("log").len() <= 200, "an endless line is cut at some point");
    }

    #[test]
    fn every_line_is_in_exactly_one_file_however_it_is_cut() {
        let lines: Vec<String> = (0..200).map(|n| format!("line {n}\n")).collect();
        let text = lines.concat();
        for step in [1, 3, 7, 64, 1000, 5000] {
            let dir = tempfile::tempdir().expect("directory");
            let path = dir.path().join("a.log");
            let mut log = Log::new(&path, "a", 1000);
            for chunk in text.as_bytes().chunks(step) {
                log.append(chunk);
            }
            let both = read(&old_log(&path)) + &read(&path);
            assert!(text.ends_with(&both) && both.starts_with("line "), "step {step}: {both}");
            assert!(both.len() > 1000, "step {step}: one whole old file is kept");
        }
    }

    #[test]
    fn what_could_not_be_written_is_counted() {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("sub").join("a.log");
        let mut log = Log::new(&path, "a", 1000);
        log.append(b"lost\n");
        fs::create_dir(dir.path().join("sub")).expect("directory");
        log.append(b"kept\n");
        let text = read(&path);
        assert!(text.contains("\"bytes\":5") && text.ends_with("\nkept\n"), "{text}");
    }
}
