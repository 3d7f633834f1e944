//! Whose orders are whose.

use ordersys_contract::client::{OrderFilter, UserFilter};
use ordersys_contract::{Code, IdempotencyKey, Role};
use ordersys_testkit::Stack;
use ordersys_testkit::stack::member::Member;

use super::{code, order};

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_registered_users_are_closed_to_others() {
    let stack = Stack::start().await;
    let product = stack.a_product(100).await;
    let (ann, bob) = (Member::join(&stack, "ann").await, Member::join(&stack, "bob").await);
    let new = order(ann.user.id, &product);
    assert_eq!(code(stack.anyone().place(&new, None).await), Code::Unauthenticated);
    assert_eq!(code(bob.client.place(&new, None).await), Code::Forbidden);
    assert_eq!(code(stack.service().place(&new, None).await), Code::Forbidden);
    assert_eq!(stack.stock(&product).await, 100, "nothing was ordered");
    stack.admin().place(&new, None).await.expect("the admin may");
    let placed = ann.client.place(&new, None).await.expect("she may").order;

    for stranger in [&stack.anyone(), &stack.service(), &bob.client] {
        assert_eq!(code(stranger.order(placed.id).await), Code::NotFound);
        assert_eq!(code(stranger.events(placed.id).await), Code::NotFound);
        assert_eq!(code(stranger.step(placed.id, ordersys_contract::order::CANCEL).await), Code::NotFound);
        assert_eq!(code(stranger.user(ann.user.id).await), Code::NotFound);
    }
    for owner in [&ann.client, &stack.admin()] {
        assert_eq!(owner.order(placed.id).await.expect("reads"), placed);
        assert_eq!(owner.events(placed.id).await.expect("reads").len(), 2);
        assert_eq!(owner.user(ann.user.id).await.expect("reads"), ann.user);
    }
    let of_ann = OrderFilter { user: Some(ann.user.id), ..OrderFilter::default() };
    assert_eq!(code(stack.anyone().orders(&of_ann).await), Code::Unauthenticated);
    assert_eq!(code(bob.client.orders(&of_ann).await), Code::Forbidden);
    assert_eq!(ann.client.orders(&of_ann).await.expect("lists").items.len(), 2);
    assert_eq!(ann.client.orders(&OrderFilter::default()).await.expect("lists").items.len(), 2);
    assert!(bob.client.orders(&OrderFilter::default()).await.expect("lists").items.is_empty());
    assert_eq!(code(ann.client.step(placed.id, ordersys_contract::order::PAY).await), Code::Forbidden);
    assert_eq!(code(ann.client.users(&UserFilter::default()).await), Code::Forbidden);
    ann.client.step(placed.id, ordersys_contract::order::CANCEL).await.expect("cancels her own");

    let guest = stack.a_user().await;
    let open = stack.anyone().place(&order(guest.id, &product), None).await.expect("places").order;
    assert!(bob.client.order(open.id).await.is_ok(), "a guest's order, for each caller that has its id");
    assert!(bob.client.place(&order(guest.id, &product), None).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_replays_an_order_to_its_owner_only() {
    let mut stack = Stack::start().await;
    let product = stack.a_product(100).await;
    let (ann, bob) = (Member::join(&stack, "ann").await, Member::join(&stack, "bob").await);
    let (new, key) = (order(ann.user.id, &product), IdempotencyKey::parse("k-1").expect("a key"));
    let first = ann.client.place(&new, Some(&key)).await.expect("places").order;
    assert_eq!(code(stack.anyone().place(&new, Some(&key)).await), Code::Unauthenticated);
    assert_eq!(code(bob.client.place(&new, Some(&key)).await), Code::Forbidden);
    stack.end(Role::User).await;
    let again = ann.client.place(&new, Some(&key)).await.expect("replays");
    assert_eq!((again.order.id, again.replayed), (first.id, true));
    for stranger in [&stack.anyone(), &bob.client] {
        assert_eq!(code(stranger.place(&new, Some(&key)).await), Code::DependencyDown);
    }
    assert_eq!(stack.stock(&product).await, 99);
}
