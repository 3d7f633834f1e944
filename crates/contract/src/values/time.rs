//! Points in time: milliseconds inside, RFC 3339 in UTC with milliseconds on the wire.

use std::fmt;
use std::time::Duration;

use jiff::fmt::temporal::DateTimePrinter;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// RFC 3339 in UTC with milliseconds.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// A point in time, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The wall clock's time. Decisions take the time as an argument; call this at the edge.
    #[must_use]
    pub fn now() -> Self {
        let now = jiff::Timestamp::now().as_millisecond();
        #[cfg(feature = "failpoints")]
        let now = now.saturating_add(moved::by());
        Self(now)
    }

    /// The point that many milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The point `by` later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The point `by` earlier.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Appends its text: milliseconds, if they are too many for a date.
    pub(crate) fn write(self, out: &mut String) {
        use std::fmt::Write as _;
        let known = jiff::Timestamp::from_millisecond(self.0);
        let written = known.and_then(|at| PRINTER.print_timestamp(&at, &mut *out));
        if written.is_err() {
            let _ = write!(out, "{} ms", self.0); // a string takes everything
        }
    }

    /// How long ago `earlier` was, zero if it is later than this.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Lets tests move the clock of a process: by the milliseconds in the file that `FAILPOINT_CLOCK` in its
/// environment names. Read each time, so that it can be moved back.
#[cfg(feature = "failpoints")]
mod moved {
    use std::path::PathBuf;
    use std::sync::OnceLock;

    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();

    pub(super) fn by() -> i64 {
        let file = FILE.get_or_init(|| std::env::var_os("FAILPOINT_CLOCK").map(PathBuf::from));
        let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.pad(&text)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        Ok(Self(text.parse::<jiff::Timestamp>()?.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_milliseconds_and_utc() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        assert_eq!(at.to_string(), "2023-11-14T22:13:20.000Z");
        assert_eq!(at.to_string().parse::<Timestamp>().expect("parses"), at);
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9223372036854775807 ms");
    }

    #[test]
    fn times_are_apart_by_milliseconds() {
        let at = Timestamp::from_millis(1_000);
        let by = Duration::from_millis(30);
        assert_eq!((at.after(by).as_millis(), at.before(by).as_millis()), (1_030, 970));
        assert_eq!((at.after(by).since(at), at.since(at.after(by))), (by, Duration::ZERO));
        assert_eq!(at.after(Duration::MAX), Timestamp::from_millis(i64::MAX));
    }
}
