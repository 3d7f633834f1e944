use std::sync::{Arc, Mutex};

use ordersys_chassis::BreakerMetrics;
use ordersys_chassis::resilience::breaker::{GuardedCall, Settings};

use super::*;

impl BatchItem for u32 {
    type Key = Self;
    type Answer = Self;

    fn key(&self) -> Self {
        *self
    }

    fn matches(asked: &Self, answer: &Self) -> bool {
        answer.is_multiple_of(*asked)
    }
}

#[tokio::test]
async fn what_arrives_during_a_call_shares_the_next_one() {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let batcher = Batcher::start(None, {
        let (sizes, gate) = (Arc::clone(&sizes), Arc::clone(&gate));
        move |items: Vec<u32>, _| {
            sizes.lock().expect("not poisoned").push(items.len());
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.expect("open").forget();
                Ok(items.into_iter().map(|n| n * 2).collect::<Vec<u32>>())
            }
        }
    });
    let ask = |n: u32| {
        let batcher = batcher.clone();
        tokio::spawn(async move { batcher.ask(n, Duration::from_secs(5)).await })
    };
    let first = ask(1);
    while sizes.lock().expect("not poisoned").is_empty() {
        tokio::task::yield_now().await;
    }
    let others: Vec<_> = (2..=5).map(ask).collect();
    while batcher.queue.capacity() > QUEUE - 4 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(2);
    assert_eq!(first.await.expect("runs").expect("answered"), 2);
    for (other, n) in others.into_iter().zip(2..) {
        assert_eq!(other.await.expect("runs").expect("answered"), n * 2);
    }
    assert_eq!(*sizes.lock().expect("not poisoned"), [1, 4]);
}

#[tokio::test]
async fn a_wrong_number_of_answers_is_no_answer() {
    let batcher = Batcher::start(None, |_: Vec<u32>, _| async { Ok(Vec::<u32>::new()) });
    let answer = batcher.ask(1, Duration::from_secs(5)).await;
    assert!(matches!(answer, Err(PortError::NoAnswer(_))), "{answer:?}");
}

#[tokio::test]
async fn an_answer_to_something_else_is_no_answer_and_the_others_count() {
    let batcher = Batcher::start(None, |asked: Vec<u32>, _| async move {
        Ok(asked.into_iter().map(|n| if n == 3 { 4 } else { 2 * n }).collect())
    });
    let (two, three) =
        tokio::join!(batcher.ask(2, Duration::from_secs(5)), batcher.ask(3, Duration::from_secs(5)));
    assert_eq!(two.expect("answered"), 4);
    assert!(matches!(three, Err(PortError::NoAnswer(_))), "{three:?}");
}

#[tokio::test]
async fn a_call_ends_when_no_caller_waits() {
    let (ended, end) = oneshot::channel::<()>();
    let ended = Mutex::new(Some(ended));
    let batcher = Batcher::start(None, move |_: Vec<u32>, _| {
        let held = ended.lock().expect("not poisoned").take();
        async move {
            let _held = held;
            std::future::pending().await
        }
    });
    let answer = batcher.ask(1, Duration::from_millis(20)).await;
    assert!(matches!(answer, Err(PortError::NoAnswer(_))), "{answer:?}");
    let ended = tokio::time::timeout(Duration::from_secs(5), end).await;
    assert!(ended.expect("the call was dropped").is_err());
}

/// Whether a service fails, and how many items each call to it had.
type Switch = Arc<Mutex<(bool, Vec<usize>)>>;

/// A batcher to a service that fails while the switch is on, and how often it was called.
fn fragile() -> (Batcher<u32>, Switch) {
    let switch = Arc::new(Mutex::new((true, Vec::new())));
    let cool_down = Duration::from_millis(50);
    let settings = Settings { calls: 3, ratio: 0.5, window: Duration::from_secs(10), cool_down };
    let breaker = Breaker::new(
        GuardedCall { peer: "peer", call: "call" },
        settings,
        Instant::now(),
        BreakerMetrics::default(),
    );
    let batcher = Batcher::start(Some(breaker), {
        let switch = Arc::clone(&switch);
        move |asked: Vec<u32>, _| {
            let mut switch = switch.lock().expect("not poisoned");
            switch.1.push(asked.len());
            let fails = switch.0;
            async move { if fails { Err(PortError::NoAnswer("down".to_owned())) } else { Ok(asked) } }
        }
    });
    (batcher, switch)
}

#[tokio::test]
async fn an_open_breaker_refuses_at_once_and_probes_with_an_empty_call() {
    let (batcher, switch) = fragile();
    let ask = || batcher.ask(1, Duration::from_secs(5));
    for _ in 0..3 {
        assert!(matches!(ask().await, Err(PortError::NoAnswer(_))));
    }
    assert!(matches!(ask().await, Err(PortError::Open(_))));
    let calls = || switch.lock().expect("not poisoned").1.clone();
    let began = Instant::now();
    while calls().len() < 5 {
        assert!(began.elapsed() < Duration::from_secs(5), "no probe");
        assert!(!matches!(ask().await, Err(PortError::NoAnswer(_))), "a caller was the probe");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    switch.lock().expect("not poisoned").0 = false;
    while ask().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5), "does not close");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(calls().iter().skip(3).rev().skip(1).all(|asked| *asked == 0), "{:?}", calls());
}

#[tokio::test]
async fn a_refusal_of_the_other_service_opens_nothing() {
    let settings = Settings { calls: 1, ..Settings::default() };
    let breaker = Breaker::new(
        GuardedCall { peer: "peer", call: "call" },
        settings,
        Instant::now(),
        BreakerMetrics::default(),
    );
    let refuse = |_: Vec<u32>, _| async { Err(PortError::Refused("403".to_owned())) };
    let batcher = Batcher::start(Some(breaker), refuse);
    for _ in 0..20 {
        let answer = batcher.ask(1, Duration::from_secs(5)).await;
        assert!(matches!(answer, Err(PortError::Refused(_))), "{answer:?}");
    }
}
