use ordersys_contract::user::UserKindName;

use super::*;

fn order() -> Arc<StoredOrder> {
    let owner = Owner { id: UserId::now(), name: "Ada".to_owned(), kind: UserKindName::Guest };
    let now = Timestamp::now();
    Arc::new(StoredOrder::pending(owner, Vec::new(), now, &RequestId::random()))
}

/// What a client gets for an order that is stored `after` so long, and never gets an outcome.
async fn answered(after: Duration) -> Arc<StoredOrder> {
    let order = order();
    let (sender, progress) = watch::channel(Progress::Begun(Instant::now()));
    let client = tokio::spawn(wait(progress));
    tokio::time::sleep(after).await;
    // The wall clock stands still here, so the beginning moves instead.
    let began = Instant::now().checked_sub(after).expect("the machine is up for longer");
    sender.send_if_modified(|progress| {
        *progress = Progress::Begun(began);
        false
    });
    sender.send_if_modified(|progress| progress.reach(Arc::clone(&order)));
    let answered =
        tokio::time::timeout(2 * RESPONSE_TIMEOUT, client).await.expect("the client is answered in time");
    let placed = answered.expect("no panic").expect("a stored order");
    assert!(Arc::ptr_eq(&placed.stored, &order) && !placed.replayed);
    placed.stored
}

#[tokio::test(start_paused = true)]
async fn a_client_gets_a_stored_order_once_its_time_is_over_whenever_it_was_stored() {
    for after in [Duration::ZERO, RESPONSE_TIMEOUT / 2, RESPONSE_TIMEOUT, 3 * RESPONSE_TIMEOUT] {
        let stored = answered(after).await;
        assert_eq!(stored.order.status, OrderState::Pending, "stored after {after:?}");
    }
}
