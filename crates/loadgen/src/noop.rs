//! A responder that does nothing but answer: the system under test where the generator itself is
//! measured. It speaks as much of the article's contract as a run without verification needs.

use std::fmt::Write as _;
use std::io;
use std::rc::Rc;

use httparse::{EMPTY_HEADER, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

/// Largest request that is read, in bytes.
const MAX_REQUEST_BYTES: usize = 64 * 1024;
/// Most headers of a request.
const MAX_HEADERS: usize = 64;
/// Products it offers.
const PRODUCTS: u32 = 100;

/// The answers, rendered once.
#[derive(Debug)]
struct Answers {
    health: String,
    user: String,
    products: String,
    product: String,
    order: String,
    unknown: String,
}

impl Answers {
    fn new() -> Self {
        let mut products = String::from("[");
        for number in 0..PRODUCTS {
            let comma = if number == 0 { "" } else { "," };
            let _ = write!(products, "{comma}{}", product(number)); // writing to a String cannot fail
        }
        products.push(']');
        let order = r#"{"id":"00000000-0000-4000-8000-000000000000","userId":"00000000-0000-4000-8000-000000000001","items":[{"productId":"00000000-0000-4000-8000-000000000000","quantity":1}],"total":1.99,"status":"confirmed"}"#;
        Self {
            health: answer("200 OK", r#"{"status":"ok"}"#),
            user: answer(
                "201 Created",
                r#"{"id":"00000000-0000-4000-8000-000000000001","name":"n","email":"e"}"#,
            ),
            products: answer("200 OK", &products),
            product: answer("200 OK", &product(0)),
            order: answer("201 Created", order),
            unknown: answer("404 Not Found", r#"{"error":"no such route"}"#),
        }
    }

    fn of(&self, method: &str, path: &str) -> &str {
        match (method, path) {
            ("POST", "/orders") => &self.order,
            ("GET", "/health") => &self.health,
            ("POST", "/users") => &self.user,
            ("GET", path) if path == "/products" || path.starts_with("/products?") => &self.products,
            ("GET", path) if path.starts_with("/products/") => &self.product,
            _ => &self.unknown,
        }
    }
}

fn product(number: u32) -> String {
    format!(
        r#"{{"id":"00000000-0000-4000-8000-{number:012}","name":"p","price":1.99,"stock":1000000000,"currency":"USD"}}"#
    )
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// Answers until the process ends, all in one thread.
pub fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::from_std(listener)?;
        let answers = Rc::new(Answers::new());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            spawn_local(respond(stream, answers.clone()));
        }
    })
}

/// Serves one connection until either side has had enough.
async fn respond(mut stream: TcpStream, answers: Rc<Answers>) -> io::Result<()> {
    let (mut asked, mut told) = (Vec::with_capacity(MAX_REQUEST_BYTES), Vec::new());
    while asked.len() < MAX_REQUEST_BYTES && stream.read_buf(&mut asked).await? > 0 {
        let mut read = 0;
        while let Some((used, answer)) = request(&asked[read..], &answers)? {
            read += used;
            told.extend_from_slice(answer.as_bytes());
        }
        asked.drain(..read);
        stream.write_all(&told).await?;
        told.clear();
    }
    Ok(())
}

/// The first request, once it is whole: its length and its answer.
fn request<'a>(bytes: &[u8], answers: &'a Answers) -> io::Result<Option<(usize, &'a str)>> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let Status::Complete(head) = request.parse(bytes).map_err(invalid)? else { return Ok(None) };
    let length = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok());
    let end = head + length.unwrap_or(0_usize).min(MAX_REQUEST_BYTES);
    let answer = answers.of(request.method.unwrap_or_default(), request.path.unwrap_or_default());
    Ok((bytes.len() >= end).then_some((end, answer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_answered_once_they_are_whole_also_many_at_once() {
        let answers = Answers::new();
        let text = b"POST /orders HTTP/1.1\r\nhost: h\r\nContent-Length: 2\r\n\r\n{}GET /x HTTP/1.1\r\n\r\n";
        let first = text.len() - b"GET /x HTTP/1.1\r\n\r\n".len();
        for end in 0..first {
            assert_eq!(request(&text[..end], &answers).expect("no mistake"), None, "{end} bytes");
        }
        let found = request(text, &answers).expect("no mistake");
        assert_eq!(found, Some((first, answers.order.as_str())));
        let found = request(&text[first..], &answers).expect("no mistake");
        assert_eq!(found, Some((text.len() - first, answers.unknown.as_str())));
        assert!(request(b"\0\0", &answers).is_err());
    }
}
