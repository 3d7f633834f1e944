//! What a service's container logs, line by line with the engine's times, also after the container
//! was restarted or replaced.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::{Stream, StreamExt as _};

use crate::engine::Engine;
use crate::engine::error::{EngineError, during};
use crate::labels::Names;
use crate::observe;
use crate::observe::Container;

/// A longer line is cut.
const MAX_LINE: usize = 1024 * 1024;
/// Frames taken at once, if they are there.
const BATCH: usize = 256;

/// Whether to wait for more when all that is there was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// What is there.
    There,
    /// What is there and what comes, until the container ends.
    Following,
}

/// A line of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerLine {
    /// When the engine received it.
    pub at: jiff::Timestamp,
    /// The line, without its end.
    pub text: String,
}

/// The log of a service, whichever container runs it.
#[derive(Debug, Clone)]
pub struct ContainerLog {
    engine: Engine,
    names: Names,
    service: String,
    position: Position,
}

/// Lines of one subscription, those that are there at once together.
pub type Lines<'a> = Pin<Box<dyn Stream<Item = Result<Vec<ContainerLine>, EngineError>> + Send + 'a>>;

impl ContainerLog {
    /// The logs of all services of a project that have a container, by name.
    pub async fn all(engine: &Engine, names: &Names) -> Result<Vec<(String, Self)>, EngineError> {
        let found = observe::containers(engine, names).await?;
        let log = |service: String| {
            let (engine, names) = (engine.clone(), names.clone());
            (service.clone(), Self { engine, names, service, position: Position::default() })
        };
        Ok(found.into_iter().filter(Container::serves).map(|found| log(found.service)).collect())
    }

    /// Reads on, from `since` at the earliest, behind the last line that was read; `None` if the
    /// service has no container now.
    pub async fn read(
        &mut self,
        since: Option<jiff::Timestamp>,
        reading: Reading,
    ) -> Result<Option<Lines<'_>>, EngineError> {
        let found = observe::containers(&self.engine, &self.names).await?;
        let Some(container) = found.into_iter().find(|found| found.serves() && found.service == self.service)
        else {
            return Ok(None);
        };
        let since = self.position.resume(&container.id).or(since.map(jiff::Timestamp::as_second));
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .follow(reading == Reading::Following)
            .since(since.map_or(0, seconds));
        let frames = self.engine.docker.logs(&container.id, Some(options.build())).ready_chunks(BATCH);
        let what = format!("read the log of {}", self.service);
        let (position, mut assembly) = (&mut self.position, Assembly::default());
        let lines = frames.map(move |frames| {
            let mut lines = Vec::new();
            for frame in frames {
                let frame = frame.map_err(during(what.clone()))?;
                lines.extend(assembly.take(&frame).filter(|line| position.is_new(line.at)));
            }
            Ok(lines)
        });
        Ok(Some(Box::pin(lines)))
    }
}

/// A time in seconds, as far as the engine's API takes it.
fn seconds(at: i64) -> i32 {
    i32::try_from(at.max(0)).unwrap_or(i32::MAX)
}

/// Puts frames together to lines: the engine cuts lines longer than 16 KiB, each piece with a time.
#[derive(Debug, Default)]
struct Assembly {
    open: HashMap<Channel, (jiff::Timestamp, Vec<u8>)>,
    last: jiff::Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Channel {
    Out,
    Err,
}

impl Assembly {
    fn take(&mut self, frame: &LogOutput) -> Option<ContainerLine> {
        let (channel, bytes) = match frame {
            LogOutput::StdErr { message } => (Channel::Err, message),
            LogOutput::StdOut { message } | LogOutput::Console { message } => (Channel::Out, message),
            LogOutput::StdIn { .. } => return None,
        };
        let (at, piece) = split_time(bytes).unwrap_or((self.last, bytes));
        self.last = at;
        let ends = piece.last() == Some(&b'\n');
        let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
        let (at, line) = match self.open.entry(channel) {
            Entry::Vacant(_) if ends => (at, piece.to_vec()),
            Entry::Vacant(none) => {
                none.insert((at, piece.to_vec()));
                return None;
            }
            Entry::Occupied(mut begun) => {
                begun.get_mut().1.extend_from_slice(piece);
                if !ends && begun.get().1.len() <= MAX_LINE {
                    return None;
                }
                begun.remove()
            }
        };
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        Some(ContainerLine { at, text: String::from_utf8_lossy(line).into_owned() })
    }
}

fn split_time(frame: &[u8]) -> Option<(jiff::Timestamp, &[u8])> {
    let space = frame.iter().position(|byte| *byte == b' ')?;
    let at = std::str::from_utf8(&frame[..space]).ok()?.parse().ok()?;
    Some((at, &frame[space + 1..]))
}

/// How far the log of a container was read. A new subscription begins with the whole second before the
/// last line, since stdout and stderr overtake each other by moments. So lines come again: as many as were
/// read of these seconds, in the same order.
#[derive(Debug, Clone, Default)]
struct Position {
    container: String,
    last: Option<jiff::Timestamp>,
    /// Lines read of the second before that of `last`, and of that.
    read: [usize; 2],
    /// Lines of this subscription that are yet to come again, all of them not after this time.
    old: Option<(usize, jiff::Timestamp)>,
}

impl Position {
    /// Begins a subscription and returns from which second on, if something was read before. Another
    /// container has a log of its own, which was not read yet.
    fn resume(&mut self, container: &str) -> Option<i64> {
        if self.container != container {
            *self = Self { container: container.to_owned(), ..Self::default() };
        }
        let last = self.last?;
        self.old = Some((self.read.iter().sum(), last));
        Some(last.as_second() - 1)
    }

