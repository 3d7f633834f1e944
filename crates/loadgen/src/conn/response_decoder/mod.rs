//! Reads one HTTP/1.1 answer as its bytes arrive: any framing, nothing copied but chunks, a bound on its
//! size. Does no IO, so that every way to cut an answer into pieces can be tested.

use std::ops::Range;
use std::time::Duration;

use httparse::{EMPTY_HEADER, Header, Status};

/// Largest answer that is read, its head included, in bytes.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Room for each read in bytes; nearly every answer fits.
const READ_BYTES: usize = 4096;
/// Memory kept for the next answer, in bytes.
const KEPT_BYTES: usize = 64 * 1024;
/// Most headers of an answer.
const MAX_HEADERS: usize = 64;

/// Why bytes are no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not HTTP/1.1, or against its rules.
    #[error("the answer is no HTTP/1.1: {0}")]
    Malformed(&'static str),
    /// Larger than [`MAX_ANSWER_BYTES`].
    #[error("an answer of more than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
}

/// Where a whole answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Whether the next request may use the same connection.
    pub keeps_open: bool,
    /// How long a refusal asks to wait before the next try.
    pub retry_after: Option<Duration>,
    body: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// As it came.
    Raw(Range<usize>),
    /// Put together from chunks.
    Joined,
}

/// What the head of an answer says.
#[derive(Debug, Clone, Copy)]
struct Head {
    status: u16,
    keeps_open: bool,
    retry_after: Option<Duration>,
    framing: Framing,
    /// Where the body begins.
    body: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

/// The bytes of one answer, as far as they are here.
#[derive(Debug, Default)]
pub struct ResponseDecoder {
    bytes: Vec<u8>,
    head: Option<Head>,
    joined: Vec<u8>,
    /// Where the next chunk, or the next head, begins.
    at: usize,
}

impl ResponseDecoder {
    /// Forgets the last answer.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.joined.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.joined.shrink_to(KEPT_BYTES);
        self.head = None;
        self.at = 0;
    }

    /// Where the next bytes go.
    pub fn room(&mut self) -> &mut Vec<u8> {
        if self.bytes.capacity() - self.bytes.len() < READ_BYTES {
            self.bytes.reserve(READ_BYTES.max(self.bytes.len()));
        }
        &mut self.bytes
    }

    /// The answer, once it is whole.
    pub fn look(&mut self) -> Result<Option<Response>, Unreadable> {
        let whole = self.find()?;
        if whole.is_none() && self.bytes.len() > MAX_ANSWER_BYTES {
            return Err(Unreadable::TooLarge);
        }
        Ok(whole)
    }

    /// The answer, if the end of the connection is its end.
    #[must_use]
    pub fn ended(&self) -> Option<Response> {
        let head = self.head.filter(|head| head.framing == Framing::UntilClose)?;
        Some(head.whole(Place::Raw(head.body..self.bytes.len()), false))
    }

    /// The body of an answer that this decoder holds.
    #[must_use]
    pub fn body(&self, whole: &Response) -> &[u8] {
        match &whole.body {
            Place::Raw(range) => &self.bytes[range.clone()],
            Place::Joined => &self.joined,
        }
    }

    fn find(&mut self) -> Result<Option<Response>, Unreadable> {
        let Some(head) = self.head()? else { return Ok(None) };
        match head.framing {
            Framing::UntilClose => Ok(None),
            Framing::Length(length) if length > MAX_ANSWER_BYTES => Err(Unreadable::TooLarge),
            Framing::Length(length) => {
                let end = head.body + length;
                Ok((self.bytes.len() >= end).then(|| {
                    // Unrequested bytes would be taken for the next answer.
                    head.whole(Place::Raw(head.body..end), self.bytes.len() == end)
                }))
            }
            Framing::Chunked => {
                let end = self.join()?;
                Ok(end.map(|end| head.whole(Place::Joined, self.bytes.len() == end)))
            }
        }
    }

