//! A problem as an axum answer. The body is written later, where the request's id is known.

use axum::response::{IntoResponse, Response};
use ordersys_contract::{Code, Problem};

/// A handler's refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal(pub Problem);

impl Refusal {
    /// A refusal with this code and sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Problem::new(code, detail))
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.0.code.status().into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}
