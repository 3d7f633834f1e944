//! How a rejection shows what a client sent: escaped, so that it cannot pass for something else, and short.

/// Most characters shown of what a client sent.
const MAX_SHOWN: usize = 60;

/// What was sent, between backquotes.
#[must_use]
pub fn quoted(text: impl AsRef<[u8]>) -> String {
    let text = String::from_utf8_lossy(text.as_ref());
    let mut shown: String = text.chars().take(MAX_SHOWN).flat_map(escaped).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Quotes are left as they are: tags have them, and what is shown stands between backquotes.
fn escaped(c: char) -> impl Iterator<Item = char> {
    let plain = matches!(c, '"' | '\'').then_some(c);
    let escape = plain.is_none().then(|| c.escape_debug());
    plain.into_iter().chain(escape.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_shown_escaped_and_short() {
        assert_eq!(quoted("\"1.5\""), "`\"1.5\"`");
        assert_eq!(quoted("a\u{1b}[31m\r\n"), "`a\\u{1b}[31m\\r\\n`");
        assert_eq!(quoted([0xff, b'x']), "`\u{fffd}x`");
        assert_eq!(quoted("é".repeat(61)), format!("`{}…`", "é".repeat(60)));
        assert_eq!(quoted("é".repeat(60)), format!("`{}`", "é".repeat(60)));
    }
}
