//! One line of a service's log, read without copying: members in their order, values as they stand.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Level {
    /// Every step.
    Trace,
    /// For finding faults.
    Debug,
    /// What happens.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
}

impl Level {
    /// The level with this name, as services write it.
    fn named(name: &str) -> Option<Self> {
        let levels = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];
        levels.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }

    /// The name as services write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// A line that is a JSON object, taken apart.
#[derive(Debug, Default)]
pub struct Line<'a> {
    /// When it was written.
    pub at: Option<jiff::Timestamp>,
    /// How much it matters.
    pub level: Option<Level>,
    /// Which service wrote it.
    pub service: Option<Cow<'a, str>>,
    /// What it says.
    pub message: Option<Cow<'a, str>>,
    /// All other members.
    pub rest: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Line<'a> {
    /// Takes a line apart; `None` if it is no JSON object.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if !text.starts_with('{') {
            return None;
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let line = json.deserialize_map(LineVisitor).ok()?;
        json.end().ok()?;
        Some(line)
    }

    /// The text of another member.
    pub(crate) fn member(&self, name: &str) -> Option<Cow<'a, str>> {
        self.rest.iter().find(|(key, _)| key == name).and_then(|(_, value)| text_of(value))
    }

    /// The whole number in another member.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.rest.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.get().parse().ok())
    }

    fn put(&mut self, key: Cow<'a, str>, value: &'a RawValue) {
        match (key.as_ref(), text_of(value)) {
            ("timestamp", Some(text)) => self.at = text.parse().ok(),
            ("level", Some(text)) => self.level = Level::named(&text),
            ("service", Some(text)) => self.service = Some(text),
            ("message", Some(text)) => self.message = Some(text),
            _ => self.rest.push((key, value)),
        }
    }
}

/// The text of a JSON string; `None` for other values.
pub(crate) fn text_of(value: &RawValue) -> Option<Cow<'_, str>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(value.get()).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Line<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a log line")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Line<'de>, A::Error> {
        let mut line = Line::default();
        while let Some((Key(key), value)) = members.next_entry::<Key<'de>, &'de RawValue>()? {
            line.put(key, value);
        }
        Ok(line)
    }
}

/// A member's name, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_in_its_order() {
        let text = r#"{"timestamp":"2026-01-01T00:00:00.123456Z","level":"WARN","service":"order",
            "zeta":1,"message":"said \"no\"","requestId":"r-1","orderId":null,"a\nb":{"x":[1]}}"#;
        let line = Line::parse(text).expect("parses");
        assert_eq!(line.at, Some("2026-01-01T00:00:00.123456Z".parse().expect("time")));
        assert_eq!((line.level, line.service.as_deref()), (Some(Level::Warn), Some("order")));
        assert_eq!(line.message.as_deref(), Some("said \"no\""));
        let rest: Vec<_> = line.rest.iter().map(|(key, value)| (key.as_ref(), value.get())).collect();
        let expected =
            [("zeta", "1"), ("requestId", "\"r-1\""), ("orderId", "null"), ("a\nb", r#"{"x":[1]}"#)];
        assert_eq!(rest, expected);
        assert_eq!(line.member("requestId").as_deref(), Some("r-1"));
        assert_eq!(
            (line.member("orderId"), line.number("zeta"), line.number("requestId")),
            (None, Some(1), None)
        );
    }

    #[test]
    fn what_is_no_object_is_no_line() {
        for text in ["", "plain", "[1]", "{", "{\"a\":1} trailing", "{\"a\":}", "\"text\""] {
            assert!(Line::parse(text).is_none(), "{text}");
        }
        let line = Line::parse(r#"{"level":"LOUD","timestamp":"soon","message":7}"#).expect("an object");
        assert_eq!((line.level, line.at, line.message.is_none(), line.rest.len()), (None, None, true, 1));
    }
}
