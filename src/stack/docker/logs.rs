//! What a service's container logs, line by line with the engine's times, also after the container
//! was restarted or replaced.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::{Stream, StreamExt as _};

use super::engine::Engine;
use super::error::{EngineError, during};
use super::labels::Names;
use super::observe;
use crate::stack::observed::{ObservedService, Standing};
use crate::stack::project::ProjectName;

/// A longer line is cut.
const MAX_LINE: usize = 1024 * 1024;
/// Frames taken at once, if they are there.
const BATCH: usize = 256;

/// Whether to wait for more when all that is there was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::stack) enum Reading {
    /// What is there.
    There,
    /// What is there and what comes, until the container ends.
    Following,
}

/// A line of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::stack) struct ContainerLine {
    /// When the engine received it.
    pub(in crate::stack) at: jiff::Timestamp,
    /// The line, without its end.
    pub(in crate::stack) text: String,
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
pub(in crate::stack) type Lines<'a> =
    Pin<Box<dyn Stream<Item = Result<Vec<ContainerLine>, EngineError>> + Send + 'a>>;

impl ContainerLog {
    /// The logs of all services of a project that have a container, by name.
    pub(in crate::stack) async fn all(
        engine: &Engine,
        project: &ProjectName,
    ) -> Result<Vec<(String, Self)>, EngineError> {
        let names = Names { project: project.clone() };
        let found = observe::services(engine, &names).await?;
        let log = |service: String| {
            let (engine, names) = (engine.clone(), names.clone());
            (service.clone(), Self { engine, names, service, position: Position::default() })
        };
        Ok(found.into_iter().filter(serves).map(|found| log(found.service)).collect())
    }

    /// Reads on, from `since` at the earliest, behind the last line that was read; `None` if the
    /// service has no container now.
    pub(in crate::stack) async fn read(
        &mut self,
        since: Option<jiff::Timestamp>,
        reading: Reading,
    ) -> Result<Option<Lines<'_>>, EngineError> {
        let found = observe::services(&self.engine, &self.names).await?;
        let Some(container) = found.into_iter().find(|found| serves(found) && found.service == self.service)
        else {
            return Ok(None);
        };
        self.position.resume();
        let since = self.position.last.or(since).map_or(0, seconds);
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .follow(reading == Reading::Following)
            .since(since);
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

fn serves(found: &ObservedService) -> bool {
    found.standing == Standing::Current && !found.service.is_empty()
}

/// The whole seconds of a time, as far as the engine's API takes them.
fn seconds(at: jiff::Timestamp) -> i32 {
    i32::try_from(at.as_second().max(0)).unwrap_or(i32::MAX)
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

/// How far a log was read. A new subscription starts at a whole second, so lines come again.
#[derive(Debug, Clone, Default)]
struct Position {
    last: Option<jiff::Timestamp>,
    /// Lines read with that time.
    with_last: usize,
    /// Where the new lines of this subscription begin, and how many with that very time are old.
    begin: Option<(jiff::Timestamp, usize)>,
}

impl Position {
    fn resume(&mut self) {
        self.begin = self.last.map(|last| (last, self.with_last));
    }

    fn is_new(&mut self, at: jiff::Timestamp) -> bool {
        match &mut self.begin {
            Some((begin, _)) if at < *begin => return false,
            Some((begin, old)) if at == *begin && *old > 0 => {
                *old -= 1;
                return false;
            }
            _ => self.begin = None,
        }
        match self.last {
            Some(last) if at < last => {} // stdout and stderr overtake each other by moments
            Some(last) if at == last => self.with_last += 1,
            _ => (self.last, self.with_last) = (Some(at), 1),
        }
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

    #[test]
    fn lines_that_come_again_are_not_new() {
        let mut position = Position::default();
        let times = ["2026-01-01T00:00:01Z", "2026-01-01T00:00:02.5Z", "2026-01-01T00:00:02.5Z"].map(at);
        position.resume();
        assert!(times.iter().all(|time| position.is_new(*time)));
        assert!(position.is_new(at("2026-01-01T00:00:02.4Z")), "out of order is not old");
        position.resume();
        assert!(!times.iter().any(|time| position.is_new(*time)));
        assert!(position.is_new(times[2]), "a third one with the same time");
        assert!(position.is_new(at("2026-01-01T00:00:03Z")));
        position.resume();
        assert!(!position.is_new(at("2026-01-01T00:00:03Z")));
        assert!(position.is_new(at("2026-01-01T00:00:04Z")));
    }

    #[test]
    fn since_fits_the_api() {
        let cases =
            [("1969-01-01T00:00:00Z", 0), ("1970-01-01T00:00:07.9Z", 7), ("2100-01-01T00:00:00Z", i32::MAX)];
        for (time, expected) in cases {
            assert_eq!(seconds(at(time)), expected);
        }
    }
}