    fn head(&mut self) -> Result<Option<Head>, Unreadable> {
        while self.head.is_none() {
            let mut headers = [EMPTY_HEADER; MAX_HEADERS];
            let mut answer = httparse::Response::new(&mut headers);
            let Status::Complete(used) = answer.parse(&self.bytes[self.at..]).map_err(malformed)? else {
                return Ok(None);
            };
            self.at += used;
            let status = answer.code.unwrap_or_default();
            if status == 101 {
                return Err(Unreadable::Malformed("it switches to a protocol that was not requested"));
            }
            if status < 200 {
                continue; // interim: the answer itself follows
            }
            let framing = match status {
                204 | 304 => Framing::Length(0),
                _ => framing(answer.headers)?,
            };
            let keeps_open = keeps_open(answer.version == Some(1), answer.headers);
            let retry_after = matches!(status, 429 | 503).then(|| retry_after(answer.headers)).flatten();
            self.head = Some(Head { status, keeps_open, retry_after, framing, body: self.at });
        }
        Ok(self.head)
    }

    /// Joins the chunks that are here; where the answer ends, once it does.
    fn join(&mut self) -> Result<Option<usize>, Unreadable> {
        const BROKEN: Unreadable = Unreadable::Malformed("broken chunk");
        loop {
            let rest = &self.bytes[self.at..];
            let Status::Complete((line, size)) = httparse::parse_chunk_size(rest).map_err(|_| BROKEN)? else {
                return Ok(None);
            };
            if size == 0 {
                let mut trailers = [EMPTY_HEADER; MAX_HEADERS];
                let trailers = httparse::parse_headers(&rest[line..], &mut trailers).map_err(malformed)?;
                return Ok(match trailers {
                    Status::Complete((used, _)) => Some(self.at + line + used),
                    Status::Partial => None,
                });
            }
            let size = usize::try_from(size).ok().filter(|size| *size <= MAX_ANSWER_BYTES);
            let end = line + size.ok_or(Unreadable::TooLarge)?;
            match rest.get(end..end + 2) {
                Some(b"\r\n") => self.joined.extend_from_slice(&rest[line..end]),
                Some(_) => return Err(BROKEN),
                None => return Ok(None),
            }
            self.at += end + 2;
        }
    }
}

impl Head {
    fn whole(self, body: Place, ends_here: bool) -> Response {
        let Self { status, keeps_open, retry_after, .. } = self;
        Response { status, keeps_open: keeps_open && ends_here, retry_after, body }
    }
}

fn malformed(error: httparse::Error) -> Unreadable {
    Unreadable::Malformed(match error {
        httparse::Error::HeaderName => "header name",
        httparse::Error::HeaderValue => "header value",
        httparse::Error::NewLine => "line end",
        httparse::Error::Status => "status",
        httparse::Error::Token => "token",
        httparse::Error::TooManyHeaders => "too many headers",
        httparse::Error::Version => "version",
    })
}

/// RFC 9112, section 6.3.
fn framing(headers: &[Header<'_>]) -> Result<Framing, Unreadable> {
    let mut length = None;
    for header in headers {
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            let last = header.value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
            let chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
            return Ok(if chunked { Framing::Chunked } else { Framing::UntilClose });
        }
        if header.name.eq_ignore_ascii_case("content-length") {
            let named = number(header.value).ok_or(Unreadable::Malformed("content-length"))?;
            if length.is_some_and(|length| length != named) {
                return Err(Unreadable::Malformed("two content-lengths"));
            }
            length = Some(named);
        }
    }
    Ok(length.map_or(Framing::UntilClose, Framing::Length))
}

/// The seconds of `Retry-After`; its form with a date is not read.
fn retry_after(headers: &[Header<'_>]) -> Option<Duration> {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case("retry-after"))?;
    Some(Duration::from_secs(number(header.value)?.try_into().ok()?))
}

fn number(digits: &[u8]) -> Option<usize> {
    let digits = digits.trim_ascii();
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

fn keeps_open(by_default: bool, headers: &[Header<'_>]) -> bool {
    let connection = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("connection"));
    let mut options = connection.flat_map(|header| header.value.split(|byte| *byte == b','));
    options
        .find_map(|option| match option.trim_ascii() {
            option if option.eq_ignore_ascii_case(b"close") => Some(false),
            option if option.eq_ignore_ascii_case(b"keep-alive") => Some(true),
            _ => None,
        })
        .unwrap_or(by_default)
}

#[cfg(test)]
mod tests;
