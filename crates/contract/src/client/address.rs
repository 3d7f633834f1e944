//! Paths and queries, and the links between pages.

use std::fmt::Write as _;

use crate::TestData;

/// Query pairs without those that have no value.
pub(super) fn given<'a, const N: usize>(pairs: [(&'a str, Option<&'a str>); N]) -> Vec<(&'a str, &'a str)> {
    pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The parameter `test`, where it is not what is meant without one: other systems do not know it.
pub(super) fn shown(test: TestData) -> Option<&'static str> {
    (test != TestData::Exclude).then(|| test.as_str())
}

/// A path constant with its id put in.
pub(super) fn at(path: &str, id: &impl std::fmt::Display) -> String {
    path.replace("{id}", &id.to_string())
}

pub(super) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", query(pairs)) }
}

fn query(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
    pairs.join("&")
}

/// Percent-encodes everything but unreserved characters (RFC 3986, section 2.3).
#[must_use]
pub fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}"); // writing to a String cannot fail
        }
    }
    encoded
}

/// The target of `rel="next"` in a `Link` header of ours: one link, path and query.
#[must_use]
pub fn next_link(link: &str) -> Option<&str> {
    let (target, rest) = link.strip_prefix('<')?.split_once('>')?;
    // A path of the same host: what follows the address of a service must not change it.
    let is_path = target.starts_with('/') && !target.starts_with("//");
    (is_path && rest.contains("rel=\"next\"")).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_encoded() {
        assert_eq!(with_query("/x", &[("q", "27\" Monitor&a=b")]), "/x?q=27%22%20Monitor%26a%3Db");
        assert_eq!(with_query("/x", &[]), "/x");
        assert_eq!(next_link("</orders?cursor=a>; rel=\"next\""), Some("/orders?cursor=a"));
        assert_eq!(next_link("</orders>; rel=\"prev\""), None);
        for elsewhere in ["@other.host/orders", ":8080/orders", "//other.host/orders", "http://other.host/"] {
            assert_eq!(next_link(&format!("<{elsewhere}>; rel=\"next\"")), None, "{elsewhere}");
        }
    }
}
