//! One HTTP/1.1 connection, owned and driven by one task: no pool, no channel between tasks, no
//! timer per request.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use ordersys_contract::header::IDEMPOTENCY_KEY;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::target::Target;

/// Largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// The pause before connecting again after the first failure; doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

type Io = TokioIo<TcpStream>;

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The body.
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    /// The connection broke before the whole answer was there.
    #[error("connection broke: {0}")]
    Reset(hyper::Error),
    /// No whole answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// An answer larger than any order's.
    #[error("an answer of more than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
}

/// Whether a connection could be used as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It was open.
    Was,
    /// It had to be opened.
    Opened,
}

/// A connection that opens itself when it is needed and after it broke.
#[derive(Debug)]
pub(super) struct Connection {
    target: Rc<Target>,
    open: Option<Open>,
    watch: Watch,
    pause: Duration,
}

#[derive(Debug)]
struct Open {
    sender: SendRequest<Full<Bytes>>,
    driver: Pin<Box<http1::Connection<Io, Full<Bytes>>>>,
    finished: bool,
}

impl Connection {
    /// A connection that is not open yet.
    #[must_use]
    pub(super) fn new(target: Rc<Target>) -> Self {
        let watch = Watch::new(target.timeout);
        Self { target, open: None, watch, pause: Duration::ZERO }
    }

    /// Makes sure that it is open. After a failure it waits a little longer each time.
    pub(super) async fn ready(&mut self) -> Result<Readiness, Broken> {
        if let Some(open) = &mut self.open {
            if open.is_usable().await {
                return Ok(Readiness::Was);
            }
            self.open = None;
        }
        if !self.pause.is_zero() {
            tokio::time::sleep(self.pause).await;
        }
        match self.watch.guard(connect(&self.target)).await.unwrap_or(Err(Broken::TimedOut)) {
            Ok(open) => {
                self.open = Some(open);
                self.pause = Duration::ZERO;
                Ok(Readiness::Opened)
            }
            Err(broken) => {
                self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                Err(broken)
            }
        }
    }

    /// Posts an order and reads the answer. Must be [`Connection::ready`].
    pub(super) async fn post(&mut self, body: Bytes, key: &[u8]) -> Result<Answer, Broken> {
        let Some(open) = &mut self.open else {
            return Err(Broken::Connect(std::io::ErrorKind::NotConnected.into()));
        };
        let request = request(&self.target, body, key);
        let answer = self.watch.guard(open.exchange(request)).await.unwrap_or(Err(Broken::TimedOut));
        if answer.is_err() {
            self.open = None; // a late answer would be taken for the next one
        }
        answer
    }
}

fn request(target: &Target, body: Bytes, key: &[u8]) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.path.clone();
    *request.headers_mut() = target.headers.clone();
    if let Ok(key) = HeaderValue::from_bytes(key) {
        request.headers_mut().insert(IDEMPOTENCY_KEY, key);
    }
    request
}

async fn connect(target: &Target) -> Result<Open, Broken> {
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for address in &target.addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(Broken::Connect)?;
                let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(Broken::Reset)?;
                return Ok(Open { sender, driver: Box::pin(driver), finished: false });
            }
            Err(error) => last = error,
        }
    }
    Err(Broken::Connect(last))
}

impl Open {
    /// Whether the next request can be sent; notices that the other side closed.
    async fn is_usable(&mut self) -> bool {
        let Self { sender, driver, finished } = self;
        drive(driver, finished, sender.ready()).await.is_ok() && !*finished
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, Broken> {
        let Self { sender, driver, finished } = self;
        let answer = drive(driver, finished, sender.send_request(request)).await.map_err(Broken::Reset)?;
        let (parts, body) = answer.into_parts();
        let body = drive(driver, finished, read(body)).await?;
        Ok(Answer { status: parts.status.as_u16(), body })
    }
}

/// Runs `work` on the connection and the connection itself in one task, so that a request needs no
/// hop from task to task.
async fn drive<T>(
    driver: &mut Pin<Box<http1::Connection<Io, Full<Bytes>>>>,
    finished: &mut bool,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    poll_fn(|cx: &mut Context<'_>| {
        // Work first: it hands over the request that the connection then writes. And again after
        // the connection: it may have read what the work waits for.
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if !*finished {
            *finished = driver.as_mut().poll(cx).is_ready(); // an error reaches the work
        }
        work.as_mut().poll(cx)
    })
    .await
}

async fn read(mut body: Incoming) -> Result<Bytes, Broken> {
    let mut whole = Bytes::new();
    let mut pieces = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(Broken::Reset)?.into_data() else { continue };
        if whole.len() + pieces.len() + piece.len() > MAX_ANSWER_BYTES {
            return Err(Broken::TooLarge);
        }
        if whole.is_empty() && pieces.is_empty() {
            whole = piece; // nearly always the only one
        } else {
            pieces.extend_from_slice(&std::mem::take(&mut whole));
            pieces.extend_from_slice(&piece);
        }
        if body.is_end_stream() {
            break;
        }
    }
    Ok(if pieces.is_empty() { whole } else { pieces.freeze() })
}

/// A time limit that arms one timer per limit instead of one per request.
#[derive(Debug)]
struct Watch {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Watch {
    fn new(limit: Duration) -> Self {
        Self { limit, sleep: None }
    }

    /// The result of `work`, or `None` if it takes longer than the limit.
    async fn guard<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let deadline = Instant::now() + self.limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        let mut work = pin!(work);
        poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            // The timer may still be set for an earlier request; it is moved only when it fires.
            while sleep.as_mut().poll(cx).is_ready() {
                if Instant::now() >= deadline {
                    return Poll::Ready(None);
                }
                sleep.as_mut().reset(deadline);
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_time_limit_counts_from_each_piece_of_work() {
        let mut watch = Watch::new(Duration::from_secs(5));
        for _ in 0..5 {
            let work = tokio::time::sleep(Duration::from_secs(3));
            assert!(watch.guard(work).await.is_some(), "3 s of 5 s, with a timer from before");
        }
        let start = Instant::now();
        assert!(watch.guard(std::future::pending::<()>()).await.is_none());
        let waited = start.elapsed();
        assert!((5000..5010).contains(&waited.as_millis()), "{waited:?}");
    }
}
