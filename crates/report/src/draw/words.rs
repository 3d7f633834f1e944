//! Words in little room: lines broken between words, parts left out, times as ages.

use ordersys_contract::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::draw::ink;

/// How many columns of a terminal a text takes; marks of colours take none.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.contains(ink::is_mark) { text.replace(ink::is_mark, "").width() } else { text.width() }
}

/// Lines, those that are longer than this broken between words.
#[must_use]
pub fn folded(text: &str, most: usize) -> String {
    text.split('\n').flat_map(|line| wrapped(line, most)).collect::<Vec<_>>().join("\n")
}

/// A text in lines of at most this width, broken between words; a longer word stays whole.
pub(crate) fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A text of at most this width; where something is left out it ends in `…`.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let (mut kept, mut room) = (String::new(), most.saturating_sub(1));
    for c in text.chars() {
        let Some(left) = room.checked_sub(c.width().unwrap_or(0)) else { break };
        room = left;
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// As many of the first parts as fit, between commas: the most important ones come first.
#[must_use]
pub fn fitting(parts: &[String], most: usize) -> String {
    let mut text = String::new();
    for part in parts {
        let separator = if text.is_empty() { "" } else { ", " };
        if width(&text) + width(separator) + width(part) > most {
            break;
        }
        text.push_str(separator);
        text.push_str(part);
    }
    text
}

/// How long ago something was, in one unit: `2 min ago`.
#[must_use]
pub fn age(since: Timestamp, now: Timestamp) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let seconds = now.since(since).as_secs();
    match UNITS.into_iter().find(|(unit, _)| seconds >= *unit) {
        Some((unit, name)) => format!("{} {name} ago", seconds / unit),
        None => format!("{seconds} s ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_parts_too() {
        assert_eq!(wrapped("the system could not follow", 10), ["the system", "could not", "follow"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
        assert_eq!(folded("a b c\n\nd", 3), "a b\nc\n\nd");
        assert_eq!(width(&ink::state("PASS")), 4);
        assert_eq!(cut("北京市", 5), "北京…");
        assert_eq!((cut("abc", 3), cut("abcd", 3)), ("abc".to_owned(), "ab…".to_owned()));
        let parts = ["done 5/s", "p50 1 ms", "x"].map(str::to_owned);
        assert_eq!(
            (fitting(&parts, 18), fitting(&parts, 17)),
            ("done 5/s, p50 1 ms".to_owned(), "done 5/s".to_owned())
        );
    }

    #[test]
    fn an_age_has_one_unit() {
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().expect("a time");
        for (since, text) in [
            ("2026-01-02T00:00:00Z", "0 s ago"),
            ("2026-01-02T00:00:09Z", "0 s ago"),
            ("2026-01-01T23:59:01Z", "59 s ago"),
            ("2026-01-01T23:57:01Z", "2 min ago"),
            ("2026-01-01T01:00:00Z", "23 h ago"),
            ("2025-12-01T01:00:00Z", "31 d ago"),
        ] {
            assert_eq!(age(since.parse().expect("a time"), now), text);
        }
    }
}
