//! Lists on the command line: which part of one is read, and the form in which it goes out as JSON.

use ordersys_contract::client::{Page, Walk};
use ordersys_contract::{ClientError, TestData};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::cli::client_failure;
use crate::render::Printer;
use ordersys_command::{Exit, Failure, Outcome};

/// Things under their name, as JSON: room to grow, which a list alone has not.
pub(super) fn object(name: &'static str, things: &impl Serialize) -> serde_json::Value {
    serde_json::json!({ "version": VERSION, name: things })
}

/// The version of the form of lists as JSON.
const VERSION: u32 = 1;
/// Most items that are held at once.
pub(super) const MAX_ITEMS: u64 = 1_000_000;
/// Most items that are asked for in one call.
const MAX_PAGE: usize = ordersys_contract::MAX_PAGE as usize;

/// A part of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Which page, from 1 on.
    page: usize,
    /// Items on a page; all of the list is one page without it.
    limit: Option<usize>,
}

impl Part {
    /// All of a list.
    pub(super) const ALL: Self = Self { page: 1, limit: None };

    /// This page, of so many items each.
    pub(super) fn page(page: u64, limit: Option<u64>) -> Self {
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self { page: number(page), limit: limit.map(number) }
    }

    /// Items that a first call asks for.
    pub(super) fn call_limit(self) -> Option<u32> {
        let wanted = self.limit.map_or(MAX_PAGE, |limit| limit.min(MAX_PAGE));
        u32::try_from(wanted).ok()
    }
}

/// Which part of a catalog or directory is listed: all of it but test data, unless asked.
#[derive(Debug, clap::Args)]
pub(super) struct ListFlags {
    /// Only the test data that runs and seeds made
    #[arg(long)]
    test: bool,
    /// Test data too
    #[arg(long, conflicts_with = "test")]
    all: bool,
    /// At most so many on a page [default: all on one]
    #[arg(long, value_name = "N", value_parser = whole::<1, MAX_ITEMS>)]
    limit: Option<u64>,
    /// Which page
    #[arg(long, value_name = "N", default_value_t = 1, requires = "limit", allow_negative_numbers = true, value_parser = whole::<1, MAX_ITEMS>)]
    page: u64,
}

impl ListFlags {
    pub(super) fn part(&self) -> Part {
        Part::page(self.page, self.limit)
    }

    pub(super) fn shown(&self) -> TestData {
        match (self.test, self.all) {
            (true, _) => TestData::Only,
            (_, true) => TestData::Include,
            _ => TestData::Exclude,
        }
    }

    /// The same flags, but for the page, as words of a command line.
    pub(super) fn words(&self) -> String {
        let test = if self.test { " --test" } else { "" };
        let all = if self.all { " --all" } else { "" };
        let limit = self.limit.map_or_else(String::new, |limit| format!(" --limit {limit}"));
        format!("{test}{all}{limit}")
    }
}

/// What was read of a list.
#[derive(Debug)]
pub(super) struct Listed<T> {
    /// What its items are called, e.g. `orders`.
    name: &'static str,
    /// The items.
    pub(super) items: Vec<T>,
    /// The number of the next page, if there is one.
    next: Option<usize>,
}

impl<T: Serialize> Serialize for Listed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("version", &VERSION)?;
        map.serialize_entry(self.name, &self.items)?;
        map.serialize_entry("next", &self.next)?;
        map.end()
    }
}

impl<T: Serialize> Listed<T> {
    /// Prints it, and says that there is more, if there is.
    pub(super) fn print(&self, printer: &Printer, table: impl FnOnce(&[T]) -> String, command: &str) {
        printer.data(self, || table(&self.items));
        if let Some(next) = self.next {
            let shown = self.items.len();
            printer.say(format!("{shown} {} are shown; more: {command} --page {next}", self.name));
        }
    }
}

/// Reads a part of a list, whose pages after the first `more` brings.
pub(super) async fn read<T>(
    name: &'static str,
    part: Part,
    first: Result<Page<T>, ClientError>,
    more: impl AsyncFn(&str) -> Result<Page<T>, ClientError>,
) -> Outcome<Listed<T>> {
    let skipped = part.limit.map_or(0, |limit| limit.saturating_mul(part.page.saturating_sub(1)));
    let end = part.limit.map(|limit| skipped.saturating_add(limit));
    let (mut walk, mut items, mut page) = (Walk::default(), Vec::new(), first.map_err(client_failure)?);
    loop {
        let next = walk.after(page.items.len(), page.next).map_err(client_failure)?;
        items.append(&mut page.items);
        if items.len() as u64 > MAX_ITEMS {
            let what = format!("there are more than {MAX_ITEMS} {name}, too many to list at once");
            return Err(Failure::new(Exit::Failed, what).hint("list a part of them with --limit N --page N"));
        }
        let Some(next) = next.filter(|_| end.is_none_or(|end| items.len() <= end)) else { break };
        page = more(&next).await.map_err(client_failure)?;
    }
    let next = end.is_some_and(|end| items.len() > end).then_some(part.page + 1);
    items.truncate(end.unwrap_or(usize::MAX));
    items.drain(..skipped.min(items.len()));
    Ok(Listed { name, items, next })
}

/// Reads a whole number that an option takes. Numbers below zero reach it, so that it says what is taken instead.
pub(super) fn whole<const LEAST: u64, const MOST: u64>(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
    number.ok_or_else(|| format!("it takes a whole number from {LEAST} to {MOST}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of 0 to 24 in pages of ten.
    async fn part(part: Part) -> Listed<u32> {
        let page = |from: u32| {
            let next = (from < 20).then(|| (from + 10).to_string());
            Page { items: (from..(from + 10).min(25)).collect(), next }
        };
        let more = async |next: &str| Ok(page(next.parse().expect("a number")));
        read("numbers", part, Ok(page(0)), more).await.expect("reads")
    }

    #[tokio::test]
    async fn a_part_says_whether_there_is_more() {
        let shown = async |one: Part| {
            let Listed { items, next, .. } = part(one).await;
            (items.first().copied(), items.len(), next)
        };
        assert_eq!(shown(Part::ALL).await, (Some(0), 25, None));
        assert_eq!(shown(Part::page(1, Some(10))).await, (Some(0), 10, Some(2)));
        assert_eq!(shown(Part::page(3, Some(10))).await, (Some(20), 5, None));
        assert_eq!(shown(Part::page(1, Some(25))).await, (Some(0), 25, None));
        assert_eq!(shown(Part::page(9, Some(10))).await, (None, 0, None));
        let text = serde_json::to_string(&part(Part::page(2, Some(2))).await).expect("writes");
        assert_eq!(text, r#"{"version":1,"numbers":[2,3],"next":3}"#);
    }
}
