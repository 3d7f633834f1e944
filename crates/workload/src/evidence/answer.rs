//! What an answer to an order means: for the client's books, and for what the client now knows.

use std::borrow::Cow;

use ordersys_contract::json;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::amount::read_amount;
use crate::evidence::ledger::{OrderRef, Refusal, Told};

/// How a request ended: the columns of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// The order was taken.
    Ok,
    /// The system said no.
    Refused,
    /// No usable answer.
    Failed,
    /// No answer in time.
    TimedOut,
    /// The run was interrupted before the answer came.
    Aborted,
}

impl Ending {
    /// How requests ended, in one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Aborted => "aborted",
        }
    }
}

/// One answer, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged<'a> {
    /// How the request ended.
    pub ending: Ending,
    /// The HTTP status, 0 where none came.
    pub status: u16,
    /// What tells endings with one status apart: the problem code or the kind of failure.
    pub code: Cow<'a, str>,
    /// What the client now knows.
    pub told: Told,
}

impl Judged<'static> {
    /// The request was sent and no usable answer came.
    #[must_use]
    pub fn unanswered(ending: Ending, code: &'static str) -> Self {
        Self { ending, status: 0, code: Cow::Borrowed(code), told: Told::Unknown }
    }
}

/// The members of an order that matter at once; the rest is skipped unread.
#[derive(Deserialize)]
struct Placed<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    total: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Said<'a> {
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
}

/// Judges an answer by its status and body.
#[must_use]
pub fn judge(status: u16, body: &[u8]) -> Judged<'_> {
    match status {
        200..300 => taken(status, body),
        400..500 | 503 => refused(status, body),
        500..600 => {
            let said = json::read::<Said<'_>>(body).unwrap_or_default();
            let code = said.code.unwrap_or(Cow::Borrowed("server-error"));
            Judged { ending: Ending::Failed, status, code, told: Told::Unknown }
        }
        _ => bad_answer(status),
    }
}

fn taken(status: u16, body: &[u8]) -> Judged<'_> {
    let Ok(placed) = json::read::<Placed<'_>>(body) else {
        return bad_answer(status);
    };
    let order = OrderRef::from(&*placed.id);
    let told = if status == 202 {
        Told::Accepted { order }
    } else {
        Told::Confirmed { order, total: placed.total.and_then(|total| read_amount(total.get())) }
    };
    Judged { ending: Ending::Ok, status, code: Cow::Borrowed(""), told }
}

fn refused(status: u16, body: &[u8]) -> Judged<'_> {
    let said = json::read::<Said<'_>>(body).unwrap_or_default();
    let short = said.code.as_deref() == Some("insufficient-stock")
        || said.error.as_deref().is_some_and(|error| error.contains("nsufficient stock"));
    let told = match (status, &said.code) {
        (409, _) if short => Told::Refused(Refusal::OutOfStock),
        // Only a service that names its code promises that nothing was written; a proxy does not.
        (503, None) => Told::Unknown,
        (429 | 503, _) => Told::Refused(Refusal::NotNow),
        _ => Told::Refused(Refusal::Other),
    };
    let code = match said.code {
        Some(code) => code,
        None if short => Cow::Borrowed("insufficient-stock"),
        None => Cow::Borrowed(""),
    };
    Judged { ending: Ending::Refused, status, code, told }
}

fn bad_answer(status: u16) -> Judged<'static> {
    Judged { ending: Ending::Failed, status, code: Cow::Borrowed("bad-answer"), told: Told::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "018f4e1b-0000-7000-8000-000000000001";

    #[test]
    fn answers_are_judged_by_status_and_code() {
        let order = || OrderRef::from(ID);
        let full = format!(r#"{{"items":[{{"id":"x"}}],"id":"{ID}","total":12.50,"status":"confirmed"}}"#);
        let bare = format!(r#"{{"id":"{ID}"}}"#);
        let short = r#"{"code":"insufficient-stock","error":"Failed to reserve: Insufficient stock"}"#;
        let article = r#"{"error":"Failed to reserve: Insufficient stock"}"#;
        let out = Told::Refused(Refusal::OutOfStock);
        let other = Told::Refused(Refusal::Other);
        let cases: &[(u16, &str, Ending, &str, Told)] = &[
            (201, &full, Ending::Ok, "", Told::Confirmed { order: order(), total: Some(12_500) }),
            (200, &bare, Ending::Ok, "", Told::Confirmed { order: order(), total: None }),
            (202, &full, Ending::Ok, "", Told::Accepted { order: order() }),
            (201, "{}", Ending::Failed, "bad-answer", Told::Unknown),
            (201, "<html>", Ending::Failed, "bad-answer", Told::Unknown),
            (302, "", Ending::Failed, "bad-answer", Told::Unknown),
            (409, short, Ending::Refused, "insufficient-stock", out.clone()),
            (409, article, Ending::Refused, "insufficient-stock", out),
            (409, r#"{"code":"order-expired"}"#, Ending::Refused, "order-expired", other.clone()),
            (422, r#"{"code":"unknown-user"}"#, Ending::Refused, "unknown-user", other.clone()),
            (404, "not found", Ending::Refused, "", other),
            (503, r#"{"code":"overloaded"}"#, Ending::Refused, "overloaded", Told::Refused(Refusal::NotNow)),
            (503, "upstream gone", Ending::Refused, "", Told::Unknown),
            (500, r#"{"code":"internal"}"#, Ending::Failed, "internal", Told::Unknown),
            (502, "", Ending::Failed, "server-error", Told::Unknown),
        ];
        for (status, body, ending, code, told) in cases {
            let judged = judge(*status, body.as_bytes());
            assert_eq!(judged.ending, *ending, "{status} {body}");
            assert_eq!(judged.code, *code, "{status} {body}");
            assert_eq!(judged.told, *told, "{status} {body}");
        }
    }

    #[test]
    fn endings_have_words() {
        let endings = [Ending::Ok, Ending::Refused, Ending::Failed, Ending::TimedOut, Ending::Aborted];
        assert_eq!(endings.map(Ending::word), ["ok", "refused", "failed", "timed out", "aborted"]);
    }
}
