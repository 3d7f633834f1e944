//! Faults that are asked for during a run: `kill:product@5s,pause:user@8s+2s`. Pure; `injector` carries them
//! out.

pub mod annotation;
pub mod injector;

use std::fmt;
use std::time::Duration;

use ordersys_contract::Role;
use ordersys_stack::ops::chaos;
use ordersys_workload::parse::error::ParseError;

/// Latest begin and longest length of a fault: `acceptances` watches for twice that.
pub const LATEST: Duration = Duration::from_hours(1);

/// Faults of one run, in the order of their begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What is done.
    pub kind: Kind,
    /// To which service.
    pub role: Role,
    /// When, after the warm-up.
    pub at: Duration,
}

/// What is done to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its process ends at once and is started again.
    Kill,
    /// It stands still for so long.
    Pause(Duration),
    /// It is cut off the network for so long.
    Partition(Duration),
}

impl Kind {
    /// How it is begun.
    #[must_use]
    pub fn begin(self) -> chaos::Fault {
        match self {
            Self::Kill => chaos::Fault::Kill,
            Self::Pause(_) => chaos::Fault::Pause,
            Self::Partition(_) => chaos::Fault::Partition,
        }
    }

    /// After how long, and how, it is taken back; `None` where it ends by itself.
    #[must_use]
    pub fn end(self) -> Option<(Duration, chaos::Fault)> {
        match self {
            Self::Kill => None,
            Self::Pause(length) => Some((length, chaos::Fault::Resume)),
            Self::Partition(length) => Some((length, chaos::Fault::Heal)),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Pause(_) => "pause",
            Self::Partition(_) => "partition",
        }
    }
}

impl Fault {
    /// What is done to which service, without the times.
    #[must_use]
    pub fn what(&self) -> String {
        format!("{}:{}", self.kind.word(), self.role)
    }

    fn end(&self) -> Duration {
        self.at + self.kind.end().map_or(Duration::ZERO, |(length, _)| length)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}@{}", self.kind.word(), self.role, humantime::format_duration(self.at))?;
        match self.kind.end() {
            Some((length, _)) => write!(f, "+{}", humantime::format_duration(length)),
            None => Ok(()),
        }
    }
}

impl Faults {
    /// Whether nothing is done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults, the earliest first.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// A fault that would begin only when a run of this length is over.
    #[must_use]
    pub fn beyond(&self, length: Duration) -> Option<&Fault> {
        self.0.iter().find(|fault| fault.at >= length)
    }
}

impl std::str::FromStr for Faults {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (mut faults, mut at) = (Vec::<Fault>::new(), 0);
        for token in text.split(',') {
            let fault = Token { text, at, left: token }.fault()?;
            let other = faults
                .iter()
                .find(|other| other.role == fault.role && other.at <= fault.end() && fault.at <= other.end());
            if let Some(other) = other {
                return Err(ParseError::new(
                    text,
                    at,
                    format!("the {} service is already hit by {other}", fault.role),
                ));
            }
            faults.push(fault);
            at += token.len() + 1;
        }
        faults.sort_by_key(|fault| fault.at);
        Ok(Self(faults))
    }
}

/// What is left to read of one fault.
struct Token<'a> {
    text: &'a str,
    at: usize,
    left: &'a str,
}

impl<'a> Token<'a> {
    fn fault(mut self) -> Result<Fault, ParseError> {
        let start = self.at;
        let word = self.word(&[':']);
        let needs_length = match word.trim() {
            "kill" => false,
            "pause" | "partition" | "cut" => true,
            _ => return Err(ParseError::new(self.text, start, "a fault is `kill`, `pause` or `partition`")),
        };
        self.sign(':', "`:` and the service, as in `kill:product@5s`")?;
        let role = self.at;
        let name = self.word(&['@']).trim();
        let role = Role::ALL
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or_else(|| ParseError::new(self.text, role, "the service is `user`, `product` or `order`"))?;
        self.sign('@', "`@` and the time after the warm-up, as in `kill:product@5s`")?;
        let at = self.time()?;
        let kind = if needs_length {
            self.sign('+', "`+` and how long, as in `pause:user@8s+2s`")?;
            let length = self.time()?;
            if word.trim() == "pause" { Kind::Pause(length) } else { Kind::Partition(length) }
        } else {
            Kind::Kill
        };
        if self.left.is_empty() {
            Ok(Fault { kind, role, at })
        } else {
            Err(ParseError::new(
                self.text,
                self.at,
                "nothing more: a killed service is started again by itself",
            ))
        }
    }

    /// What comes before any of these signs.
    fn word(&mut self, signs: &[char]) -> &'a str {
        let end = self.left.find(signs).unwrap_or(self.left.len());
        let (word, left) = self.left.split_at(end);
        (self.at, self.left) = (self.at + end, left);
        word
    }

    fn sign(&mut self, sign: char, expected: &str) -> Result<(), ParseError> {
        let left =
            self.left.strip_prefix(sign).ok_or_else(|| ParseError::new(self.text, self.at, expected))?;
        (self.at, self.left) = (self.at + sign.len_utf8(), left);
        Ok(())
    }

    fn time(&mut self) -> Result<Duration, ParseError> {
        let at = self.at;
        let time = humantime::parse_duration(self.word(&['+']).trim()).ok();
        time.filter(|time| *time <= LATEST).ok_or_else(|| {
            ParseError::new(self.text, at, "a time of at most one hour, such as `5s` or `500ms`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_written_and_sorted() {
        let faults: Faults = "pause:user@8s+2s, kill:product@5s,cut:order@500ms+1m".parse().expect("reads");
        let written: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["partition:order@500ms+1m", "kill:product@5s", "pause:user@8s+2s"]);
        let beyond = |seconds| faults.beyond(Duration::from_secs(seconds)).map(|fault| fault.role);
        assert_eq!((beyond(9), beyond(8)), (None, Some(Role::User)));
    }

    #[test]
    fn mistakes_are_shown_at_their_character() {
        let cases = [
            ("", 0),
            ("kil:product@5s", 0),
            ("kill", 4),
            ("kill product@5s", 0),
            ("kill:prodct@5s", 5),
            ("kill:product", 12),
            ("kill:product@", 13),
            ("kill:product@5", 13),
            ("kill:product@2h", 13),
            ("kill:product@5s+1s", 15),
            ("pause:user@8s", 13),
            ("pause:user@8s+", 14),
            ("pause:user@8s+x", 14),
            ("kill:product@5s,", 16),
            ("kill:product@5s,cut:user@1", 25),
            ("pause:user@1s+5s,cut:user@3s+1s", 17),
            ("kill:user@2s,pause:user@1s+1s", 13),
        ];
        for (text, at) in cases {
            let error = text.parse::<Faults>().expect_err(text).to_string();
            let caret = error.lines().last().and_then(|line| line.find('^')).expect("points somewhere");
            assert_eq!(caret, at + 2, "{text}: {error}");
        }
    }
}
