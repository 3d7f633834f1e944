//! Lists in pages: a limit, an opaque cursor, the next page in a `Link` header.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use ordersys_contract::client::percent;
use ordersys_contract::{DEFAULT_PAGE, MAX_PAGE};
use serde::Serialize;

use crate::params::{page_limit, wrong_parameter};
use crate::{Json, Refusal};

/// Checks a page's limit.
pub fn limit(asked: Option<u32>) -> Result<u32, Refusal> {
    match asked.unwrap_or(DEFAULT_PAGE) {
        limit @ 1..=MAX_PAGE => Ok(limit),
        limit => Err(wrong_parameter("limit", &limit.to_string(), &page_limit())),
    }
}

/// Reads a cursor of ours: the hexadecimal form of the last item's key.
pub fn cursor<const N: usize>(text: Option<&str>) -> Result<Option<[u8; N]>, Refusal> {
    let key = text.map(cursor_bytes).transpose()?;
    let foreign = || foreign_cursor(text.unwrap_or(""));
    key.map(|key| key.try_into().map_err(|_| foreign())).transpose()
}

/// Reads a cursor of ours whose key has no fixed length.
pub fn cursor_bytes(text: &str) -> Result<Vec<u8>, Refusal> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(foreign_cursor(text));
    }
    let byte =
        |digits| std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
    text.as_bytes().chunks(2).map(byte).collect::<Option<_>>().ok_or_else(|| foreign_cursor(text))
}

/// The refusal of a cursor that is not ours.
#[must_use]
pub fn foreign_cursor(text: &str) -> Refusal {
    wrong_parameter("cursor", text, "the one in the `Link` of the page before")
}

/// The text of a cursor after the item with this key.
#[must_use]
pub fn cursor_text(key: &[u8]) -> String {
    use std::fmt::Write as _;
    key.iter().fold(String::with_capacity(2 * key.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}

/// A page as an answer: a bare array, and where the next page is.
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Path, and query pairs other than the cursor, of this list.
    pub list: (&'static str, Vec<(&'static str, String)>),
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.items).into_response();
        if let Some(cursor) = self.next {
            let (path, pairs) = self.list;
            let pairs = pairs.iter().map(|(name, value)| format!("{name}={}&", percent(value)));
            let link = format!("<{path}?{}cursor={cursor}>; rel=\"next\"", pairs.collect::<String>());
            if let Ok(value) = HeaderValue::from_str(&link) {
                response.headers_mut().insert(header::LINK, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_and_rubbish_does_not() {
        let key = [0, 1, 0xab, 0xff];
        assert_eq!(cursor::<4>(Some(&cursor_text(&key))), Ok(Some(key)));
        for rubbish in ["", "00", "zzzzzzzz", "é0é0", "+1+1+1+1", "00000000ff"] {
            assert!(cursor::<4>(Some(rubbish)).is_err(), "{rubbish}");
        }
    }
}
