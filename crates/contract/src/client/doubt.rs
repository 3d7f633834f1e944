//! Calls that are given up because the service is known not to answer.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

/// Ends once it is known that a service does not answer.
pub type Knowing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Finds out, while a call waits, whether the service at a base URL can answer at all.
#[derive(Clone)]
pub struct Doubt(Arc<dyn Fn(&str) -> Knowing + Send + Sync>);

impl Doubt {
    /// Asks this function about the base URL of each call.
    pub fn new(ask: impl Fn(&str) -> Knowing + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// The answer, unless it is known before that there will be none.
    pub(super) async fn unless_known<T>(&self, base: &str, answer: impl Future<Output = T>) -> Option<T> {
        let (mut answer, mut knowing) = (pin!(answer), (self.0)(base));
        poll_fn(|context| match answer.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => knowing.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}

impl fmt::Debug for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doubt")
    }
}
