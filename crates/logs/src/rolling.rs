//! Reads a log file that gives way to a new one when it has grown: without loss and without doubles,
//! as long as the reader is not a whole file behind.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::line::Line;
use ordersys_supervisor::{file_id, old_log};

/// What is read at once.
const CHUNK: usize = 256 * 1024;
/// Lines of threads that write at the same time may be that much out of order, in seconds.
const DISORDER_SECONDS: i64 = 5;
/// A longer line is cut.
const MAX_LINE: usize = 1024 * 1024;

/// A log being read.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    since: Option<jiff::Timestamp>,
    current: Option<File>,
    partial: Vec<u8>,
    chunk: Vec<u8>,
}

/// Whether there is more to read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There may be.
    More,
    /// All that is there was read.
    AtEnd,
}

impl LogFile {
    /// The log at `path`, which may not be there yet, from about `since` on.
    pub(crate) fn new(path: PathBuf, since: Option<jiff::Timestamp>) -> Self {
        Self { path, since, current: None, partial: Vec::new(), chunk: vec![0; CHUNK] }
    }

    /// Adds the next whole lines.
    pub(crate) fn read(&mut self, lines: &mut Vec<String>) -> io::Result<Progress> {
        if self.current.is_none() {
            self.current = self.first()?;
        }
        let Some(file) = &mut self.current else { return Ok(Progress::AtEnd) };
        let count = file.read(&mut self.chunk)?;
        if count > 0 {
            self.split(count, lines);
            return Ok(Progress::More);
        }
        // The writer moves on only when it has written its last byte here, and the successor was seen
        // before this last attempt to read.
        let Some(next) = self.successor()? else { return Ok(Progress::AtEnd) };
        let Some(file) = &mut self.current else { return Ok(Progress::AtEnd) };
        let count = file.read(&mut self.chunk)?;
        if count > 0 {
            self.split(count, lines);
        } else {
            self.finish(lines);
            self.current = Some(next);
        }
        Ok(Progress::More)
    }

    /// Adds what is left without an end of line.
    pub(crate) fn finish(&mut self, lines: &mut Vec<String>) {
        if !self.partial.is_empty() {
            lines.push(text(&self.partial));
            self.partial.clear();
        }
    }

    fn split(&mut self, count: usize, lines: &mut Vec<String>) {
        let mut rest = &self.chunk[..count];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            if self.partial.is_empty() {
                lines.push(text(line));
            } else {
                self.partial.extend_from_slice(line);
                lines.push(text(&self.partial));
                self.partial.clear();
            }
            rest = after;
        }
        self.partial.extend_from_slice(rest);
        if self.partial.len() > MAX_LINE {
            self.finish(lines);
        }
    }

    /// The oldest file that may hold lines from `since` on, at about the first of them.
    fn first(&self) -> io::Result<Option<File>> {
        let (mut current, old) = self.both()?;
        if let (Some(since), Some(file)) = (self.since, &mut current)
            && time_behind(file, 0)?.is_some_and(|at| at < with_disorder(since))
        {
            return seek_to(file, since).map(|()| current);
        }
        if let Some(file) = &mut current {
            file.rewind()?;
        }
        let Some(mut old) = old else { return Ok(current) };
        if let Some(since) = self.since {
            seek_to(&mut old, since)?;
        }
        Ok(Some(old))
    }

    /// The file that follows the current one; `None` while the current one is the newest.
    fn successor(&self) -> io::Result<Option<File>> {
        let Some(here) = &self.current else { return Ok(None) };
        let here = file_id(&here.metadata()?);
        let (current, old) = self.both()?;
        let id_of = |file: &Option<File>| -> io::Result<_> {
            file.as_ref().map(|file| Ok(file_id(&file.metadata()?))).transpose()
        };
        let (current_id, old_id) = (id_of(&current)?, id_of(&old)?);
        if current_id == Some(here) {
            return Ok(None);
        }
        // The predecessor of the newest is the one read last, unless the writer has moved on twice.
        Ok(if old_id == Some(here) || old_id == current_id { current } else { old.or(current) })
    }

    /// The newest file and its predecessor, opened in this order: a move in between makes them the
    /// same file, never leaves one out.
    fn both(&self) -> io::Result<(Option<File>, Option<File>)> {
        Ok((open(&self.path)?, open(&old_log(&self.path))?))
    }
}

