//! No stranger can keep an owner from logging in: tries count by the network they come from. Loopback has
//! networks enough: each 127.0.N.0/24 is one.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use ordersys_contract::Role;
use ordersys_testkit::stack::member::{Member, PASSWORD};
use ordersys_testkit::{LIMIT, Stack, quiet};

/// A caller in a network.
fn from(network: u8) -> reqwest::Client {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, network, 1));
    reqwest::Client::builder().local_address(address).timeout(LIMIT).build().expect("a client")
}

async fn log_in(stack: &Stack, caller: &reqwest::Client, password: &str) -> u16 {
    let body = format!(r#"{{"email":"ann@example.com","password":"{password}"}}"#);
    let request = caller.post(format!("{}/sessions", stack.url(Role::User)));
    let request = request.header("content-type", "application/json").body(body);
    request.send().await.expect("answers").status().as_u16()
}

/// Guesses until the network is refused; how many were looked at.
async fn guess(stack: &Stack, network: u8, times: u32) -> u32 {
    let caller = from(network);
    let guesses = (0..times).map(|_| log_in(stack, &caller, "a wrong guess"));
    let answers = join_all(guesses).await;
    assert!(answers.iter().all(|status| matches!(status, 401 | 429)), "{answers:?}");
    answers.into_iter().map(|status| u32::from(status == 401)).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_from_elsewhere_do_not_keep_the_owner_out() {
    let _turn = quiet().await;
    let mut stack = Stack::start().await;
    let ann = Member::join(&stack, "ann").await;
    let looked_at = guess(&stack, 1, 15).await;
    assert!((10..=13).contains(&looked_at), "one network: {looked_at}");
    assert_eq!(log_in(&stack, &from(1), PASSWORD).await, 429, "it has had its tries");
    assert_eq!(log_in(&stack, &from(2), PASSWORD).await, 201, "the owner, from home");

    // Many networks at once meet a limit together: sixty tries, and one more every two seconds.
    let began = Instant::now();
    let guesses = (10..18).map(|network| guess(&stack, network, 11));
    let looked_at: u32 = join_all(guesses).await.into_iter().sum();
    assert!((40..80).contains(&looked_at), "{looked_at}");
    let strangers: Vec<_> = (30..40).map(from).collect();
    let tries = strangers.iter().map(|stranger| log_in(&stack, stranger, PASSWORD));
    let answers = join_all(tries).await;
    let let_in = answers.iter().filter(|status| **status == 201).count() as u64;
    let most = 61 + began.elapsed().as_secs() / 2;
    let all = u64::from(looked_at) + let_in;
    assert!(
        all <= most && let_in < 10,
        "networks without an earlier login: {all}, at most {most}: {answers:?}"
    );
    assert_eq!(log_in(&stack, &from(2), PASSWORD).await, 201, "home is known");
    // Also to a service that has just started, to which strangers come first.
    stack.end(Role::User).await;
    stack.begin(Role::User).await;
    join_all((20..28).map(|network| guess(&stack, network, 11))).await;
    assert_eq!(log_in(&stack, &from(2), PASSWORD).await, 201, "home is known after a restart");
    // A living session needs no login, and its owner may change the password.
    let body = format!(r#"{{"password":"another good one","currentPassword":"{PASSWORD}"}}"#);
    let request = from(1).patch(format!("{}/users/{}", stack.url(Role::User), ann.user.id));
    let request =
        request.header("content-type", "application/json").bearer_auth(ann.session.access_token.expose());
    let changed = request.body(body).timeout(Duration::from_secs(20)).send().await.expect("answers");
    assert_eq!(changed.status().as_u16(), 200, "from the very network that guesses");
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_with_a_foreign_address_does_not_spend_its_tries() {
    let stack = Stack::start().await;
    let _ann = Member::join(&stack, "ann").await;
    let body = r#"{"name":"Eve","email":"ann@example.com","password":"some password"}"#;
    for _ in 0..12 {
        let answer = stack.send(Role::User, "POST", "/users", Some(body)).await;
        assert_eq!((answer.status, answer.code()), (409, "email-taken"));
    }
    assert_eq!(log_in(&stack, &from(0), PASSWORD).await, 201, "from the same network, too");
}
