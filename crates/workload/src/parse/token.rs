//! Reads the small languages of options token by token; each token knows where it is, so that a mistake is
//! shown at its character.

use std::time::Duration;

use crate::parse::error::ParseError;

/// A token of an option's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// The text of the token.
    pub text: &'a str,
    whole: &'a str,
    at: usize,
}

impl<'a> Token<'a> {
    /// Reads all of a text, without spaces around it.
    ///
    /// # Errors
    /// What is wrong and where, for the person who wrote it.
    pub fn read<T>(text: &'a str, read: impl FnOnce(Self) -> Result<T, ParseError>) -> Result<T, String> {
        read(Self { text, whole: text, at: 0 }.trim()).map_err(|error| error.to_string())
    }

    fn trim(self) -> Self {
        let begins = self.text.len() - self.text.trim_start().len();
        Self { text: self.text.trim(), at: self.at + begins, ..self }
    }

    /// The tokens between separators.
    pub fn split(self, by: char) -> impl Iterator<Item = Self> {
        let mut at = self.at;
        self.text.split(by).map(move |text| {
            let token = Self { text, at, ..self };
            at += text.len() + by.len_utf8();
            token.trim()
        })
    }

    /// The tokens before and after the first separator.
    #[must_use]
    pub fn split_once(self, by: &str) -> Option<(Self, Self)> {
        let (before, after) = self.text.split_once(by)?;
        let at = self.at + before.len() + by.len();
        Some((Self { text: before, ..self }.trim(), Self { text: after, at, ..self }.trim()))
    }

    /// The token without this end.
    #[must_use]
    pub fn without(self, end: &str) -> Option<Self> {
        self.text.strip_suffix(end).map(|text| Self { text, ..self }.trim())
    }

    /// Something is wrong where the token begins.
    #[must_use]
    pub fn wrong(self, what: impl Into<String>) -> ParseError {
        self.wrong_at(0, what)
    }

    /// Something is missing where the token ends.
    #[must_use]
    pub fn missing(self, what: impl Into<String>) -> ParseError {
        self.wrong_at(self.text.len(), what)
    }

    fn wrong_at(self, byte: usize, what: impl Into<String>) -> ParseError {
        ParseError::new(self.whole, self.at + byte, what)
    }

    /// A number from `least` to `most`; `what` says what it is.
    ///
    /// # Errors
    /// Points at the first character that is in no number, or at a number out of range.
    pub fn number(self, what: &str, least: f64, most: f64) -> Result<f64, ParseError> {
        let range = || format!("{what} is a number from {least} to {most}");
        if let Some(at) = self.text.find(|c: char| !c.is_ascii_digit() && c != '.') {
            return Err(self.wrong_at(at, range()));
        }
        let number = self.text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| self.wrong(range()))
    }

    /// A time such as `30s` or `1m 30s`, longer than zero.
    ///
    /// # Errors
    /// Points at the character that is in no time.
    pub fn time(self) -> Result<Duration, ParseError> {
        use humantime::DurationError::{InvalidCharacter, NumberExpected, UnknownUnit};
        let time = humantime::parse_duration(self.text).map_err(|error| {
            let at = match error {
                InvalidCharacter(at) | NumberExpected(at) | UnknownUnit { start: at, .. } => at,
                _ => 0,
            };
            self.wrong_at(at.min(self.text.len()), "a time is a number with a unit, such as 30s or 5m")
        })?;
        if time.is_zero() { Err(self.wrong("a time is longer than zero")) } else { Ok(time) }
    }
}

/// Where the caret is under the text of a message, for tests of parsers.
#[cfg(test)]
#[must_use]
pub fn caret(message: &str) -> Option<usize> {
    message.lines().last()?.find('^')?.checked_sub(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str, read: impl FnOnce(Token<'_>) -> Result<(), ParseError>) -> Option<usize> {
        caret(&Token::read(text, read).expect_err("is wrong"))
    }

    #[test]
    fn the_caret_is_under_the_character_that_is_wrong() {
        let second = |token: Token<'_>| {
            let second = token.split(',').nth(1).expect("two tokens");
            second.number("a size", 1.0, 9.0).map(drop)
        };
        assert_eq!(wrong("1, 2x", second), Some(4));
        assert_eq!(wrong("ä,12", second), Some(2));
        assert_eq!(wrong("1,", second), Some(2));
    }

    #[test]
    fn times_are_pointed_into() {
        let time = |token: Token<'_>| token.time().map(drop);
        assert_eq!(wrong("10parsec", time), Some(2));
        assert_eq!(wrong(" -1s", time), Some(1));
        assert_eq!(wrong("0s", time), Some(0));
    }
}
