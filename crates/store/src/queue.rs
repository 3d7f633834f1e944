//! A bounded queue to a thread that has nothing else to do: it takes all that waits in one step,
//! and sleeps without spinning when nothing does. The cores belong to those who make the work.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Why the queue does not take something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As much waits as may.
    Full,
    /// Nobody will take it any more.
    Closed,
}

/// What a taker gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<T> {
    /// At least one item, oldest first.
    Some(Vec<T>),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    /// Takers asleep: only then is there somebody to wake, which is a system call.
    asleep: usize,
    closed: bool,
}

/// The queue, shared by reference.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    capacity: usize,
}

impl<T> Queue<T> {
    /// A queue in which at most `capacity` items wait.
    pub(crate) fn bounded(capacity: usize) -> Self {
        let state = Mutex::new(State { items: VecDeque::new(), asleep: 0, closed: false });
        Self { state, changed: Condvar::new(), capacity }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item at the end, if there is room.
    pub(crate) fn push(&self, item: T) -> Result<(), Refused> {
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.items.len() >= self.capacity {
            return Err(Refused::Full);
        }
        state.items.push_back(item);
        let wake = state.asleep > 0;
        drop(state);
        if wake {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// How many items wait.
    pub(crate) fn len(&self) -> usize {
        self.state().items.len()
    }

    /// Takes what waits, at most `most` items; waits for the first one, for `patience` if that is given.
    pub(crate) fn take(&self, most: usize, patience: Option<Duration>) -> Taken<T> {
        let mut state = self.state();
        let idle = |state: &mut State<T>| state.items.is_empty() && !state.closed;
        if idle(&mut state) {
            state.asleep += 1;
            state = match patience {
                None => self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let waited = self.changed.wait_timeout_while(state, patience, idle);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            state.asleep -= 1;
        }
        let count = state.items.len().min(most);
        match (count, state.closed) {
            (0, true) => Taken::Closed,
            (0, false) => Taken::Nothing,
            _ => Taken::Some(state.items.drain(..count).collect()),
        }
    }

    /// Refuses further items; what waits can still be taken.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn takes_all_that_waits_up_to_the_most_and_refuses_beyond_the_capacity() {
        let queue = Queue::bounded(3);
        assert_eq!((1..=4).map(|n| queue.push(n).is_ok()).collect::<Vec<_>>(), [true, true, true, false]);
        assert_eq!((queue.push(5), queue.len()), (Err(Refused::Full), 3));
        assert_eq!(queue.take(2, None), Taken::Some(vec![1, 2]));
        queue.close();
        assert_eq!(queue.push(6), Err(Refused::Closed));
        assert_eq!(queue.take(2, None), Taken::Some(vec![3]), "what waits is not lost");
        assert_eq!(queue.take(2, None), Taken::Closed);
        assert_eq!(Queue::<u8>::bounded(1).take(1, Some(Duration::from_millis(1))), Taken::Nothing);
    }

    #[test]
    fn each_item_is_taken_once_whoever_sleeps() {
        const ITEMS: u32 = 20_000;
        let queue = Arc::new(Queue::bounded(64));
        let takers = [(); 3].map(|()| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || {
                let mut all = Vec::new();
                while let Taken::Some(items) = queue.take(7, None) {
                    all.extend(items);
                }
                all
            })
        });
        for item in 0..ITEMS {
            while queue.push(item) == Err(Refused::Full) {
                std::thread::yield_now();
            }
        }
        queue.close();
        let mut all = takers.map(|taker| taker.join().expect("ends")).concat();
        all.sort_unstable();
        assert_eq!(all, (0..ITEMS).collect::<Vec<_>>());
    }
}
