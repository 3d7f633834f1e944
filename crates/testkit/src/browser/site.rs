//! A web site for browsers: one page, and if wanted everything else from a service behind it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How long one connection may last.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest head of a request that is read, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// Serves `page` at `/docs` and, without a service behind it, everywhere. Ends with the test's runtime.
pub async fn site(page: String, behind: Option<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let page = page.clone();
            tokio::spawn(async move {
                let _ = tokio::time::timeout(PATIENCE, answer(stream, &page, behind)).await;
            });
        }
    });
    address
}

async fn answer(mut stream: TcpStream, page: &str, behind: Option<SocketAddr>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < MAX_HEAD {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    if let Some(service) = behind.filter(|_| !head.starts_with(b"GET /docs ")) {
        let mut service = TcpStream::connect(service).await?;
        service.write_all(&head).await?;
        tokio::io::copy_bidirectional(&mut stream, &mut service).await.map(|_| ())
    } else {
        let length = page.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), page.as_bytes()].concat()).await?;
        stream.shutdown().await
    }
}
