//! How services say no: RFC 9457 problem details with a stable code.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $text:literal, $status:ident, $title:literal;)*) => {
        /// Every way a request can fail; the text of a code never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $variant),* }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The code on the wire, e.g. `insufficient-stock`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }

            /// The HTTP status that goes with the code.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Code::$variant => StatusCode::$status),* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc),*).trim_ascii()),* }
            }

            /// A few words that are the same for every occurrence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),* }
            }
        }
    };
}

codes! {
    /// The body is not JSON.
    MalformedJson = "malformed-json", BAD_REQUEST, "Malformed JSON";
    /// A member has the wrong type or value.
    InvalidField = "invalid-field", BAD_REQUEST, "Invalid field";
    /// A required member is not there.
    MissingField = "missing-field", BAD_REQUEST, "Missing field";
    /// A member that is not known.
    UnknownField = "unknown-field", BAD_REQUEST, "Unknown field";
    /// A query parameter is wrong.
    InvalidQuery = "invalid-query", BAD_REQUEST, "Invalid query";
    /// A header is wrong.
    InvalidHeader = "invalid-header", BAD_REQUEST, "Invalid header";
    /// The password is too short, too long or too easily guessed.
    WeakPassword = "weak-password", BAD_REQUEST, "Unusable password";
    /// No or unusable credentials.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Authentication required";
    /// The address or the password is wrong; which of them is not said.
    InvalidCredentials = "invalid-credentials", UNAUTHORIZED, "Wrong credentials";
    /// The refresh token is unknown, used, expired or revoked: log in again.
    SessionEnded = "session-ended", UNAUTHORIZED, "Session ended";
    /// The caller may not do this.
    Forbidden = "forbidden", FORBIDDEN, "Forbidden";
    /// The account is disabled.
    AccountDisabled = "account-disabled", FORBIDDEN, "Account disabled";
    /// The current password, asked for once more, is wrong.
    WrongPassword = "wrong-password", FORBIDDEN, "Wrong password";
    /// A browser sends the change for a page of another origin.
    CrossSiteRequest = "cross-site-request", FORBIDDEN, "Cross-site request";
    /// There is no such thing, or not for this caller.
    NotFound = "not-found", NOT_FOUND, "Not found";
    /// There is no such route.
    UnknownRoute = "unknown-route", NOT_FOUND, "Unknown route";
    /// The route has other methods.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The client took too long to send its request.
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "Request timeout";
    /// Stock does not suffice.
    InsufficientStock = "insufficient-stock", CONFLICT, "Insufficient stock";
    /// Another registered user has this address.
    EmailTaken = "email-taken", CONFLICT, "Address taken";
    /// The order ran out of time before stock was reserved; nothing is held.
    OrderExpired = "order-expired", CONFLICT, "Order expired";
    /// The order was given up; nothing is held.
    OrderAborted = "order-aborted", CONFLICT, "Order aborted";
    /// The thing is in a state that does not allow this.
    IllegalTransition = "illegal-transition", CONFLICT, "Illegal transition";
    /// More would be given back than is held.
    NothingHeld = "nothing-held", CONFLICT, "Nothing held";
    /// The thing changed since the caller read it.
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, "Precondition failed";
    /// The body is larger than the route reads.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "Body too large";
    /// The body is not `application/json`.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "Unsupported media type";
    /// The service is not called what the request calls it.
    MisdirectedRequest = "misdirected-request", MISDIRECTED_REQUEST, "Misdirected request";
    /// The order names a user that does not exist.
    UnknownUser = "unknown-user", UNPROCESSABLE_ENTITY, "Unknown user";
    /// The order names a product that does not exist.
    UnknownProduct = "unknown-product", UNPROCESSABLE_ENTITY, "Unknown product";
    /// The lines of the order have different currencies.
    MixedCurrencies = "mixed-currencies", UNPROCESSABLE_ENTITY, "Mixed currencies";
    /// The key was used with another body.
    IdempotencyMismatch = "idempotency-mismatch", UNPROCESSABLE_ENTITY, "Idempotency key reused";
    /// The reservation exists with other lines.
    ReservationMismatch = "reservation-mismatch", UNPROCESSABLE_ENTITY, "Reservation differs";
    /// The caller asks too often; nothing was written.
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
    /// The queue is full; nothing was written.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Overloaded";
    /// Another service does not answer; nothing was written.
    DependencyDown = "dependency-down", SERVICE_UNAVAILABLE, "Dependency down";
    /// The caller's deadline passed before the work began; nothing was written.
    DeadlinePassed = "deadline-passed", SERVICE_UNAVAILABLE, "Deadline passed";
    /// The service is stopping or not yet ready; nothing was written.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Unavailable";
    /// The disk is full; nothing was written.
    StorageFull = "storage-full", SERVICE_UNAVAILABLE, "Storage full";
    /// Another program holds the lock of the stored data; nothing was written.
    StorageBusy = "storage-busy", SERVICE_UNAVAILABLE, "Storage busy";
    /// The system does not let the service write: read-only, failing; nothing was written.
    StorageUnwritable = "storage-unwritable", SERVICE_UNAVAILABLE, "Storage not writable";
    /// The stored data is damaged and has to be restored; nothing was written.
    StorageDamaged = "storage-damaged", SERVICE_UNAVAILABLE, "Storage damaged";
    /// The database was lost while it committed, so it may have been written or not: repeat the request with the
    /// same `Idempotency-Key`.
    OutcomeUnknown = "outcome-unknown", GATEWAY_TIMEOUT, "Outcome unknown";
    /// A mistake of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error";
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|code| code.as_str() == text);
        known.copied().ok_or_else(|| serde::de::Error::custom(format!("unknown code `{text}`")))
    }
}

