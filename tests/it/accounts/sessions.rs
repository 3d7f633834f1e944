//! Sessions: refreshed, ended, and what a new password and disabling do to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ordersys_contract::order::NewOrder;
use ordersys_contract::session::{RefreshSession, Session};
use ordersys_contract::user::UserPatch;
use ordersys_contract::{Client, Code, Password, Role};
use ordersys_testkit::Stack;
use ordersys_testkit::stack::member::{Member, PASSWORD, client, log_in};

use super::{code, order};

#[tokio::test(flavor = "multi_thread")]
async fn a_reused_refresh_token_ends_its_session() {
    let stack = Stack::start().await;
    let ann = Member::join(&stack, "ann").await;
    let other = log_in(&stack, &ann.user.email, PASSWORD).await.expect("logs in again");
    let anyone = stack.anyone();
    let refresh = async |session: &Session| {
        anyone.refresh(&RefreshSession { refresh_token: session.refresh_token.clone() }).await
    };
    let second = refresh(&ann.session).await.expect("rotates");
    let third = refresh(&second).await.expect("rotates again");
    assert_ne!(second.refresh_token, third.refresh_token);
    assert_eq!((third.user_id, third.expires_in), (ann.user.id, 600));
    let product = stack.a_product(10).await;
    let new = order(ann.user.id, &product);
    assert!(client(&stack, &third).place(&new, None).await.is_ok());

    assert_eq!(code(refresh(&second).await), Code::SessionEnded, "used before");
    assert_eq!(code(refresh(&third).await), Code::SessionEnded, "the newest is dead too");
    assert_eq!(code(client(&stack, &third).place(&new, None).await), Code::Unauthenticated);
    let other = refresh(&other).await.expect("another session of hers goes on");
    assert!(client(&stack, &other).place(&new, None).await.is_ok());

    for rubbish in [r#"{"refreshToken":"AAAA"}"#, &format!(r#"{{"refreshToken":"{}"}}"#, "A".repeat(64))] {
        let answer = stack.send(Role::User, "POST", "/sessions/refresh", Some(rubbish)).await;
        assert_eq!((answer.status, answer.code()), (401, "session-ended"), "{}", answer.body);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_one_session_or_all() {
    let stack = Stack::start().await;
    let ann = Member::join(&stack, "ann").await;
    let other = log_in(&stack, &ann.user.email, PASSWORD).await.expect("logs in again");
    let refresh = |session: &Session| RefreshSession { refresh_token: session.refresh_token.clone() };
    ann.client.log_out().await.expect("logs out");
    assert_eq!(code(stack.anyone().refresh(&refresh(&ann.session)).await), Code::SessionEnded);
    let other = stack.anyone().refresh(&refresh(&other)).await.expect("goes on");
    client(&stack, &other).log_out_everywhere().await.expect("logs out");
    assert_eq!(code(stack.anyone().refresh(&refresh(&other)).await), Code::SessionEnded);
    assert_eq!(code(client(&stack, &other).user(ann.user.id).await), Code::Unauthenticated, "revoked");
    assert_eq!(code(client(&stack, &other).log_out().await), Code::Unauthenticated);
    assert_eq!(code(stack.anyone().log_out().await), Code::Unauthenticated);
    assert_eq!(code(stack.admin().log_out().await), Code::Forbidden);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_and_disabling_count_from_the_next_order_on() {
    let stack = Stack::start().await;
    let product = stack.a_product(10).await;
    let ann = Member::join(&stack, "ann").await;
    let new = order(ann.user.id, &product);
    ann.client.place(&new, None).await.expect("places");
    let change = |current: Option<&str>| UserPatch {
        password: Some(Password::new("another horse battery")),
        current_password: current.map(Password::new),
        ..UserPatch::default()
    };
    let id = ann.user.id;
    assert_eq!(code(ann.client.edit_user(id, &change(None)).await), Code::MissingField);
    assert_eq!(code(ann.client.edit_user(id, &change(Some("wrong horse"))).await), Code::WrongPassword);
    ann.client.edit_user(id, &change(Some(PASSWORD))).await.expect("changes");
    assert_eq!(code(ann.client.place(&new, None).await), Code::Unauthenticated);
    let old = RefreshSession { refresh_token: ann.session.refresh_token.clone() };
    assert_eq!(code(stack.anyone().refresh(&old).await), Code::SessionEnded);
    assert_eq!(code(log_in(&stack, &ann.user.email, PASSWORD).await), Code::InvalidCredentials);
    let session = log_in(&stack, &ann.user.email, "another horse battery").await.expect("logs in");
    let ann = client(&stack, &session);
    ann.place(&new, None).await.expect("places");

    assert_eq!(code(ann.disable_user(id).await), Code::Forbidden);
    stack.admin().disable_user(id).await.expect("disables");
    assert_eq!(code(ann.place(&new, None).await), Code::AccountDisabled);
    assert_eq!(code(stack.admin().place(&new, None).await), Code::AccountDisabled);
    assert_eq!(code(log_in(&stack, "ANN@example.com", "another horse battery").await), Code::AccountDisabled);
    stack.admin().enable_user(id).await.expect("enables");
    assert_eq!(code(ann.place(&new, None).await), Code::Unauthenticated, "its tokens stay revoked");
    assert_eq!(stack.stock(&product).await, 8);

    let patch = UserPatch { name: Some("Anna".to_owned()), ..UserPatch::default() };
    assert_eq!(code(stack.anyone().edit_user(id, &patch).await), Code::Unauthenticated);
    let bob = Member::join(&stack, "bob").await;
    assert_eq!(code(bob.client.edit_user(id, &patch).await), Code::NotFound);
    assert_eq!(stack.admin().edit_user(id, &patch).await.expect("edits").name, "Anna");
    let guest = stack.a_user().await;
    stack.admin().disable_user(guest.id).await.expect("disables");
    assert_eq!(code(stack.anyone().place(&order(guest.id, &product), None).await), Code::AccountDisabled);
}

/// What buyers of one user have seen so far.
#[derive(Default)]
struct Buyers {
    orders: AtomicUsize,
    /// Whether the answer that the user is disabled has come.
    is_disabled: AtomicBool,
}

impl Buyers {
    /// Orders one after the other until one that began after the change was answered is rejected.
    async fn order_until_rejected(self: Arc<Self>, client: Client, new: NewOrder) {
        loop {
            let after = self.is_disabled.load(Ordering::SeqCst);
            match client.place(&new, None).await {
                Ok(order) => assert!(!after, "{} began after its user was disabled", order.order.id),
                rejected => {
                    assert_eq!(code(rejected), Code::AccountDisabled);
                    if after {
                        return;
                    }
                }
            }
            self.orders.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disabling_counts_from_the_next_order_on_also_while_many_orders_share_look_ups() {
    let stack = Stack::start().await;
    let product = stack.a_product(1_000_000).await;
    let guest = stack.a_user().await;
    let new = order(guest.id, &product);
    for _ in 0..10 {
        let buyers = Arc::new(Buyers::default());
        let tasks: Vec<_> = (0..24)
            .map(|_| Arc::clone(&buyers).order_until_rejected(stack.anyone(), new.clone()))
            .map(tokio::spawn)
            .collect();
        let busy = async {
            while buyers.orders.load(Ordering::SeqCst) < 100 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), busy).await.expect("orders are placed");
        stack.admin().disable_user(guest.id).await.expect("disables");
        buyers.is_disabled.store(true, Ordering::SeqCst);
        for task in tasks {
            task.await.expect("no order began too late");
        }
        stack.admin().enable_user(guest.id).await.expect("enables");
        stack.anyone().place(&new, None).await.expect("places again");
    }
}
