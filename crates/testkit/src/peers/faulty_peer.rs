//! A service with a fault: passes requests on to a real one, and spoils what comes back.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// More than any answer between services may have.
const TOO_MUCH: usize = 20 * 1024 * 1024;
/// Between two bytes of an answer that comes too slowly.
const DRIP: Duration = Duration::from_millis(100);

/// What becomes of an answer. The request was carried out in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Bytes that are not HTTP.
    Garbage,
    /// A page instead of JSON.
    Page,
    /// JSON of another form.
    OtherJson,
    /// The connection ends in the middle.
    Half,
    /// Nothing comes.
    Silence,
    /// It comes byte by byte.
    Drip,
    /// It has no end.
    TooMuch,
    /// No answers to many questions.
    TooFew,
    /// An answer too many.
    TooMany,
    /// Answers about another user or order.
    Others,
    /// The service says that it failed.
    Status500,
    /// The service refuses the call.
    Status403,
}

impl Fault {
    /// Every fault there is.
    pub const ALL: [Self; 12] = [
        Self::Garbage,
        Self::Page,
        Self::OtherJson,
        Self::Half,
        Self::Silence,
        Self::Drip,
        Self::TooMuch,
        Self::TooFew,
        Self::TooMany,
        Self::Others,
        Self::Status500,
        Self::Status403,
    ];
}

/// The faults of the next answers; clones share them.
#[derive(Debug, Clone, Default)]
pub struct FaultyPeer(Arc<Mutex<VecDeque<Fault>>>);

impl FaultyPeer {
    /// Starts it on a free port. Returns its URL.
    pub fn start(&self, real: &str) -> String {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("is a socket");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let listener = TcpListener::from_std(listener).expect("is a listener");
        let (faults, real) = (self.clone(), real.trim_start_matches("http://").to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (faults, real) = (faults.clone(), real.clone());
                tokio::spawn(async move { faults.relay(stream, &real).await });
            }
        });
        url
    }

    /// Spoils so many answers from now on.
    pub fn spoil(&self, fault: Fault, times: usize) {
        *self.0.lock().expect("not poisoned") = std::iter::repeat_n(fault, times).collect();
    }

    /// Answers that will still be spoilt.
    pub fn left(&self) -> usize {
        self.0.lock().expect("not poisoned").len()
    }

    /// Passes the requests of one connection on, one after the other.
    async fn relay(&self, mut client: TcpStream, real: &str) -> Option<()> {
        loop {
            let request = message(&mut client).await?;
            let fault = self.0.lock().expect("not poisoned").pop_front();
            let mut service = TcpStream::connect(real).await.ok()?;
            service.write_all(&request).await.ok()?;
            let answer = message(&mut service).await?;
            let Some(fault) = fault else {
                client.write_all(&answer).await.ok()?;
                continue;
            };
            spoil(&mut client, fault, &answer).await;
            return None;
        }
    }
}

/// One HTTP message with a known length, or with no body.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(Some(0), |length| length.trim().parse().ok())?;
            if bytes.len() >= end + 4 + length {
                return Some(bytes);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn spoil(client: &mut TcpStream, fault: Fault, answer: &[u8]) {
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let body = String::from_utf8_lossy(&answer[at..]).into_owned();
    let json = |status: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let told = match fault {
        Fault::Garbage => "\u{1}\u{2}\u{3} 42 is the answer\r\n\r\n".to_owned(),
        Fault::Page => json("200 OK", "<html><body>Welcome</body></html>"),
        Fault::OtherJson => json("200 OK", r#"{"status":"ok","answers":{"0":null}}"#),
        Fault::Half => String::from_utf8_lossy(&answer[..at + body.len() / 2]).into_owned(),
        Fault::Silence => return tokio::time::sleep(Duration::from_secs(10)).await,
        Fault::Drip => return drip(client, answer).await,
        Fault::TooMuch => {
            let head = json("200 OK", "").replace("length: 0", &format!("length: {}", 2 * TOO_MUCH));
            format!("{head}[\"{}", "x".repeat(TOO_MUCH))
        }
        Fault::TooFew => json("200 OK", "[]"),
        Fault::TooMany => json("200 OK", &body.replacen('[', "[null,", 1)),
        Fault::Others => json("200 OK", &of_others(&body)),
        Fault::Status500 => json("500 Internal Server Error", r#"{"error":"boom"}"#),
        Fault::Status403 => json("403 Forbidden", r#"{"error":"who are you?"}"#),
    };
    let _ = client.write_all(told.as_bytes()).await;
}

async fn drip(client: &mut TcpStream, answer: &[u8]) {
    for byte in answer {
        if client.write_all(&[*byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(DRIP).await;
    }
}

/// The same body with every id changed into another one.
fn of_others(body: &str) -> String {
    let other = |id: &str| format!("{}{}", if id.starts_with('0') { '1' } else { '0' }, &id[1..]);
    let is_id = |text: &str| text.len() == 36 && text.bytes().filter(|b| *b == b'-').count() == 4;
    let parts = body.split('"').map(|part| if is_id(part) { other(part) } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("\"")
}
