//! The W3C trace context of a call: which trace it belongs to, and below which span.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::header::TRACEPARENT;

/// Length of a `traceparent` of the first version.
const LENGTH: usize = 55;
/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;

/// The id of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub NonZeroU128);

/// The id of a span within its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub NonZeroU64);

/// A place in a trace: what follows belongs below this span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceId,
    /// The span in it.
    pub span: SpanId,
    /// Whether the trace is recorded.
    pub sampled: bool,
}

impl TraceParent {
    /// A new trace that is recorded, at its first span.
    #[must_use]
    pub fn begin() -> Self {
        let trace = TraceId(NonZeroU128::new(rand::random()).unwrap_or(NonZeroU128::MIN));
        Self { trace, span: new_span(), sampled: true }
    }

    /// A new span in the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: new_span(), ..self }
    }

    /// Reads a `traceparent`. Later versions are read as far as the first one goes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (known, rest) = text.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let version = hexadecimal(parts.next()?, 2)?;
        let trace = hexadecimal(parts.next()?, 32).and_then(NonZeroU128::new)?;
        let span = hexadecimal(parts.next()?, 16)?;
        let flags = u8::try_from(hexadecimal(parts.next()?, 2)?).ok()?;
        let fits = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let span = NonZeroU64::new(u64::try_from(span).ok()?)?;
        fits.then_some(Self { trace: TraceId(trace), span: SpanId(span), sampled: flags & SAMPLED != 0 })
    }

    /// The one a request carries, if it is valid. Two are none.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let only = values.next()?;
        values.next().is_none().then(|| Self::parse(only.to_str().ok()?)).flatten()
    }

    /// What a request that continues here carries.
    pub(crate) fn header(self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.to_string()).ok()
    }
}

fn new_span() -> SpanId {
    SpanId(NonZeroU64::new(rand::random()).unwrap_or(NonZeroU64::MIN))
}

/// Exactly so many lower-case hexadecimal digits.
fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let fits = text.len() == digits && text.bytes().all(lower);
    fits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

impl Serialize for TraceParent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads one that may be missing. A wrong one is none: no order fails for its trace.
pub(crate) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TraceParent>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.as_deref().and_then(TraceParent::parse))
}

/// The same for a list.
pub(crate) fn lenient_list<'de, D>(deserializer: D) -> Result<Vec<Option<TraceParent>>, D::Error>
where
    D: Deserializer<'de>,
{
    let texts = Vec::<Option<String>>::deserialize(deserializer)?;
    Ok(texts.iter().map(|text| text.as_deref().and_then(TraceParent::parse)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_valid_one_is_read_and_written_as_it_was() {
        for flags in ["00", "01"] {
            let text = format!("00-{TRACE}-{SPAN}-{flags}");
            let parent = TraceParent::parse(&text).expect("valid");
            assert_eq!((parent.to_string(), parent.sampled), (text, flags == "01"));
            let child = parent.child();
            assert_eq!((child.trace, child.sampled), (parent.trace, parent.sampled));
            assert_ne!(child.span, parent.span);
        }
        let begun = TraceParent::begin();
        assert_eq!(TraceParent::parse(&begun.to_string()), Some(begun));
    }

    #[test]
    fn later_versions_are_read_and_other_flags_dropped() {
        let sampled = |text: &str| TraceParent::parse(text).map(|parent| parent.sampled);
        assert_eq!(sampled(&format!("00-{TRACE}-{SPAN}-ff")), Some(true));
        assert_eq!(sampled(&format!("00-{TRACE}-{SPAN}-fe")), Some(false));
        assert_eq!(sampled(&format!("01-{TRACE}-{SPAN}-01")), Some(true));
        assert_eq!(sampled(&format!("cc-{TRACE}-{SPAN}-01-what-comes")), Some(true));
    }

    #[test]
    fn anything_else_is_refused() {
        let zero = "0".repeat(32);
        for wrong in [
            String::new(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01 "),
            format!("01-{TRACE}-{SPAN}-01more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{zero}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zero[..16]),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-+{}-{SPAN}-01", &TRACE[1..]),
            format!("0-0{TRACE}-{SPAN}-01"),
            format!("00_{TRACE}_{SPAN}_01"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("00-{}é-{SPAN}-01", &TRACE[2..]),
        ] {
            assert_eq!(TraceParent::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn of_two_headers_none_counts() {
        let value: HeaderValue = format!("00-{TRACE}-{SPAN}-01").parse().expect("a value");
        let mut headers = HeaderMap::new();
        assert_eq!(TraceParent::of(&headers), None);
        headers.append(TRACEPARENT, value.clone());
        assert!(TraceParent::of(&headers).is_some());
        headers.append(TRACEPARENT, value);
        assert_eq!(TraceParent::of(&headers), None);
    }
}
