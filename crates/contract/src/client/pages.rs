//! Bounds the way from page to page of a list: a server that always names a next page must not keep a client
//! for ever.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, Instant};

use http::StatusCode;

use super::ClientError;

/// Most pages in a row without an item. A search looks at a bounded number of items for each page, so that some
/// without a hit are as they should be.
const MAX_EMPTY_PAGES: u32 = 1000;
/// Most pages of one list.
const MAX_PAGES: usize = 1_000_000;
/// How long one list may take, apart from its full pages.
const TIME: Duration = Duration::from_secs(30);
/// How much longer it may take for each full page.
const TIME_OF_PAGE: Duration = Duration::from_secs(1);
/// Items of a page that counts as full. Smaller ones must not buy a list time for ever.
const FULL: usize = 25;
/// How long one list may take in any case.
const MAX_TIME: Duration = Duration::from_hours(1);

/// The way through one list.
#[derive(Debug)]
pub struct Walk {
    seen: HashSet<u64>,
    empty_pages: u32,
    began: Instant,
    /// How long it may take by now.
    time: Duration,
}

impl Default for Walk {
    /// A way that begins now.
    fn default() -> Self {
        Self { seen: HashSet::new(), empty_pages: 0, began: Instant::now(), time: TIME }
    }
}

impl Walk {
    /// The page to read after one with so many items that names `next`; `None` at the end of the list. Fails where
    /// the list would have no end: a page that was named before, too many without an item, too many at all, or
    /// too much time for so few items.
    pub fn after(&mut self, items: usize, next: Option<String>) -> Result<Option<String>, ClientError> {
        self.after_in(self.began.elapsed(), items, next)
    }

    /// The same, when so much time has gone since it began.
    fn after_in(
        &mut self,
        gone: Duration,
        items: usize,
        next: Option<String>,
    ) -> Result<Option<String>, ClientError> {
        let Some(next) = next else { return Ok(None) };
        if items >= FULL {
            self.time = (self.time + TIME_OF_PAGE).min(MAX_TIME);
        }
        self.empty_pages = if items == 0 { self.empty_pages + 1 } else { 0 };
        let mut name = DefaultHasher::new();
        next.hash(&mut name);
        let why = if !self.seen.insert(name.finish()) {
            "names a next page that was read before".to_owned()
        } else if self.empty_pages >= MAX_EMPTY_PAGES {
            format!("{MAX_EMPTY_PAGES} pages in a row hold nothing and name a next one")
        } else if self.seen.len() >= MAX_PAGES {
            format!("the list goes on after {MAX_PAGES} pages")
        } else if gone >= self.time {
            let (pages, limit) = (self.seen.len(), self.time.as_secs());
            format!("the list goes on after {pages} pages and its time limit of {limit} s")
        } else {
            return Ok(Some(next));
        };
        Err(ClientError::BadAnswer { url: next, status: StatusCode::OK, detail: why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: usize) -> String {
        format!("/products?cursor={number}")
    }

    #[test]
    fn a_list_may_be_long_and_have_gaps() {
        let mut walk = Walk::default();
        for number in 0..5000 {
            let items = usize::from(number % 100 == 0);
            assert_eq!(walk.after(items, Some(page(number))).expect("goes on"), Some(page(number)));
        }
        assert_eq!(walk.after(0, None).expect("ends"), None);
    }

    #[test]
    fn a_list_without_an_end_is_refused() {
        let mut walk = Walk::default();
        walk.after(1, Some(page(1))).expect("goes on");
        walk.after(1, Some(page(2))).expect("goes on");
        let error = walk.after(1, Some(page(1))).expect_err("was read before").to_string();
        assert!(error.contains("/products?cursor=1") && error.contains("was read before"), "{error}");
        let mut walk = Walk::default();
        let empty =
            (0..2_000).map(|number| walk.after(0, Some(page(number)))).take_while(Result::is_ok).count();
        assert_eq!(empty, 999);
    }

    #[test]
    fn a_list_has_a_time_limit_that_only_full_pages_extend() {
        let slow = |items: usize| {
            let mut walk = Walk::default();
            let mut read =
                |number: u32| walk.after_in(number * TIME / 10, items, Some(page(number as usize)));
            (0..20_000).map(&mut read).take_while(Result::is_ok).count()
        };
        assert_eq!((slow(1), slow(FULL - 1)), (10, 10));
        assert_eq!(slow(FULL), 16, "each takes three seconds and buys one");
        let mut walk = Walk::default();
        for number in 0..5000 {
            let gone = TIME_OF_PAGE * number / 2;
            walk.after_in(gone, FULL, Some(page(number as usize))).expect("goes on");
        }
        let error = walk.after_in(MAX_TIME, FULL, Some(page(5000))).expect_err("takes too long").to_string();
        assert!(error.contains("after 5001 pages and its time limit of 3600 s"), "{error}");
    }
}
