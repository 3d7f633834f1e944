//! A client's connection with a time limit on what is sent to it: a client that reads nothing, or next to
//! nothing, would make us hold its answer for as long as it likes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How long a client may take to read [`MIN_PROGRESS_BYTES`] of what it is sent, or all that is left.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The least that a client has to read in that time, in bytes.
const MIN_PROGRESS_BYTES: usize = 64 * 1024;

/// A connection that fails once its client does not read.
#[derive(Debug)]
pub(super) struct TimeLimited {
    stream: TcpStream,
    /// Runs while the client has something to read that could not be sent yet.
    limit: Option<Pin<Box<Sleep>>>,
    /// Bytes sent since that began.
    sent: usize,
}

impl TimeLimited {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, limit: None, sent: 0 }
    }

    /// Fails a write that waits for too long.
    fn time_limited(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(count)) if self.limit.is_some() => {
                self.sent += count;
                if self.sent >= MIN_PROGRESS_BYTES {
                    self.limit = None;
                }
            }
            Poll::Ready(_) => {}
            Poll::Pending => {
                let limit = self.limit.get_or_insert_with(|| {
                    self.sent = 0;
                    Box::pin(sleep(STALL_TIMEOUT))
                });
                ready!(limit.as_mut().poll(context));
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")));
            }
        }
        written
    }
}

impl Drop for TimeLimited {
    /// What a client did not read is not kept for it by the system either.
    fn drop(&mut self) {
        if self.limit.is_some()
            && let Err(error) = self.stream.set_zero_linger()
        {
            tracing::debug!(%error, "a connection cannot be tuned");
        }
    }
}

impl AsyncRead for TimeLimited {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, room)
    }
}

impl AsyncWrite for TimeLimited {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.time_limited(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.time_limited(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when everything was sent.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.limit = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
