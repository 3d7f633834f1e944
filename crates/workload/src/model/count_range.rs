//! How many: lines of an order, units of a line.

use std::fmt;
use std::str::FromStr;

/// A range of whole numbers, both ends included, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountRange {
    least: u32,
    most: u32,
}

impl CountRange {
    /// Exactly one.
    pub const ONE: Self = Self { least: 1, most: 1 };

    /// The range, unless it is empty or starts at zero.
    #[must_use]
    pub fn new(least: u32, most: u32) -> Option<Self> {
        (least >= 1 && least <= most).then_some(Self { least, most })
    }

    /// The smallest number.
    #[must_use]
    pub fn least(self) -> u32 {
        self.least
    }

    /// The largest number.
    #[must_use]
    pub fn most(self) -> u32 {
        self.most
    }
}

impl FromStr for CountRange {
    type Err = String;

    /// Reads `3`, `1..3` and `1..=3`; both ends are included in both.
    fn from_str(text: &str) -> Result<Self, String> {
        let (least, most) = match text.split_once("..") {
            Some((least, most)) => (least, most.strip_prefix('=').unwrap_or(most)),
            None => (text, text),
        };
        let number = |part: &str| part.parse().ok();
        number(least)
            .zip(number(most))
            .and_then(|(least, most)| Self::new(least, most))
            .ok_or_else(|| "a number such as 2 or a range such as 1..3 (from 1 to 3)".to_owned())
    }
}

impl fmt::Display for CountRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.least == self.most {
            write!(f, "{}", self.least)
        } else {
            write!(f, "{}..{}", self.least, self.most)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_both_ends() {
        let cases = [
            ("3", Some((3, 3))),
            ("1..3", Some((1, 3))),
            ("1..=3", Some((1, 3))),
            ("2..2", Some((2, 2))),
            ("3..1", None),
            ("0..1", None),
            ("0", None),
            ("..", None),
            ("1..", None),
            ("-1", None),
            ("a", None),
        ];
        for (text, expected) in cases {
            let read = text.parse::<CountRange>().ok().map(|span| (span.least(), span.most()));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn ranges_are_written_as_they_are_read() {
        for (text, written) in [("1", "1"), ("1..=3", "1..3"), ("2..2", "2")] {
            assert_eq!(text.parse::<CountRange>().expect(text).to_string(), written);
        }
        assert_eq!(CountRange::new(1, 1), Some(CountRange::ONE));
    }
}
