//! Where the time of a run went: what was done when, and the chain of deeds that made it as long as it was.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

/// Deeds that are shorter are left out of the chain.
const WORTH_NAMING: Duration = Duration::from_millis(1);

/// Something that took time, relative to the start of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// What was done.
    pub name: String,
    /// When it began.
    #[serde(rename = "fromSeconds", serialize_with = "seconds")]
    pub from: Duration,
    /// When it was done.
    #[serde(rename = "toSeconds", serialize_with = "seconds")]
    pub to: Duration,
}

impl Span {
    /// How long it took.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.to.saturating_sub(self.from)
    }
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e6)
}

/// Notes what is done, also at the same time.
#[derive(Debug)]
pub struct Timeline {
    start: Instant,
    spans: Mutex<Vec<Span>>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { start: Instant::now(), spans: Mutex::default() }
    }
}

impl Timeline {
    /// Does something and notes when.
    pub async fn during<T>(&self, name: impl Into<String>, work: impl Future<Output = T>) -> T {
        let from = self.start.elapsed();
        let result = work.await;
        let span = Span { name: name.into(), from, to: self.start.elapsed() };
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).push(span);
        result
    }

    /// How long the run has taken so far.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The chain of deeds that made the run as long as it was, first to last.
    #[must_use]
    pub fn critical_path(&self) -> Vec<Span> {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        critical_path(&spans)
    }
}

/// Walks back from what ended last: before each deed comes the one that ended last before it began.
fn critical_path(spans: &[Span]) -> Vec<Span> {
    let mut path: Vec<Span> = Vec::new();
    let mut until = Duration::MAX;
    while let Some(last) = spans
        .iter()
        .filter(|span| span.to <= until && span.length() >= WORTH_NAMING)
        .max_by_key(|span| (span.to, span.length()))
    {
        until = last.from;
        path.push(last.clone());
    }
    path.reverse();
    path
}

/// The chain in one line; what took longest is marked.
#[must_use]
pub fn path_text(path: &[Span]) -> String {
    let longest = path.iter().map(Span::length).max();
    let part = |span: &Span| {
        let mark = if Some(span.length()) == longest && path.len() > 1 { " (longest)" } else { "" };
        format!("{} {}{mark}", span.name, duration_text(span.length()))
    };
    path.iter().map(part).collect::<Vec<_>>().join(" > ")
}

/// A duration in seconds, to the hundredth.
#[must_use]
pub fn duration_text(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(name: &str, from: u64, to: u64) -> Span {
        Span { name: name.to_owned(), from: Duration::from_millis(from), to: Duration::from_millis(to) }
    }

    #[test]
    fn the_chain_leads_back_from_what_ended_last() {
        let spans = [
            span("look", 0, 10),
            span("image", 10, 60),
            span("network", 10, 30),
            span("start user", 60, 300),
            span("start product", 60, 340),
            span("user ready", 300, 320),
            span("product ready", 340, 350),
            span("start order", 350, 600),
            span("blink", 600, 600),
            span("order ready", 600, 640),
        ];
        assert_eq!(
            path_text(&critical_path(&spans)),
            "look 0.01 s > image 0.05 s > start product 0.28 s (longest) > product ready 0.01 s \
             > start order 0.25 s > order ready 0.04 s"
        );
        assert_eq!(path_text(&critical_path(&[])), "");
    }
}
