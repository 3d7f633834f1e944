//! Which lines are wanted.

use std::collections::BTreeSet;

use crate::line::{Level, Line};

/// Which lines are wanted; the default wants all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of these services or sources; empty: of all.
    pub services: BTreeSet<String>,
    /// At least this important. Lines without a level (a panic, say) are wanted too.
    pub level: Option<Level>,
    /// Of this request.
    pub request: Option<String>,
    /// Of this order.
    pub order: Option<String>,
    /// Of one of these requests or orders; empty: of all.
    pub about: BTreeSet<String>,
    /// Written at or after this time.
    pub since: Option<jiff::Timestamp>,
    /// Written at or before this time.
    pub until: Option<jiff::Timestamp>,
}

impl Filter {
    /// A cheap look that refuses most lines another request or order wrote.
    pub(crate) fn may_keep(&self, text: &str) -> bool {
        let mentions = |id: &Option<String>| id.as_ref().is_none_or(|id| text.contains(id.as_str()));
        let about = self.about.is_empty() || self.about.iter().any(|id| text.contains(id.as_str()));
        about && mentions(&self.request) && mentions(&self.order)
    }

    /// Whether a line of this source and time is wanted; `line` is `None` if it is not JSON.
    pub(crate) fn keeps(&self, source: &str, at: jiff::Timestamp, line: Option<&Line<'_>>) -> bool {
        let service = line.and_then(|line| line.service.as_deref()).unwrap_or(source);
        let named =
            self.services.is_empty() || self.services.contains(service) || self.services.contains(source);
        let important = match (self.level, line.and_then(|line| line.level)) {
            (Some(least), Some(level)) => level >= least,
            (_, None) | (None, _) => true,
        };
        let member = |name| line.and_then(|line| line.member(name));
        let is = |wanted: &Option<String>, name| {
            wanted.as_ref().is_none_or(|wanted| member(name).as_deref() == Some(wanted))
        };
        let about = || {
            let is_one = |name| member(name).is_some_and(|id| self.about.contains(id.as_ref()));
            self.about.is_empty() || is_one("requestId") || is_one("orderId")
        };
        named
            && important
            && about()
            && self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at <= until)
            && is(&self.request, "requestId")
            && is(&self.order, "orderId")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_narrows() {
        let json = r#"{"level":"INFO","service":"order","requestId":"r-1","orderId":"o-1","message":"x"}"#;
        let some = |text: &str| Some(text.to_owned());
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let noon: jiff::Timestamp = "2026-01-01T12:00:00Z".parse().expect("time");
        let cases = [
            (Filter::default(), true, true),
            (Filter { services: named(&["order"]), ..Filter::default() }, true, false),
            (Filter { services: named(&["all"]), ..Filter::default() }, true, true),
            (Filter { services: named(&["user"]), ..Filter::default() }, false, false),
            (Filter { level: Some(Level::Info), ..Filter::default() }, true, true),
            (Filter { level: Some(Level::Warn), ..Filter::default() }, false, true),
            (Filter { request: some("r-1"), ..Filter::default() }, true, false),
            (Filter { request: some("r-"), ..Filter::default() }, false, false),
            (Filter { order: some("o-1"), request: some("r-1"), ..Filter::default() }, true, false),
            (Filter { order: some("o-2"), ..Filter::default() }, false, false),
            (Filter { about: named(&["x", "o-1"]), ..Filter::default() }, true, false),
            (Filter { about: named(&["r-1"]), ..Filter::default() }, true, false),
            (Filter { about: named(&["r-", "order"]), ..Filter::default() }, false, false),
            (Filter { since: Some(noon), ..Filter::default() }, true, true),
            (Filter { since: Some(jiff::Timestamp::MAX), ..Filter::default() }, false, false),
            (Filter { until: Some(noon), ..Filter::default() }, true, true),
            (Filter { until: Some(jiff::Timestamp::MIN), ..Filter::default() }, false, false),
        ];
        for (filter, keeps_json, keeps_plain) in cases {
            let line = Line::parse(json);
            assert_eq!(filter.keeps("all", noon, line.as_ref()), keeps_json, "{filter:?}");
            assert_eq!(filter.keeps("all", noon, None), keeps_plain, "{filter:?}");
            assert!(filter.may_keep(json) || !keeps_json, "{filter:?}");
        }
    }
}
