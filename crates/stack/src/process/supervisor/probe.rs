//! Asks a service on this machine whether it is ready: one plain HTTP GET, no connection kept, so
//! that the answer also proves that new connections are accepted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail};
use ordersys_contract::health::Readiness;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// As much of an answer as its first line may need.
const MAX_FIRST_LINE: usize = 256;
/// As much of a whole answer as is read, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

/// Where to ask: an `http` URL whose host is an address or `localhost`, so that no name server is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    address: SocketAddr,
    request: String,
    url: String,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The status is 2xx.
    Ready,
    /// Another status.
    NotReady(u16),
    /// No answer: nothing listens, or not in time, or not HTTP.
    Silent,
}

impl std::str::FromStr for Probe {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> anyhow::Result<Self> {
        let uri: http::Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        if uri.scheme() != Some(&http::uri::Scheme::HTTP) {
            bail!("`{url}` is not a URL that starts with http://");
        }
        let authority = uri.authority().with_context(|| format!("`{url}` names no host"))?;
        let host = authority.host().trim_matches(['[', ']']);
        let ip = match host {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            _ => host.parse().with_context(|| format!("`{host}` in `{url}` is not an IP address"))?,
        };
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        Ok(Self {
            address: SocketAddr::new(ip, authority.port_u16().unwrap_or(80)),
            request: format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n"),
            url: url.to_owned(),
        })
    }
}

impl std::fmt::Display for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.url)
    }
}

impl Probe {
    /// Asks once and waits no longer than `limit`.
    pub async fn ask(&self, limit: Duration) -> Answer {
        match tokio::time::timeout(limit, self.status()).await {
            Ok(Ok(200..=299)) => Answer::Ready,
            Ok(Ok(status)) => Answer::NotReady(status),
            Ok(Err(_)) | Err(_) => Answer::Silent,
        }
    }

    /// Asks once and returns the body of the answer, whatever its status; `None` without a whole
    /// answer of reasonable size within `limit`.
    pub async fn body(&self, limit: Duration) -> Option<Vec<u8>> {
        let read = async {
            let mut answer = Vec::new();
            let stream = self.send().await?.take(MAX_ANSWER);
            tokio::pin!(stream);
            stream.read_to_end(&mut answer).await?;
            anyhow::Ok(answer)
        };
        let answer = tokio::time::timeout(limit, read).await.ok()?.ok()?;
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
        Some(answer[head + 4..].to_vec())
    }

    /// What the service says of itself, whatever the status of its answer; `None` if it does not say anything.
    pub async fn readiness(&self, limit: Duration) -> Option<Readiness> {
        serde_json::from_slice(&self.body(limit).await?).ok()
    }

    async fn send(&self) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)
            .await
            .with_context(|| format!("nothing listens on {}", self.address))?;
        stream.write_all(self.request.as_bytes()).await.context("the connection broke")?;
        Ok(stream)
    }

    /// The status of the answer, or why there is none.
    pub async fn status(&self) -> anyhow::Result<u16> {
        let mut stream = self.send().await?;
        let mut head = Vec::with_capacity(MAX_FIRST_LINE);
        while head.len() < MAX_FIRST_LINE && !head.contains(&b'\n') {
            if stream.read_buf(&mut head).await.context("the connection broke")? == 0 {
                break;
            }
        }
        parse_status(&head).with_context(|| format!("{} answered something else than HTTP", self.address))
    }
}

/// The status in a status line (RFC 9112, section 4).
fn parse_status(head: &[u8]) -> Option<u16> {
    let head = head.strip_prefix(b"HTTP/1.")?;
    let digits = std::str::from_utf8(head.get(2..5)?).ok()?;
    let delimited = head.get(1) == Some(&b' ') && matches!(head.get(5), Some(b' ' | b'\r' | b'\n'));
    let status = digits.parse().ok()?;
    (delimited && (100..=599).contains(&status)).then_some(status)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn urls_name_an_address() {
        let probe: Probe = "http://127.0.0.1:3001/readyz?x=1".parse().expect("parses");
        assert_eq!(probe.address, "127.0.0.1:3001".parse().expect("address"));
        assert!(probe.request.starts_with("GET /readyz?x=1 HTTP/1.1\r\nhost: 127.0.0.1:3001\r\n"));
        let probe: Probe = "http://localhost".parse().expect("parses");
        assert_eq!(probe.address, "127.0.0.1:80".parse().expect("address"));
        let probe: Probe = "http://[::1]:8/".parse().expect("parses");
        assert_eq!(probe.address, "[::1]:8".parse().expect("address"));
        for bad in ["https://127.0.0.1/", "http://example.org/", "127.0.0.1:3001", "", "/readyz"] {
            assert!(bad.parse::<Probe>().is_err(), "{bad}");
        }
    }

    #[test]
    fn status_lines() {
        let cases: [(&[u8], Option<u16>); 7] = [
            (b"HTTP/1.1 200 OK\r\n", Some(200)),
            (b"HTTP/1.0 503\r\n", Some(503)),
            (b"HTTP/1.1 2000 OK\r\n", None),
            (b"HTTP/1.1 099 OK\r\n", None),
            (b"HTTP/1.1", None),
            (b"", None),
            (b"SSH-2.0-x\r\n", None),
        ];
        for (head, expected) in cases {
            assert_eq!(parse_status(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[tokio::test]
    async fn silence_and_refusals_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        let probe: Probe = url.parse().expect("parses");
        let served = tokio::spawn(async move {
            for answer in ["HTTP/1.1 503 x\r\n\r\n", "HTTP/1.1 204 x\r\n\r\n", "nonsense\r\n"] {
                let (mut stream, _) = listener.accept().await.expect("accepts");
                stream.write_all(answer.as_bytes()).await.expect("answers");
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
            listener
        });
        let limit = Duration::from_secs(5);
        assert_eq!(probe.ask(limit).await, Answer::NotReady(503));
        assert_eq!(probe.ask(limit).await, Answer::Ready);
        assert_eq!(probe.ask(limit).await, Answer::Silent);
        let listener = served.await.expect("serves");
        assert_eq!(probe.ask(Duration::from_millis(30)).await, Answer::Silent, "not accepted");
        drop(listener);
        assert_eq!(probe.ask(limit).await, Answer::Silent, "refused");
    }
}
