//! Ids in paths and parameters in queries.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use http::{HeaderMap, header};
use ordersys_contract::id::Kind;
use ordersys_contract::{Code, Id};
use serde::de::DeserializeOwned;

use crate::Refusal;

/// The id in the path. A text that is no id names nothing: 404.
#[derive(Debug, Clone, Copy)]
pub struct PathId<K>(pub Id<K>);

impl<K: Kind, S: Send + Sync> FromRequestParts<S> for PathId<K> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let id = text.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(|| not_found::<K>())
    }
}

/// Whether `If-None-Match` says that the caller has what this tag names.
#[must_use]
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_it = |one: &str| one.trim().trim_start_matches("W/") == tag;
    known.is_some_and(|known| known.trim() == "*" || known.split(',').any(is_it))
}

/// The refusal for a thing that is not there, in the article's words: `Product not found`.
#[must_use]
pub fn not_found<K: Kind>() -> Refusal {
    let mut name = K::NAME.to_owned();
    name[..1].make_ascii_uppercase();
    Refusal::new(Code::NotFound, format!("{name} not found"))
}

/// The parameters of the query; unknown ones are refused, so that a typing error is seen.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|error| {
            let text = error.body_text();
            let text = text.rsplit_once(": ").map_or(text.as_str(), |(_, what)| what);
            Refusal::new(Code::InvalidQuery, text)
        })
    }
}
