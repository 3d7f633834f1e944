//! One HTTP/1.1 connection, owned and driven by one task: no pool, no channel between tasks, no
//! timer and no allocation per request.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::conn::response_decoder::{Response, ResponseDecoder, Unreadable};
use crate::conn::target::Target;

/// The pause before connecting again after the first failure; doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A whole answer.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
    /// How long a refusal asks to wait before the next try.
    pub retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    /// The connection broke before the whole answer was there.
    #[error("connection broke: {0}")]
    Reset(io::Error),
    /// No whole answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// What came is no answer.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Whether a connection could be used as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It was open.
    Was,
    /// It had to be opened.
    Opened,
}

/// A connection that opens itself when it is needed and after it broke.
#[derive(Debug)]
pub struct Connection {
    target: Rc<Target>,
    stream: Option<TcpStream>,
    decoder: ResponseDecoder,
    watch: Watch,
    pause: Duration,
}

impl Connection {
    /// A connection that is not open yet.
    #[must_use]
    pub fn new(target: Rc<Target>) -> Self {
        let watch = Watch::new(target.timeout);
        Self { target, stream: None, decoder: ResponseDecoder::default(), watch, pause: Duration::ZERO }
    }

    /// Where it leads.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Makes sure that it is open. After a failure it waits a little longer each time.
    pub async fn ready(&mut self) -> Result<Readiness, Broken> {
        if self.stream.as_ref().is_some_and(is_usable) {
            return Ok(Readiness::Was);
        }
        self.stream = None;
        if !self.pause.is_zero() {
            tokio::time::sleep(self.pause).await;
        }
        match self.watch.guard(connect(&self.target)).await.unwrap_or(Err(Broken::TimedOut)) {
            Ok(stream) => {
                self.stream = Some(stream);
                self.pause = Duration::ZERO;
                Ok(Readiness::Opened)
            }
            Err(broken) => {
                self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                Err(broken)
            }
        }
    }

    /// Sends a request and reads the answer. Must be [`Connection::ready`].
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, Broken> {
        // Taken out: whatever goes wrong, a late answer must not be taken for the next one.
        let Some(mut stream) = self.stream.take() else {
            return Err(Broken::Connect(io::ErrorKind::NotConnected.into()));
        };
        self.decoder.clear();
        let answer = exchange(&mut stream, request, &mut self.decoder);
        let whole = self.watch.guard(answer).await.unwrap_or(Err(Broken::TimedOut))?;
        if whole.keeps_open {
            self.stream = Some(stream);
        }
        let (status, retry_after) = (whole.status, whole.retry_after);
        Ok(Answer { status, body: self.decoder.body(&whole), retry_after })
    }
}

async fn connect(target: &Target) -> Result<TcpStream, Broken> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in &target.addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(Broken::Connect)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(Broken::Connect(last))
}

/// Whether the next request can be sent: the server neither closed nor sent bytes without a request.
/// Costs no system call while nothing happened.
fn is_usable(stream: &TcpStream) -> bool {
    let nothing = stream.try_read(&mut [0]);
    nothing.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

async fn exchange(
    stream: &mut TcpStream,
    request: &[u8],
    decoder: &mut ResponseDecoder,
) -> Result<Response, Broken> {
    stream.write_all(request).await.map_err(Broken::Reset)?;
    loop {
        if stream.read_buf(decoder.room()).await.map_err(Broken::Reset)? == 0 {
            return decoder.ended().ok_or_else(|| {
                Broken::Reset(io::Error::new(io::ErrorKind::UnexpectedEof, "closed before the whole answer"))
            });
        }
        if let Some(whole) = decoder.look()? {
            return Ok(whole);
        }
    }
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
