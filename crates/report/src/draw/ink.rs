//! Colours. They travel through text as marks: characters that Unicode gives no meaning, so that no text of others can
//! bring them along. Where text leaves the program, marks become colours, or nothing.

use std::fmt::Display;

use ordersys_command::steers;

use crate::draw::terminal::Colour;

/// What a colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// All is well.
    Good,
    /// Something is wrong.
    Bad,
    /// Something may be wrong.
    Doubtful,
}

/// What ends each of them.
const END: char = '\u{fdd0}';

impl Ink {
    const ALL: [Self; 3] = [Self::Good, Self::Bad, Self::Doubtful];

    /// What the word for a state or a result says, if it says anything.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "PASS" | "pass" | "VALID" | "ready" | "ok" => Some(Self::Good),
            "FAIL" | "fail" | "INVALID" | "stopped" | "missing" | "unready" | "cut" => Some(Self::Bad),
            "SUSPECT" | "SATURATED" | "degraded" | "paused" | "restarting" | "unwatched" | "warn" => {
                Some(Self::Doubtful)
            }
            _ => None,
        }
    }

    fn mark(self) -> char {
        match self {
            Self::Good => '\u{fdd1}',
            Self::Bad => '\u{fdd2}',
            Self::Doubtful => '\u{fdd3}',
        }
    }

    /// What a terminal takes for it.
    fn sequence(self) -> &'static str {
        match self {
            Self::Good => "\u{1b}[32m",
            Self::Bad => "\u{1b}[31m",
            Self::Doubtful => "\u{1b}[33m",
        }
    }

    /// The text in this colour.
    pub fn paint(self, text: impl Display) -> String {
        format!("{}{text}{END}", self.mark())
    }
}

/// Whether a character is one of the marks, which take no room.
pub(crate) fn is_mark(c: char) -> bool {
    c == END || Ink::ALL.iter().any(|ink| ink.mark() == c)
}

/// The word for a state or a result, in the colour that it has.
pub(crate) fn state(word: &str) -> String {
    Ink::of(word).map_or_else(|| word.to_owned(), |ink| ink.paint(word))
}

/// Text as it leaves the program: marks are colours or nothing, and what else would steer a terminal is escaped. Lines and
/// tabs stay.
#[must_use]
pub fn shown(text: &str, colour: Colour) -> String {
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        let ink = Ink::ALL.into_iter().find(|ink| ink.mark() == c).map(Ink::sequence);
        match (ink.or((c == END).then_some("\u{1b}[0m")), colour) {
            (Some(sequence), Colour::On) => shown.push_str(sequence),
            (Some(_), Colour::Off) => {}
            (None, _) if steers(c) && !matches!(c, '\n' | '\t') => shown.extend(c.escape_default()),
            (None, _) => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_coloured_where_colours_are_and_nothing_else_steers() {
        let text = format!("{} {} \u{1b}[1m\n\tdone", state("PASS"), state("so"));
        assert_eq!(shown(&text, Colour::On), "\u{1b}[32mPASS\u{1b}[0m so \\u{1b}[1m\n\tdone");
        assert_eq!(shown(&text, Colour::Off), "PASS so \\u{1b}[1m\n\tdone");
    }
}
