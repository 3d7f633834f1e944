//! A problem as an axum answer. The body is written later, where the request's id is known.

use axum::response::{IntoResponse, Response};
use ordersys_contract::{Code, Problem};

/// A handler's rejection.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejection(pub Problem);

impl Rejection {
    /// A rejection with this code and sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Problem::new(code, detail))
    }
}

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let mut response = self.0.code.status().into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}