    /// Whether a line was not read before. After a rotation fewer lines come again: those that are later
    /// than all that was read are new in any case.
    fn is_new(&mut self, at: jiff::Timestamp) -> bool {
        match &mut self.old {
            Some((left, until)) if *left > 0 && at <= *until => {
                *left -= 1;
                return false;
            }
            _ => self.old = None,
        }
        let ahead = self.last.map_or(i64::MAX, |last| at.as_second() - last.as_second());
        match ahead {
            ..-1 => {}
            -1 => self.read[0] += 1,
            0 => self.read[1] += 1,
            1 => self.read = [self.read[1], 1],
            2.. => self.read = [0, 1],
        }
        self.last = self.last.max(Some(at));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> LogOutput {
        LogOutput::StdOut { message: text.to_owned().into() }
    }

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn pieces_become_lines_per_channel() {
        let mut assembly = Assembly::default();
        let (one, two) = ("2026-01-01T00:00:00.000000001Z", "2026-01-01T00:00:00.000000002Z");
        assert_eq!(assembly.take(&frame(&format!("{one} first half, "))), None);
        let error = LogOutput::StdErr { message: format!("{two} said on stderr\r\n").into() };
        let line = |time: &str, text: &str| Some(ContainerLine { at: at(time), text: text.to_owned() });
        assert_eq!(assembly.take(&error), line(two, "said on stderr"));
        assert_eq!(
            assembly.take(&frame(&format!("{two} second half\n"))),
            line(one, "first half, second half")
        );
        assert_eq!(assembly.take(&frame(&format!("{one} \n"))), line(one, ""));
        assert_eq!(assembly.take(&frame("no time\n")), line(one, "no time"));
        assert_eq!(assembly.take(&frame(&format!("{one} begun"))), None);
        let long = "x".repeat(MAX_LINE + 1);
        let cut = assembly.take(&frame(&format!("{one} {long}"))).expect("cut");
        assert_eq!(cut.text.len(), "begun".len() + long.len());
    }

    /// What of a log's lines a subscription shows, as the engine sends them.
    fn shown<'a>(position: &mut Position, container: &str, log: &[&'a str]) -> Vec<&'a str> {
        let since = position.resume(container).unwrap_or(0);
        let time = |line: &str| at(&format!("2026-01-01T00:00:{line}Z"));
        let sent = log.iter().filter(|line| time(line).as_second() >= since);
        sent.filter(|line| position.is_new(time(line))).copied().collect()
    }

    #[test]
    fn lines_that_come_again_are_not_new() {
        let log = ["01", "02.5", "02.5", "02.4", "02.5", "03.1", "02.9", "03.2", "04"];
        for read in 0..=log.len() {
            for next in read..=log.len() {
                let mut position = Position::default();
                assert_eq!(shown(&mut position, "a", &log[..read]), log[..read]);
                assert_eq!(shown(&mut position, "a", &log[..next]), log[read..next], "{read}, {next}");
                assert_eq!(shown(&mut position, "a", &log), log[next..], "{read}, {next}");
            }
        }
    }

    #[test]
    fn another_container_and_a_rotated_log_begin_anew() {
        let mut position = Position::default();
        assert_eq!(shown(&mut position, "a", &["05.1", "05.2"]), ["05.1", "05.2"]);
        assert_eq!(shown(&mut position, "a", &["05.3", "05.4"]), ["05.3", "05.4"], "the old lines are gone");
        assert_eq!(shown(&mut position, "b", &["05.1", "05.4"]), ["05.1", "05.4"]);
    }

    #[test]
    fn since_fits_the_api() {
        let cases =
            [("1969-01-01T00:00:00Z", 0), ("1970-01-01T00:00:07.9Z", 7), ("2100-01-01T00:00:00Z", i32::MAX)];
        for (time, expected) in cases {
            assert_eq!(seconds(at(time).as_second()), expected);
        }
    }
}
