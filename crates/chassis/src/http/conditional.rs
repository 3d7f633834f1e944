//! Conditional requests (RFC 9110, section 13): which tags a client names, and whether the current one is among them.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use ordersys_contract::Code;

use crate::Rejection;
use crate::http::quoted;

/// The tags of one header.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: any.
    Any,
    /// These: what is between the quotes, and whether it stands for the same bytes.
    Listed(Vec<(String, Strength)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// The same bytes.
    Strong,
    /// `W/`: the same in meaning.
    Weak,
}

/// What a client asks of the tag of what it reads or changes. The default asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

impl Condition {
    /// Reads `If-Match` and `If-None-Match`.
    pub fn of(headers: &HeaderMap) -> Result<Self, Rejection> {
        Ok(Self {
            if_match: tags(headers, &header::IF_MATCH)?,
            if_none_match: tags(headers, &header::IF_NONE_MATCH)?,
        })
    }

    /// Whether a change of what has this tag is permitted. `is_same` compares what is between the quotes of a tag
    /// of ours: a change may need less than the whole tag to be the same.
    pub fn permits(&self, is_same: impl Fn(&str) -> bool) -> bool {
        let strongly = |(text, strength): &(String, Strength)| *strength == Strength::Strong && is_same(text);
        let matches = match &self.if_match {
            None | Some(Tags::Any) => true,
            Some(Tags::Listed(tags)) => tags.iter().any(strongly),
        };
        let is_new = match &self.if_none_match {
            None => true,
            Some(Tags::Any) => false,
            Some(Tags::Listed(tags)) => !tags.iter().any(|(text, _)| is_same(text)),
        };
        matches && is_new
    }

    /// The answer to a reader of what has this tag, quotes and all, if it is not the thing itself: it has it already,
    /// or wanted another one.
    fn answer(&self, tag: &str) -> Option<Response> {
        let current = tag.trim_matches('"');
        let reader = Self { if_none_match: None, ..self.clone() };
        if !reader.permits(|named| named == current) {
            let why = format!("If-Match names other tags than the current one, which is {}", quoted(tag));
            return Some(Rejection::new(Code::PreconditionFailed, why).into_response());
        }
        let is_known = match self.if_none_match.as_ref()? {
            Tags::Any => true,
            Tags::Listed(tags) => tags.iter().any(|(named, _)| named == current),
        };
        is_known.then(|| StatusCode::NOT_MODIFIED.into_response())
    }
}

/// The answer with its tag to a client that reads, or that it has it already.
pub fn tagged(
    request: &HeaderMap,
    tag: &str,
    answer: impl FnOnce() -> Response,
) -> Result<Response, Rejection> {
    let mut response = Condition::of(request)?.answer(tag).unwrap_or_else(answer);
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Rejection> {
    let mut listed = Vec::new();
    let mut lines = headers.get_all(name).iter().peekable();
    if lines.peek().is_none() {
        return Ok(None);
    }
    for line in headers.get_all(name) {
        let text = line.to_str().ok();
        if text.is_some_and(|text| text.trim() == "*") && headers.get_all(name).iter().count() == 1 {
            return Ok(Some(Tags::Any));
        }
        let wrong = || {
            let why =
                format!("the header {name} is {}: it takes `*` or tags as `ETag` gave them", quoted(line));
            Rejection::new(Code::InvalidHeader, why)
        };
        listed.extend(text.and_then(list).ok_or_else(wrong)?);
    }
    Ok(Some(Tags::Listed(listed)))
}

/// Reads `"a", W/"b,c"`: a comma may be part of a tag.
fn list(text: &str) -> Option<Vec<(String, Strength)>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (strength, quoted) =
            rest.strip_prefix("W/").map_or((Strength::Strong, rest), |quoted| (Strength::Weak, quoted));
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        found.push((tag.to_owned(), strength));
        let after = after.trim_start_matches([' ', '\t']);
        if !after.is_empty() && !after.starts_with(',') {
            return None;
        }
        rest = after.trim_start_matches([' ', '\t', ',']);
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(pairs: &[(HeaderName, &str)]) -> Result<Condition, Rejection> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().expect("a value"));
        }
        Condition::of(&headers)
    }

    #[test]
    fn a_change_asks_for_the_very_tag() {
        let cases = [
            (vec!["*"], true),
            (vec![r#""1.10""#], true),
            (vec![r#""x", "1.10""#], true),
            (vec![r#""x" ,W/"y",	"1.10","#], true),
            (vec![r#""x""#, r#""1.10""#], true),
            (vec![r#"W/"1.10""#], false),
            (vec![r#"W/"1.10", "x""#], false),
            (vec![r#""x,1.10""#], false),
            (vec![r#""""#], false),
        ];
        for (lines, expected) in cases {
            let pairs: Vec<_> = lines.iter().map(|line| (header::IF_MATCH, *line)).collect();
            let permitted = condition(&pairs).expect("reads").permits(|tag| tag == "1.10");
            assert_eq!(permitted, expected, "{lines:?}");
        }
        assert!(condition(&[]).expect("reads").permits(|_| false), "nothing is asked");
        for (tags, expected) in [("*", false), (r#"W/"1.10""#, false), (r#""x""#, true)] {
            let asked = condition(&[(header::IF_NONE_MATCH, tags)]).expect("reads");
            assert_eq!(asked.permits(|tag| tag == "1.10"), expected, "{tags}");
        }
    }

    #[test]
    fn a_reader_has_it_also_by_a_weak_tag() {
        let status = |pairs: &[(HeaderName, &str)]| {
            let answer = condition(pairs).expect("reads").answer(r#""1.10""#);
            answer.map_or(200, |answer| answer.status().as_u16())
        };
        let none = |value| [(header::IF_NONE_MATCH, value)];
        assert_eq!(status(&[]), 200);
        assert_eq!(status(&none(r#""x", W/"1.10""#)), 304);
        assert_eq!(status(&none("*")), 304);
        assert_eq!(status(&none(r#""1", "10", "1.1""#)), 200);
        assert_eq!(status(&[(header::IF_MATCH, r#""x""#)]), 412);
        assert_eq!(status(&[(header::IF_MATCH, "*"), (header::IF_NONE_MATCH, r#""1.10""#)]), 304);
        assert_eq!(
            status(&[(header::IF_MATCH, r#"W/"1.10""#), (header::IF_NONE_MATCH, "*")]),
            412,
            "in this order"
        );
    }

    #[test]
    fn what_is_no_tag_is_rejected() {
        for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
            for wrong in ["1.10", r#""1.10"#, r#""a" "b""#, r#"w/"a""#, r#"*, "a""#, "", ",", r#""a", b"#] {
                let rejection = condition(&[(name.clone(), wrong)]).expect_err(wrong);
                assert_eq!(rejection.0.code, Code::InvalidHeader, "{wrong}");
                assert!(rejection.0.detail.contains(name.as_str()), "{}", rejection.0.detail);
            }
            assert!(condition(&[(name.clone(), "*"), (name.clone(), "*")]).is_err(), "twice is no list");
        }
    }
}
