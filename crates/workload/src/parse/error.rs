//! A mistake in a short text of the command line, shown at its character.

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    text: String,
    /// Characters before the wrong one.
    at: usize,
    expected: String,
}

impl ParseError {
    /// `text` is wrong from byte `at` on: `expected` belongs there.
    #[must_use]
    pub fn new(text: &str, at: usize, expected: impl Into<String>) -> Self {
        let before = text.char_indices().take_while(|(place, _)| *place < at).count();
        Self { text: text.to_owned(), at: before, expected: expected.into() }
    }
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { text, at, expected } = self;
        write!(f, "{expected}\n  {text}\n  {:at$}^", "")
    }
}

impl std::error::Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_points_at_characters_and_not_at_bytes() {
        let text = "größe=3";
        let at = text.find('=').expect("is there");
        assert_eq!(ParseError::new(text, at, "a colon").to_string(), "a colon\n  größe=3\n       ^");
        assert_eq!(ParseError::new("ab", 2, "more").to_string(), "more\n  ab\n    ^");
    }
}
