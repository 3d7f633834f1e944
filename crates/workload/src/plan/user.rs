//! A user that orders, as the plan keeps it.

use ordersys_contract::Secret;

use crate::plan::bearer::Bearer;

/// Its id, also as JSON, and what it proves itself with.
#[derive(Debug)]
pub struct PlannedUser {
    /// Its id.
    pub plain: Box<str>,
    /// The id in JSON.
    pub json: Box<str>,
    /// Its access token, if it is registered.
    pub token: Option<Secret>,
    /// The header line with that.
    pub bearer: Bearer,
}

impl PlannedUser {
    /// A guest.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self { plain: id.into(), json: quote(id), token: None, bearer: Bearer::default() }
    }

    /// Proves itself with this token from now on.
    pub fn sign_in(&mut self, token: &Secret) {
        self.token = Some(token.clone());
        self.bearer = Bearer::of(Some(token));
    }
}

/// A text as JSON.
#[must_use]
pub fn quote(text: &str) -> Box<str> {
    serde_json::Value::from(text).to_string().into()
}
