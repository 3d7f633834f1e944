//! How a log line looks to a person: `12:00:00.123 order    INFO  message key=value`.

use std::fmt::Write as _;

use ordersys_command::printable;

use crate::Entry;
use crate::line::{Level, Line, text_of};

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Escape sequences of a terminal.
    Ansi,
    /// Plain text.
    Plain,
}

/// Columns for the service's name.
const NAME_WIDTH: usize = 10;
const DIM: &str = "2";
/// The well-known names have a colour each; others get one by their letters.
const KNOWN: [&str; 4] = ["user", "product", "order", "supervisor"];
const COLOURS: [&str; 6] = ["36", "35", "32", "34", "96", "95"];

/// The line as text to read; times in UTC.
#[must_use]
pub fn render(entry: &Entry, colour: Colour) -> String {
    let line = Line::parse(&entry.text);
    let service = entry.service(line.as_ref().and_then(|line| line.service.as_deref()));
    let mut text = String::with_capacity(entry.text.len() + 32);
    let time = entry.at.strftime("%H:%M:%S%.3f").to_string();
    paint(&mut text, colour, DIM, &time);
    text.push(' ');
    paint(&mut text, colour, colour_of(service), &format!("{:NAME_WIDTH$}", printable(service)));
    text.push(' ');
    match &line {
        Some(line) => object(&mut text, line, colour),
        None => text.push_str(&printable(&entry.text)),
    }
    text
}

fn object(text: &mut String, line: &Line<'_>, colour: Colour) {
    let (name, code) = match line.level {
        Some(Level::Error) => ("ERROR", "31"),
        Some(Level::Warn) => ("WARN", "33"),
        Some(level) => (level.name(), DIM),
        None => ("", DIM),
    };
    paint(text, colour, code, &format!("{name:5}"));
    if let Some(message) = &line.message {
        text.push(' ');
        text.push_str(&printable(message));
    }
    for (key, value) in &line.rest {
        text.push(' ');
        paint(text, colour, DIM, &format!("{}=", printable(key)));
        match text_of(value) {
            Some(word) if !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c == '"') => {
                text.push_str(&printable(&word));
            }
            _ => text.push_str(&printable(value.get())),
        }
    }
}

fn paint(text: &mut String, colour: Colour, code: &str, what: &str) {
    let _ = match colour {
        Colour::Ansi => write!(text, "\x1b[{code}m{what}\x1b[0m"),
        Colour::Plain => write!(text, "{what}"),
    }; // writing to a String cannot fail
}

fn colour_of(service: &str) -> &'static str {
    let known = KNOWN.iter().position(|name| *name == service);
    let index = known.unwrap_or_else(|| service.bytes().map(usize::from).sum());
    COLOURS[index % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Entry {
        let at = "2026-01-01T12:00:00.123456Z".parse().expect("time");
        Entry { at, source: "order".into(), text: text.to_owned() }
    }

    #[test]
    fn lines_are_readable() {
        let cases = [
            (
                r#"{"timestamp":"2026-01-01T12:00:00.123456Z","level":"INFO","service":"user","message":"request","status":200,"route":"/a b","id":"x"}"#,
                r#"12:00:00.123 user       INFO  request status=200 route="/a b" id=x"#,
            ),
            (
                r#"{"level":"WARN","message":"a\u001b[2J\nb","x":"\u0007"}"#,
                r"12:00:00.123 order      WARN  a\u{1b}[2J\nb x=\u{7}",
            ),
            ("thread 'main'\u{1b}[2J panicked", r"12:00:00.123 order      thread 'main'\u{1b}[2J panicked"),
            ("{\"x\":\"a b\u{9b}1m\"}", r#"12:00:00.123 order            x="a b\u{9b}1m""#),
            (r#"{"a":[1,"two"]}"#, r#"12:00:00.123 order            a=[1,"two"]"#),
        ];
        for (raw, expected) in cases {
            assert_eq!(render(&entry(raw), Colour::Plain), expected);
        }
    }

    #[test]
    fn a_line_of_a_replica_is_shown_with_its_number() {
        let of = |source: &str| {
            let entry = Entry { source: source.into(), ..entry(r#"{"service":"order","message":"x"}"#) };
            render(&entry, Colour::Plain).split_whitespace().nth(1).map(str::to_owned)
        };
        assert_eq!((of("order").as_deref(), of("order.2").as_deref()), (Some("order"), Some("order.2")));
        assert_eq!(of("all").as_deref(), Some("order"), "of a monolith each line names its own");
    }

    #[test]
    fn colours_are_stable_and_differ_between_the_services() {
        let text = render(&entry(r#"{"level":"ERROR","message":"no"}"#), Colour::Ansi);
        assert_eq!(text, "\x1b[2m12:00:00.123\x1b[0m \x1b[32morder     \x1b[0m \x1b[31mERROR\x1b[0m no");
        let colours: std::collections::BTreeSet<_> = KNOWN.iter().map(|name| colour_of(name)).collect();
        assert_eq!(colours.len(), KNOWN.len());
    }
}
