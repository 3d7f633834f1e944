//! Lists in pages: a limit, an opaque cursor, the next page in a `Link` header.

use std::ops::ControlFlow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use ordersys_contract::client::percent;
use ordersys_contract::{DEFAULT_PAGE, MAX_PAGE, hex};
use serde::Serialize;

use crate::Rejection;
use crate::http::body::{JsonText, unwritable};
use crate::http::params::{page_limit, wrong_parameter};

/// Most bytes of a page, unless a single item is larger.
pub const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Checks a page's limit.
pub fn limit(asked: Option<u32>) -> Result<u32, Rejection> {
    match asked.unwrap_or(DEFAULT_PAGE) {
        limit @ 1..=MAX_PAGE => Ok(limit),
        limit => Err(wrong_parameter("limit", &limit.to_string(), &page_limit())),
    }
}

/// Reads a cursor of ours: the hexadecimal form of the last item's key.
pub fn cursor<const N: usize>(text: Option<&str>) -> Result<Option<[u8; N]>, Rejection> {
    let key = text.map(cursor_bytes).transpose()?;
    let foreign = || foreign_cursor(text.unwrap_or(""));
    key.map(|key| key.try_into().map_err(|_| foreign())).transpose()
}

/// Reads a cursor of ours whose key has no fixed length.
pub fn cursor_bytes(text: &str) -> Result<Vec<u8>, Rejection> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(foreign_cursor(text));
    }
    let byte =
        |digits| std::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
    text.as_bytes().chunks(2).map(byte).collect::<Option<_>>().ok_or_else(|| foreign_cursor(text))
}

/// The rejection of a cursor that is not ours.
#[must_use]
pub fn foreign_cursor(text: &str) -> Rejection {
    wrong_parameter("cursor", text, "the one in the `Link` of the page before")
}

/// The text of a cursor after the item with this key.
#[must_use]
pub fn cursor_text(key: &[u8]) -> String {
    hex(key)
}

/// Items of a page, written as they are read: no more of them are in memory than one. A page ends at its limit,
/// or before the item that would make it larger than [`MAX_PAGE_BYTES`].
#[derive(Debug)]
pub struct Items {
    /// The items so far, each after a `[` or a comma.
    text: Vec<u8>,
    one: Vec<u8>,
    count: u32,
    limit: u32,
    /// The key of the last item, or of the last row gone through.
    last: Vec<u8>,
    has_next: bool,
    failed: Option<serde_json::Error>,
}

impl Items {
    /// A page for at most so many items.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        let (text, one, last) = (Vec::new(), Vec::new(), Vec::new());
        Self { text, one, count: 0, limit, last, has_next: false, failed: None }
    }

    /// A page with the first of these items, each with its key.
    #[must_use]
    pub fn of<T: Serialize, const N: usize>(limit: u32, items: &[T], key: impl Fn(&T) -> &[u8; N]) -> Self {
        let mut page = Self::new(limit);
        let _ = items.iter().try_for_each(|item| page.add(item, key(item)));
        page
    }

    /// Adds an item with its key, if there is room for it. Breaks when there is none for another.
    pub fn add(&mut self, item: &impl Serialize, key: &[u8]) -> ControlFlow<()> {
        self.one.clear();
        if let Err(error) = serde_json::to_writer(&mut self.one, item) {
            self.failed = Some(error);
            return ControlFlow::Break(());
        }
        if self.count > 0 && self.text.len() + self.one.len() + 2 > MAX_PAGE_BYTES {
            self.has_next = true;
            return ControlFlow::Break(());
        }
        self.text.push(if self.count == 0 { b'[' } else { b',' });
        self.text.append(&mut self.one);
        self.count += 1;
        key.clone_into(&mut self.last);
        self.has_next = self.count >= self.limit;
        if self.has_next { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Notes that more follows after the row with this key, although the page has room.
    pub fn goes_on_after(&mut self, key: &[u8]) {
        key.clone_into(&mut self.last);
        self.has_next = true;
    }

    /// The JSON, and the cursor of the next page if there may be one.
    fn finish(mut self) -> Result<(Vec<u8>, Option<String>), serde_json::Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.text.extend_from_slice(if self.count == 0 { b"[]" } else { b"]" });
        self.text.shrink_to_fit();
        Ok((self.text, self.has_next.then(|| cursor_text(&self.last))))
    }
}

/// A page as an answer: a bare array, and where the next page is.
pub struct Page {
    /// The items.
    pub items: Items,
    /// Path, and query pairs other than the cursor, of this list.
    pub list: (&'static str, Vec<(&'static str, String)>),
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let (text, next) = match self.items.finish() {
            Ok(finished) => finished,
            Err(error) => return unwritable(&error),
        };
        let mut response = JsonText::from_bytes(text).into_response();
        if let Some(cursor) = next {
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

    /// What a page of so many items of this size, written from a long list, comes to.
    fn page(limit: u32, bytes: usize) -> (usize, usize, Option<String>) {
        let (mut items, item) = (Items::new(limit), "x".repeat(bytes));
        let mut added = 0_u8;
        while items.add(&item, &[added]).is_continue() {
            added += 1;
        }
        let (text, next) = items.finish().expect("JSON");
        let read: Vec<String> = serde_json::from_slice(&text).expect("an array");
        (read.len(), text.len(), next)
    }

    #[test]
    fn pages_end_at_their_limit_or_their_size() {
        assert_eq!(page(3, 10), (3, 40, Some("02".to_owned())));
        let (count, bytes, next) = page(1000, 100_000);
        assert_eq!((count, next), (20, Some("13".to_owned())));
        assert!(bytes <= MAX_PAGE_BYTES, "{bytes}");
        let (count, _, next) = page(1000, 3 * MAX_PAGE_BYTES);
        assert_eq!((count, next), (1, Some("00".to_owned())), "one item always fits");
        let (text, next) = Items::new(1).finish().expect("JSON");
        assert_eq!((text.as_slice(), next), (&b"[]"[..], None));
    }
}
