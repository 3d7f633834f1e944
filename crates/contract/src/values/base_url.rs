//! Where a service is: what every address of it begins with.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use serde::{Deserialize, Serialize};

/// The form of a base URL, as messages name it.
pub const FORM: &str = "http://HOST[:PORT][/PREFIX]";

/// The base URL of a service, without a trailing slash. Everything in it is in every request: what a request would
/// leave out cannot be in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(String);

/// Why a text is no base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotABaseUrl {
    /// No URL, or none that begins with `http://`.
    #[error("not a URL of the form {FORM}")]
    NoHttp,
    /// A user or a password before the host.
    #[error("credentials in it are not sent: write {FORM}, and name a file with --token-file")]
    Credentials,
    /// A port that is no number from 1 to 65535.
    #[error("its port is not a number from 1 to 65535: write {FORM}")]
    Port,
    /// A query.
    #[error("a query in it is not sent: write {FORM}")]
    Query,
    /// A fragment.
    #[error("a fragment in it is not sent: write {FORM}")]
    Fragment,
    /// A prefix that programs on the way may read as another one.
    #[error("its path has an empty part, `.` or `..`: write {FORM}")]
    Path,
}

impl BaseUrl {
    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BaseUrl {
    type Err = NotABaseUrl;

    fn from_str(text: &str) -> Result<Self, NotABaseUrl> {
        if text.contains('#') {
            return Err(NotABaseUrl::Fragment);
        }
        let uri: Uri = text.parse().map_err(|_| NotABaseUrl::NoHttp)?;
        let Some(authority) = uri.authority().filter(|_| uri.scheme() == Some(&http::uri::Scheme::HTTP))
        else {
            return Err(NotABaseUrl::NoHttp);
        };
        let (whole, host) = (authority.as_str(), authority.host());
        if whole.contains('@') {
            return Err(NotABaseUrl::Credentials);
        }
        if host.is_empty() {
            return Err(NotABaseUrl::NoHttp);
        }
        let port = whole.strip_prefix(host).unwrap_or_default();
        if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(NotABaseUrl::Port);
        }
        if uri.query().is_some() {
            return Err(NotABaseUrl::Query);
        }
        let prefix = uri.path().strip_suffix('/').unwrap_or(uri.path());
        if prefix.split('/').skip(1).any(|part| matches!(part, "" | "." | "..")) {
            return Err(NotABaseUrl::Path);
        }
        Ok(Self(format!("http://{whole}{prefix}")))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = NotABaseUrl;

    fn try_from(text: String) -> Result<Self, NotABaseUrl> {
        text.parse()
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_would_leave_out_is_refused() {
        let cases = [
            ("http://127.0.0.1:3003", Ok("http://127.0.0.1:3003")),
            ("http://shop.example/", Ok("http://shop.example")),
            ("HTTP://shop.example", Ok("http://shop.example")),
            ("http://[::1]:80/shop/eu/", Ok("http://[::1]:80/shop/eu")),
            ("http://h?tenant=1", Err(NotABaseUrl::Query)),
            ("http://h/?", Err(NotABaseUrl::Query)),
            ("http://h/#top", Err(NotABaseUrl::Fragment)),
            ("http://me:secret@h", Err(NotABaseUrl::Credentials)),
            ("http://me@h", Err(NotABaseUrl::Credentials)),
            ("http://h:0", Err(NotABaseUrl::Port)),
            ("http://h:70000", Err(NotABaseUrl::Port)),
            ("http://h:", Err(NotABaseUrl::Port)),
            ("http://h//", Err(NotABaseUrl::Path)),
            ("http://h/a//b", Err(NotABaseUrl::Path)),
            ("http://h/a/../b", Err(NotABaseUrl::Path)),
            ("https://h", Err(NotABaseUrl::NoHttp)),
            ("h:3003", Err(NotABaseUrl::NoHttp)),
            ("/orders", Err(NotABaseUrl::NoHttp)),
            ("http://", Err(NotABaseUrl::NoHttp)),
            ("", Err(NotABaseUrl::NoHttp)),
        ];
        for (text, expected) in cases {
            let found = text.parse::<BaseUrl>();
            assert_eq!(found.as_ref().map(BaseUrl::as_str), expected.as_ref().copied(), "{text}");
        }
    }
}
