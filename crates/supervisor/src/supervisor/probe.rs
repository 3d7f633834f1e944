//! Asks a service on this machine whether it is ready: one plain HTTP GET, no connection kept, so
//! that the answer also proves that new connections are accepted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::future::{Either, select};
use http::{Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ordersys_contract::health::Readiness;
use tokio::net::TcpStream;

/// As much of the body of an answer as is read, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Where to ask: an `http` URL whose host is an address or `localhost`, so that no name server is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    address: SocketAddr,
    url: Uri,
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

    fn from_str(text: &str) -> anyhow::Result<Self> {
        if text.contains('#') {
            bail!("a fragment in a URL is not sent: write http://ADDRESS:PORT/PATH");
        }
        let url: Uri = text.parse().with_context(|| format!("`{text}` is not a URL"))?;
        if url.scheme() != Some(&http::uri::Scheme::HTTP) {
            bail!("`{text}` is not a URL that starts with http://");
        }
        let authority = url.authority().with_context(|| format!("`{text}` names no host"))?;
        if authority.as_str().contains('@') {
            bail!("credentials in a URL are not sent: write http://ADDRESS:PORT/PATH");
        }
        let port = match authority.port_u16() {
            Some(port) if port > 0 => port,
            None if authority.as_str() == authority.host() => 80,
            _ => bail!("the port in `{text}` is not a number from 1 to 65535"),
        };
        let host = authority.host().trim_matches(['[', ']']);
        let ip = match host {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            _ => host.parse().with_context(|| format!("`{host}` in `{text}` is not an IP address"))?,
        };
        let address = SocketAddr::new(ip, port);
        Ok(Self { address, url })
    }
}

impl std::fmt::Display for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.url.fmt(f)
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

    /// Asks once for what the service says of itself, whatever the status of its answer; `None` without a whole
    /// answer of reasonable size within `limit`.
    pub async fn readiness(&self, limit: Duration) -> Option<Readiness> {
        let whole = async |answer: Response<Incoming>| {
            let body = Limited::new(answer.into_body(), MAX_BODY_BYTES).collect().await;
            Ok(body.map_err(anyhow::Error::from_boxed)?.to_bytes())
        };
        let body = tokio::time::timeout(limit, self.exchange(whole)).await.ok()?.ok()?;
        serde_json::from_slice(&body).ok()
    }

    /// The status of the answer, or why there is none.
    pub async fn status(&self) -> anyhow::Result<u16> {
        self.exchange(async |answer| Ok(answer.status().as_u16())).await
    }

    /// Sends the request on a connection of its own, which lasts until the answer is read.
    async fn exchange<T>(
        &self,
        read: impl AsyncFnOnce(Response<Incoming>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let stream = TcpStream::connect(self.address)
            .await
            .with_context(|| format!("nothing listens on {}", self.address))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = self.request()?;
        let answer =
            async { read(sender.send_request(request).await.map_err(|error| self.broken(error))?).await };
        match select(pin!(answer), pin!(connection)).await {
            Either::Left((answer, _)) => answer,
            // Whatever ended the connection, the answer is there or says why it is not.
            Either::Right((_, answer)) => answer.await,
        }
    }

    fn request(&self) -> http::Result<Request<Empty<Bytes>>> {
        let target = self.url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let host = self.url.authority().map_or("", http::uri::Authority::as_str);
        Request::get(target).header(header::HOST, host).header(header::CONNECTION, "close").body(Empty::new())
    }

    fn broken(&self, error: hyper::Error) -> anyhow::Error {
        let what = if error.is_parse() {
            format!("{} answered something else than HTTP", self.address)
        } else {
            "the connection broke".to_owned()
        };
        anyhow::Error::new(error).context(what)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn urls_name_an_address() {
        let cases = [
            ("http://127.0.0.1:3001/readyz?x=1", "127.0.0.1:3001", "/readyz?x=1", "127.0.0.1:3001"),
            ("http://localhost", "127.0.0.1:80", "/", "localhost"),
            ("http://[::1]:8/", "[::1]:8", "/", "[::1]:8"),
        ];
        for (url, address, target, host) in cases {
            let probe: Probe = url.parse().expect("parses");
            assert_eq!(probe.address, address.parse().expect("address"), "{url}");
            let request = probe.request().expect("a request");
            assert_eq!(request.uri(), target, "{url}");
            assert_eq!(request.headers()["host"], host, "{url}");
        }
        let bad = ["https://127.0.0.1/", "http://example.org/", "127.0.0.1:3001", "", "/readyz"];
        let unsent =
            ["http://me@127.0.0.1/", "http://127.0.0.1/#top", "http://127.0.0.1:0", "http://127.0.0.1:70000"];
        for bad in bad.into_iter().chain(unsent) {
            assert!(bad.parse::<Probe>().is_err(), "{bad}");
        }
    }

    /// Gives each connection one of these answers, without ending it; stops listening after the last.
    async fn answering(answers: Vec<String>) -> Probe {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.expect("accepts");
                let _ = stream.write_all(answer.as_bytes()).await; // the client may have read enough
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        });
        url.parse().expect("parses")
    }

    #[tokio::test]
    async fn silence_and_refusals_are_told_apart() {
        let answers = ["HTTP/1.1 503 x\r\n\r\n", "HTTP/1.1 204 x\r\n\r\n", "nonsense\r\n"];
        let probe = answering(answers.map(str::to_owned).to_vec()).await;
        let limit = Duration::from_secs(5);
        assert_eq!(probe.ask(limit).await, Answer::NotReady(503));
        assert_eq!(probe.ask(limit).await, Answer::Ready);
        let why = format!("{:#}", probe.status().await.expect_err("not HTTP"));
        assert!(why.contains("answered something else than HTTP"), "{why}");
        assert_eq!(probe.ask(limit).await, Answer::Silent, "refused");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        let probe: Probe = url.parse().expect("parses");
        assert_eq!(probe.ask(Duration::from_millis(30)).await, Answer::Silent, "not accepted");
    }

    #[tokio::test]
    async fn answers_are_read_whole_and_up_to_a_limit() {
        let said = r#"{"status":"unready","reason":"full"}"#;
        let sized = |body: &str| format!("HTTP/1.1 503 x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let chunked =
            format!("HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n24\r\n{said}\r\n0\r\n\r\n");
        let short = format!("HTTP/1.1 200 x\r\ncontent-length: 99\r\n\r\n{said}");
        let large = sized(&format!("{}{said}", " ".repeat(MAX_BODY_BYTES)));
        let probe = answering(vec![sized(said), chunked, large, short]).await;
        let limit = Duration::from_secs(5);
        for _ in 0..2 {
            let readiness = probe.readiness(limit).await.expect("it says something");
            assert_eq!(readiness.reason.as_deref(), Some("full"));
        }
        assert_eq!(probe.readiness(limit).await.map(|said| said.reason), None, "too large");
        let limit = Duration::from_millis(30);
        assert_eq!(probe.readiness(limit).await.map(|said| said.reason), None, "not whole in time");
    }
}