/// One refusal: what goes into the `application/problem+json` body.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// What happened, for a person; also the article's `error` member.
    pub detail: String,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
    /// Members that belong to the code, e.g. `shortages`.
    pub members: Map<String, Value>,
}

impl Problem {
    /// A refusal with this code and sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let passes =
            [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&code.status());
        let retry_after = passes.then_some(1);
        Self { code, detail: detail.into(), retry_after, members: Map::new() }
    }

    /// The same with one more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.members.insert(name.to_owned(), value);
        self
    }

    /// The same, advising to try again after so long: whole seconds, at least one.
    #[must_use]
    pub fn retry_in(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.retry_after = Some(u32::try_from(seconds).unwrap_or(u32::MAX).max(1));
        self
    }

    /// The JSON body, naming the request.
    #[must_use]
    pub fn body(&self, request_id: &str) -> Value {
        let mut body = self.members.clone();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("type", format!("/problems/{}", self.code.as_str()).into());
        put("title", self.code.title().into());
        put("status", self.code.status().as_u16().into());
        put("detail", self.detail.clone().into());
        put("code", self.code.as_str().into());
        put("requestId", request_id.into());
        put("error", self.detail.clone().into());
        Value::Object(body)
    }

    /// Reads a body written by [`Problem::body`]; `None` for any other body.
    #[must_use]
    pub fn from_body(body: &[u8], retry_after: Option<u32>) -> Option<Self> {
        let mut members: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let code = serde_json::from_value(members.remove("code")?).ok()?;
        let detail = members.remove("detail")?.as_str()?.to_owned();
        for known in ["type", "title", "status", "requestId", "error"] {
            members.remove(known);
        }
        Some(Self { code, detail, retry_after, members })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_survives_the_wire() {
        for code in Code::ALL {
            let problem = Problem::new(*code, "why").with("extra", 7);
            let body = serde_json::to_vec(&problem.body("r-1")).expect("serializes");
            assert_eq!(Problem::from_body(&body, problem.retry_after), Some(problem));
        }
    }
}
