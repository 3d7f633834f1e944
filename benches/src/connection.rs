//! A connection that costs next to nothing beside what is measured: one request at a time, and of
//! an answer only its status and its body.

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Most bytes of an answer.
const MOST_BYTES: usize = 1 << 20;

/// An open connection to a service.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects to `HOST:PORT`.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends a whole request; an answer with another status than `expected` is an error.
    pub async fn exchange(&mut self, request: &[u8], expected: u16) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let end = loop {
            if let Some(end) = end_of_answer(&self.received)? {
                break end;
            }
            ensure!(self.received.len() < MOST_BYTES, "an answer of more than {MOST_BYTES} bytes");
            if self.stream.read_buf(&mut self.received).await? == 0 {
                bail!("the connection ended before its answer");
            }
        };
        ensure!(self.received.len() == end, "more bytes than one answer has");
        let status = self.received.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        if status.and_then(|digits| digits.parse().ok()) != Some(expected) {
            bail!("{expected} was expected, not\n{}", String::from_utf8_lossy(&self.received));
        }
        Ok(())
    }
}

/// Where the answer ends, if its head is there and the body too.
fn end_of_answer(received: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(head) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&received[..head])?;
    let mut lines = text.split("\r\n").filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, length) = length.context("an answer without its length")?;
    let end = head + 4 + length.trim().parse::<usize>()?;
    Ok((received.len() >= end).then_some(end))
}
