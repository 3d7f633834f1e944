//! Text of others as it may be shown: names, answers, log lines. Nothing in it moves a cursor, changes a colour or
//! turns round what stands beside it.

use std::borrow::Cow;

/// The text in one line, with everything escaped that would steer a terminal or disguise what it says.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, steers)
}

/// The same, with its lines and tabs left as they are.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| steers(c) && !matches!(c, '\n' | '\t'))
}

/// Whether a character steers what shows it, instead of being shown: controls of both ranges, what changes the
/// direction of writing, separators of lines, and characters that stand for none.
#[must_use]
pub fn steers(c: char) -> bool {
    let is_bidi =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_none =
        matches!(c, '\u{feff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}');
    c.is_control() || is_bidi || is_none || matches!(c, '\u{2028}' | '\u{2029}')
}

fn escaped(text: &str, unfit: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unfit) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if unfit(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_letters_are_not() {
        for (text, shown) in [
            ("plain, Zoë, 北京, 👩‍👩‍👧", "plain, Zoë, 北京, 👩‍👩‍👧"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("c1 \u{9b}31m del \u{7f}", "c1 \\u{9b}31m del \\u{7f}"),
            ("a\r\n\tb", "a\\r\\n\\tb"),
            ("\u{202e}gpj.exe \u{2066}\u{200f}", "\\u{202e}gpj.exe \\u{2066}\\u{200f}"),
            ("\u{fdd1}\u{2028}\u{feff}", "\\u{fdd1}\\u{2028}\\u{feff}"),
        ] {
            assert_eq!(printable(text), shown);
        }
        assert_eq!(printable_lines("a\n\tb\r\u{1b}"), "a\n\tb\\r\\u{1b}");
    }
}
