//! Ids in paths and parameters in queries.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use ordersys_contract::id::Kind;
use ordersys_contract::{Code, Id, MAX_PAGE};
use serde::de::DeserializeOwned;

use crate::Rejection;
use crate::http::quoted;

/// The id in the path. A text that is no id names nothing: 404.
#[derive(Debug, Clone, Copy)]
pub struct PathId<K>(pub Id<K>);

impl<K: Kind, S: Send + Sync> FromRequestParts<S> for PathId<K> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let Ok(Path(text)) = Path::<String>::from_request_parts(parts, state).await else {
            return Err(not_found::<K>());
        };
        text.parse().map(Self).map_err(|_| {
            let Rejection(mut problem) = not_found::<K>();
            problem.detail =
                format!("{}: {} is no {} id, which is a UUID", problem.detail, quoted(text), K::NAME);
            Rejection(problem)
        })
    }
}

/// The rejection for a thing that is not there, in the article's words: `Product not found`.
#[must_use]
pub fn not_found<K: Kind>() -> Rejection {
    let mut name = K::NAME.to_owned();
    name[..1].make_ascii_uppercase();
    Rejection::new(Code::NotFound, format!("{name} not found"))
}

/// The parameters of the query, each at most once; unknown ones are rejected, so that a typing error is seen.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let pairs = pairs.map_or_else(|_| Vec::new(), |pairs| pairs.0);
        if let Some((name, _)) = repeated(&pairs) {
            let why = format!("the parameter {} stands more than once: send it once", quoted(name));
            return Err(Rejection::new(Code::InvalidQuery, why));
        }
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|error| {
            let text = error.body_text();
            let text = text.split_once(": ").map_or(text.as_str(), |(_, what)| what);
            Rejection::new(Code::InvalidQuery, explain(&pairs, text))
        })
    }
}

/// A pair of a query: name and value.
type Pair = (String, String);

fn repeated(pairs: &[Pair]) -> Option<&Pair> {
    let is_earlier =
        |(place, (name, _)): &(usize, &Pair)| pairs[..*place].iter().any(|(other, _)| other == name);
    pairs.iter().enumerate().find(is_earlier).map(|(_, pair)| pair)
}

/// Names the parameter that is wrong, what was given and what it takes, from what serde says of it.
fn explain(pairs: &[Pair], text: &str) -> String {
    if let Some(missing) = text.split("missing field ").nth(1) {
        return format!("the parameter {missing} is missing");
    }
    if let Some((_, unknown)) = text.split_once("unknown field ") {
        let is_it =
            |(name, _): &&Pair| unknown.strip_prefix('`').is_some_and(|rest| rest.starts_with(name.as_str()));
        let name = pairs.iter().filter(is_it).max_by_key(|(name, _)| name.len()).map_or("", |(name, _)| name);
        let known = unknown.rsplit_once(", expected ").map_or("none", |(_, known)| known);
        return format!(
            "there is no parameter {}: there is {}",
            quoted(name),
            known.trim_start_matches("one of ")
        );
    }
    let wrong =
        |(name, value): &Pair| Some((name.clone(), value.clone(), text.strip_prefix(&format!("{name}: "))?));
    match pairs.iter().find_map(wrong) {
        Some((name, value, why)) => wrong_parameter(&name, &value, &takes(&name, why)).0.detail,
        None => format!("the query cannot be read: {}", quoted(text)),
    }
}

/// The rejection of a parameter's value.
#[must_use]
pub fn wrong_parameter(name: &str, value: &str, takes: &str) -> Rejection {
    Rejection::new(Code::InvalidQuery, format!("the parameter {name} is {}: it takes {takes}", quoted(value)))
}

/// What a parameter takes, in other words than those of the parser that did not take it.
fn takes(name: &str, why: &str) -> String {
    let is_number =
        |text: &str| text.contains("integer") || text.contains("digit") || text.contains("number");
    match why {
        _ if name == "limit" => page_limit(),
        why if why.contains("`true` or `false`") => "`true` or `false`".to_owned(),
        why if why.starts_with("unknown variant") => {
            why.rsplit_once("expected ").map_or(why, |(_, variants)| variants).to_owned()
        }
        why if is_number(why) => format!("a whole number from 0 to {}", u32::MAX),
        why => why.to_owned(),
    }
}

/// What the parameter `limit` takes.
pub(crate) fn page_limit() -> String {
    format!("a whole number from 1 to {MAX_PAGE}")
}
