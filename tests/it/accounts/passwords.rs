//! Registering, and passwords that are weak, wrong or guessed.

use std::time::Instant;

use ordersys_contract::Role;
use ordersys_testkit::Stack;
use ordersys_testkit::stack::member::Member;

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
    let (path, bearer) = (format!("/users/{}", ann.user.id), ann.bearer());
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    for (body, status, code) in [
        (r#"{"email":"b@example.com"}"#, 400, "unknown-field"),
        (r#"{"status":"disabled"}"#, 400, "unknown-field"),
        (r#"{"role":"admin"}"#, 400, "unknown-field"),
        (r#"{"name":""}"#, 400, "invalid-field"),
        ("{}", 400, "missing-field"),
    ] {
        let answer = stack.send_with(Role::User, "PATCH", &path, &headers, Some(body.to_owned())).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}: {}", answer.body);
    }
    let items = r#"[{"productId":"p","quantity":1}]"#;
    for member in [r#""status":"paid""#, r#""total":1"#, r#""userName":"Bob""#, r#""price":1"#] {
        let body = format!(r#"{{"userId":"{}","items":{items},{member}}}"#, ann.user.id);
        let answer = stack.send_with(Role::Order, "POST", "/orders", &headers, Some(body)).await;
        assert_eq!((answer.status, answer.code()), (400, "unknown-field"), "{member}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_slowed_before_it_costs_anything() {
    let stack = Stack::start().await;
    let body = r#"{"email":"nobody@example.com","password":"guess guess"}"#;
    let guess = || stack.send(Role::User, "POST", "/sessions", Some(body));
    let began = Instant::now();
    let answers = futures_util::future::join_all((0..14).map(|_| guess())).await;
    let regained = usize::try_from(began.elapsed().as_secs() / 6).expect("few");
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    let expected = 4_usize.saturating_sub(regained)..=4;
    assert!(expected.contains(&refused.len()), "ten in a row, one more in six seconds: {}", refused.len());
    for answer in refused {
        assert_eq!(answer.code(), "too-many-requests");
        let seconds: u32 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=6).contains(&seconds), "{seconds}");
    }
    let other = r#"{"email":"somebody@example.com","password":"guess guess"}"#;
    let answer = stack.send(Role::User, "POST", "/sessions", Some(other)).await;
    assert_eq!(answer.status, 401, "other accounts are not slowed");
}
