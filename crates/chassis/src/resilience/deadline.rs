//! How long a caller waits: work that no caller waits for any more is dropped, not done.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use http::request::Parts;
use ordersys_contract::Code;
use ordersys_contract::header::TIMEOUT_MS;

use crate::{Rejection, quoted};

/// Longest time a caller can ask for; a longer one is cut.
const MAX_TIMEOUT: Duration = Duration::from_mins(1);

/// The moment after which the caller waits no more, if it said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Option<Instant>);

impl Deadline {
    /// Whether the caller waits no more.
    #[must_use]
    pub fn has_passed(self, now: Instant) -> bool {
        self.0.is_some_and(|deadline| deadline <= now)
    }
}

/// When a request's head had been read: the time that is left counts from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival(pub Instant);

impl<S: Sync> FromRequestParts<S> for Arrival {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Instant::now()))
    }
}

impl<S: Sync> FromRequestParts<S> for Deadline {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let Some(value) = parts.headers.get(TIMEOUT_MS) else { return Ok(Self(None)) };
        let digits = value.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let millis = digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
            let why = format!(
                "the header {TIMEOUT_MS} is {}: it takes milliseconds, a whole number",
                quoted(value)
            );
            Rejection::new(Code::InvalidHeader, why)
        })?;
        Ok(Self(Some(Instant::now() + Duration::from_millis(millis).min(MAX_TIMEOUT))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(value: Option<&str>) -> Result<Deadline, Rejection> {
        let request = http::Request::builder();
        let request = value.into_iter().fold(request, |request, value| request.header(TIMEOUT_MS, value));
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        Deadline::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_caller_says_how_long_it_waits_and_a_minute_is_the_most() {
        assert_eq!(read(None).await, Ok(Deadline(None)));
        for (value, millis) in [("0", 0), ("1500", 1_500), ("60000", 60_000), ("60001", 60_000)] {
            let left = Duration::from_millis(millis);
            let earliest = Instant::now() + left;
            let deadline = read(Some(value)).await.expect(value).0.expect("it said so");
            assert!((earliest..=Instant::now() + left).contains(&deadline), "{value}");
        }
        for wrong in ["", "-1", "1.5", "soon", "18446744073709551616"] {
            let code = read(Some(wrong)).await.map_err(|rejection| rejection.0.code);
            assert_eq!(code, Err(Code::InvalidHeader), "{wrong:?}");
        }
    }

    #[test]
    fn a_deadline_passes_at_its_moment_and_none_never_does() {
        let now = Instant::now();
        let after = now + Duration::from_millis(1);
        let passed = |until| Deadline(until).has_passed(now);
        assert_eq!([None, Some(after), Some(now)].map(passed), [false, false, true]);
    }
}
