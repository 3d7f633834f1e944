//! A bounded channel whose senders are cut off when the store closes: what waits by then is still received.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::StoreError;

/// The sending side, shared by reference. The channel itself has no bound, since a bounded one takes memory for
/// all it may ever hold at once, in each idle service; so as many items more may wait as callers push at one moment.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    sender: RwLock<Option<Sender<T>>>,
    capacity: usize,
}

impl<T> Queue<T> {
    /// A queue in which at most `capacity` items wait, and what receives from it.
    pub(crate) fn bounded(capacity: usize) -> (Self, Receiver<T>) {
        let (sender, receiver) = crossbeam_channel::unbounded();
        (Self { sender: RwLock::new(Some(sender)), capacity }, receiver)
    }

    /// Adds an item at the end. Fails at once if the queue is full or closed.
    pub(crate) fn push(&self, item: T) -> Result<(), StoreError> {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        match sender.as_ref() {
            Some(sender) if sender.len() >= self.capacity => Err(StoreError::Overloaded),
            Some(sender) => sender.send(item).map_err(|_| StoreError::Stopped),
            None => Err(StoreError::Stopped),
        }
    }

    /// Rejects further items.
    pub(crate) fn close(&self) {
        self.sender.write().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Receives all that waits, oldest first and at most `most` items; waits for the first one, up to `timeout`.
pub(crate) fn receive<T>(
    receiver: &Receiver<T>,
    most: usize,
    timeout: Duration,
) -> Result<Vec<T>, RecvTimeoutError> {
    let first = receiver.recv_timeout(timeout)?;
    Ok(std::iter::once(first).chain(receiver.try_iter()).take(most).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_waits_is_received_up_to_the_most_and_nothing_beyond_the_capacity() {
        let (queue, receiver) = Queue::bounded(3);
        let take = |most| receive(&receiver, most, Duration::from_millis(1));
        assert_eq!(take(1), Err(RecvTimeoutError::Timeout));
        assert_eq!((1..=4).map(|n| queue.push(n).is_ok()).collect::<Vec<_>>(), [true, true, true, false]);
        assert!(matches!(queue.push(5), Err(StoreError::Overloaded)));
        assert_eq!(take(2), Ok(vec![1, 2]));
        assert_eq!(receiver.len(), 1);
        queue.close();
        assert!(matches!(queue.push(6), Err(StoreError::Stopped)));
        assert_eq!(take(2), Ok(vec![3]), "what waits is not lost");
        assert_eq!(take(2), Err(RecvTimeoutError::Disconnected));
    }
}