fn text(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn with_disorder(since: jiff::Timestamp) -> jiff::Timestamp {
    since.checked_sub(jiff::SignedDuration::from_secs(DISORDER_SECONDS)).unwrap_or(since)
}

/// Moves to a line before the first one written at `since`, by bisection: times grow with the
/// offset, but for a little disorder.
fn seek_to(file: &mut File, since: jiff::Timestamp) -> io::Result<()> {
    let since = with_disorder(since);
    let (mut low, mut high) = (0, file.metadata()?.len());
    while high - low > CHUNK as u64 {
        let middle = low + (high - low) / 2;
        match time_behind(file, middle)? {
            Some(at) if at < since => low = middle,
            Some(_) | None => high = middle,
        }
    }
    file.seek(SeekFrom::Start(low))?;
    if low > 0 {
        let line_end = position_behind_line(file, low)?;
        file.seek(SeekFrom::Start(line_end))?;
    }
    Ok(())
}

/// The time of the first line with one that starts behind this offset, looked for in one chunk.
fn time_behind(file: &mut File, offset: u64) -> io::Result<Option<jiff::Timestamp>> {
    file.seek(SeekFrom::Start(offset))?;
    let reader = BufReader::new(file.take(CHUNK as u64));
    let times = reader.split(b'\n').skip(1).map_while(Result::ok);
    let mut times = times.filter_map(|line| Line::parse(&String::from_utf8_lossy(&line))?.at);
    Ok(times.next())
}

fn position_behind_line(file: &mut File, offset: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(offset))?;
    let mut skipped = Vec::new();
    let count = BufReader::new(file).read_until(b'\n', &mut skipped)?;
    Ok(offset + count as u64)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::fs;
    use std::io::Write as _;

    use super::*;

    struct Writer {
        path: PathBuf,
        file: File,
        next: usize,
    }

    impl Writer {
        fn new(dir: &Path) -> Self {
            let path = dir.join("a.log");
            Self { file: File::create(&path).expect("creates"), path, next: 0 }
        }

        fn lines(&mut self, count: usize) {
            for _ in 0..count {
                writeln!(self.file, "{}", self.next).expect("writes");
                self.next += 1;
            }
        }

        fn rotate(&mut self) {
            fs::rename(&self.path, old_log(&self.path)).expect("renames");
            self.file = File::create(&self.path).expect("creates");
        }
    }

    fn drain(log: &mut LogFile) -> Vec<String> {
        let mut lines = Vec::new();
        while log.read(&mut lines).expect("reads") == Progress::More {}
        lines
    }

    fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|number| number.to_string()).collect()
    }

    #[test]
    fn a_moving_log_is_read_once_and_whole() {
        let dir = tempfile::tempdir().expect("directory");
        let mut log = LogFile::new(dir.path().join("a.log"), None);
        assert_eq!(drain(&mut log), numbers(0..0), "not there yet");
        let mut writer = Writer::new(dir.path());
        writer.lines(3);
        assert_eq!(drain(&mut log), numbers(0..3));
        writer.lines(2);
        writer.rotate();
        writer.lines(2);
        assert_eq!(drain(&mut log), numbers(3..7), "the end of the old one, then the new one");
        writer.rotate();
        assert_eq!(drain(&mut log), numbers(0..0));
        writer.lines(1);
        writer.rotate();
        writer.lines(1);
        assert_eq!(drain(&mut log), numbers(7..9), "moved on twice since the last look");
        write!(writer.file, "half").expect("writes");
        assert_eq!(drain(&mut log), numbers(0..0), "half a line is none");
        writeln!(writer.file, " and half").expect("writes");
        assert_eq!(drain(&mut log), ["half and half"]);
        let mut late = LogFile::new(dir.path().join("a.log"), None);
        assert_eq!(drain(&mut late), ["7", "8", "half and half"], "the old one first");
    }

    #[test]
    fn since_skips_what_is_older() {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("a.log");
        let mut text = String::new();
        for second in 0..60_000 {
            let at = jiff::Timestamp::from_second(second).expect("time");
            writeln!(text, r#"{{"timestamp":"{at}","message":"{second}"}}"#).expect("a string");
        }
        fs::write(&path, &text).expect("writes");
        let since = jiff::Timestamp::from_second(50_000).expect("time");
        let lines = drain(&mut LogFile::new(path.clone(), Some(since)));
        let first: i64 = Line::parse(&lines[0]).and_then(|line| line.message?.parse().ok()).expect("whole");
        assert!((40_000..=49_995).contains(&first), "{first}");
        assert_eq!(lines.len(), usize::try_from(60_000 - first).expect("small"));
        let never = drain(&mut LogFile::new(path, Some(jiff::Timestamp::MAX)));
        assert!(never.len() < 10_000, "{}", never.len());
    }
}
