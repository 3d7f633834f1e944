//! Accounts through the front door: registering, sessions, and whose orders are whose.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ordersys_contract::Role;
use ordersys_contract::client::OrderFilter;
use ordersys_contract::order::{NewLine, NewOrder};
use ordersys_contract::product::Product;
use ordersys_contract::session::{RefreshSession, Session};
use ordersys_contract::user::UserPatch;
use ordersys_contract::{Client, ClientError, Code, IdempotencyKey, Password, Quantity, UserId};
use ordersys_testkit::stack::member::{Member, PASSWORD, client, log_in};
use ordersys_testkit::{Answer, Stack};

fn order(user: UserId, product: &Product) -> NewOrder {
    let quantity = Quantity::new(1).expect("in range");
    let items = vec![NewLine { product_id: product.id.to_string(), quantity }];
    NewOrder { user_id: user.to_string(), items }
}

fn code<T>(result: Result<T, ClientError>) -> Code {
    let error = result.err().expect("is refused");
    error.problem().unwrap_or_else(|| panic!("{error}")).code
}

async fn send_as(stack: &Stack, member: &Member, role: Role, call: (&str, &str), body: &str) -> Answer {
    let bearer = member.bearer();
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    stack.send_with(role, call, &headers, Some(body.to_owned())).await
}

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
    assert_eq!(code(ann.client.users(None).await), Code::Forbidden);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_no_account_look_and_work_alike() {
    let stack = Stack::start().await;
    let ann = Member::join(&stack, "ann").await;
    let hashes = async || {
        let metrics = stack.send(Role::User, "GET", "/metrics", None).await;
        let text = metrics.body.as_str().expect("text").to_owned();
        let line = text.lines().find(|line| line.starts_with("ordersys_password_hashes_total"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).expect("a count")
    };
    let attempt = async |email: &str| {
        let body = format!(r#"{{"email":"{email}","password":"wrong horse"}}"#);
        let before = hashes().await;
        let answer = stack.send(Role::User, "POST", "/sessions", Some(&body)).await;
        let mut shown = answer.body.clone();
        shown["requestId"] = "same".into();
        (answer.status, answer.header("www-authenticate").to_owned(), shown, hashes().await - before)
    };
    let wrong = attempt(&ann.user.email).await;
    let unknown = attempt("nobody@example.com").await;
    assert_eq!(wrong, unknown);
    let guest = stack.a_user().await;
    assert_eq!(attempt(&guest.email).await, unknown, "guests have no account");
    assert_eq!((wrong.0, wrong.1.as_str(), wrong.3), (401, "Bearer", 1));
    assert_eq!(wrong.2["code"], "invalid-credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_is_strict() {
    let stack = Stack::start().await;
    let ann = Member::join(&stack, "ann").await;
    let user = |rest: &str| format!(r#"{{"name":"X","email":"x@example.com",{rest}}}"#);
    let long = format!(r#""password":"{}""#, "ab".repeat(65));
    let taken = r#"{"name":"X","email":" ANN@Example.com","password":"correct horse"}"#.to_owned();
    for (path, body, status, code) in [
        ("/users", user(r#""password":"7 bytes""#), 400, "weak-password"),
        ("/users", user(&long), 400, "weak-password"),
        ("/users", user(r#""password":"password""#), 400, "weak-password"),
        ("/users", user(r#""password":"X@example.COM""#), 400, "weak-password"),
        ("/users", user(r#""password":null"#), 400, "invalid-field"),
        ("/users", user(r#""password":12345678"#), 400, "invalid-field"),
        ("/users", user(r#""role":"admin""#), 400, "unknown-field"),
        ("/users", user(r#""kind":"registered""#), 400, "unknown-field"),
        ("/users", user(r#""status":"active""#), 400, "unknown-field"),
        ("/users", user(r#""tokenEpoch":7"#), 400, "unknown-field"),
        ("/users", user(r#""id":"00000000-0000-0000-0000-000000000000""#), 400, "unknown-field"),
        ("/users", taken, 409, "email-taken"),
        ("/sessions", r#"{"email":"a@b","password":"x","role":"admin"}"#.to_owned(), 400, "unknown-field"),
        ("/sessions", r#"{"email":"a@b"}"#.to_owned(), 400, "missing-field"),
        ("/sessions", r#"{"email":"a@b","password":"x","password":"y"}"#.to_owned(), 400, "invalid-field"),
        (
            "/sessions",
            format!(r#"{{"email":"a@b","password":"{}"}}"#, "x".repeat(5000)),
            413,
            "body-too-large",
        ),
        ("/sessions/refresh", r#"{"refreshToken":7}"#.to_owned(), 400, "invalid-field"),
        ("/sessions/refresh", "{}".to_owned(), 400, "missing-field"),
    ] {
        let answer = stack.send(Role::User, "POST", path, Some(&body)).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body:.100}: {}", answer.body);
        assert!(!answer.body.to_string().contains("12345678"), "{}", answer.body);
    }
    let path = format!("/users/{}", ann.user.id);
    for (body, status, code) in [
        (r#"{"email":"b@example.com"}"#, 400, "unknown-field"),
        (r#"{"status":"disabled"}"#, 400, "unknown-field"),
        (r#"{"role":"admin"}"#, 400, "unknown-field"),
        (r#"{"name":""}"#, 400, "invalid-field"),
        ("{}", 400, "missing-field"),
    ] {
        let answer = send_as(&stack, &ann, Role::User, ("PATCH", &path), body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}: {}", answer.body);
    }
    let items = r#"[{"productId":"p","quantity":1}]"#;
    for member in [r#""status":"paid""#, r#""total":1"#, r#""userName":"Bob""#, r#""price":1"#] {
        let body = format!(r#"{{"userId":"{}","items":{items},{member}}}"#, ann.user.id);
        let answer = send_as(&stack, &ann, Role::Order, ("POST", "/orders"), &body).await;
        assert_eq!((answer.status, answer.code()), (400, "unknown-field"), "{member}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_slowed_before_it_costs_anything() {
    let stack = Stack::start().await;
    let body = r#"{"email":"nobody@example.com","password":"guess guess"}"#;
    let guess = || stack.send(Role::User, "POST", "/sessions", Some(body));
    let answers = futures_util::future::join_all((0..14).map(|_| guess())).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!((3..=4).contains(&refused.len()), "ten in a row, one more in six seconds: {}", refused.len());
    for answer in refused {
        assert_eq!(answer.code(), "too-many-requests");
        let seconds: u32 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=6).contains(&seconds), "{seconds}");
    }
    let other = r#"{"email":"somebody@example.com","password":"guess guess"}"#;
    let answer = stack.send(Role::User, "POST", "/sessions", Some(other)).await;
    assert_eq!(answer.status, 401, "other accounts are not slowed");
}
