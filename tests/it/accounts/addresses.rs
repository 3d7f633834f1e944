//! An e-mail address is one address however it is written: when registering, logging in, looking up, and in the
//! logins that the command line keeps.

use ordersys_contract::Role;
use ordersys_contract::client::{Client, UserFilter};
use ordersys_contract::session::NewSession;
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Code, Password};
use ordersys_store::rusqlite::{Connection, params};
use ordersys_testkit::command::login::{accounts, log_in, register, with_input};
use ordersys_testkit::{Project, Stack};

const PASSWORD: &str = "correct horse battery";

/// The same address in ways that people and programs write it.
const FORMS: [[&str; 4]; 3] = [
    ["Carol@Example.com", "carol@example.com", " CAROL@EXAMPLE.COM ", "\u{ff43}arol@example.com."],
    [
        "Jos\u{e9}@Example.com",
        "jose\u{301}@example.com",
        "JOSE\u{301}@example.com",
        "jos\u{e9}@EXAMPLE\u{3002}COM",
    ],
    ["a@b\u{fc}cher.example", "a@xn--bcher-kva.example", "A@bu\u{308}cher.example", "a@B\u{dc}CHER.EXAMPLE"],
];

fn login(email: &str) -> NewSession {
    NewSession { email: email.to_owned(), password: Password::new(PASSWORD) }
}

async fn listed(admin: &Client, email: &str) -> Vec<User> {
    let filter = UserFilter { email: Some(email), ..UserFilter::default() };
    admin.users(&filter).await.expect("lists").items
}

fn registered(email: &str) -> NewUser {
    NewUser::registered("Ann", email, Password::new(PASSWORD))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_is_one_account_however_it_is_written() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    for forms in FORMS {
        let user = admin.create_user(&registered(forms[0])).await.expect("registers");
        assert_eq!(user.email, forms[0], "it is shown as it was written");
        let guest =
            stack.anyone().create_user(&NewUser::guest("Guest", forms[1])).await.expect("a guest may");
        for form in forms {
            let taken = admin.create_user(&registered(form)).await.expect_err(form);
            assert_eq!(taken.problem().map(|problem| problem.code), Some(Code::EmailTaken), "{form}");
            let session = stack.anyone().log_in(&login(form)).await.expect("logs in");
            assert_eq!(session.user_id, user.id, "{form}");
            let found = listed(&admin, form).await;
            assert_eq!(found.iter().map(|user| user.id).collect::<Vec<_>>(), [user.id, guest.id], "{form}");
        }
    }
    let none = listed(&admin, "nobody@example.com").await;
    assert!(none.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_looks_like_an_address_is_refused() {
    let stack = Stack::start().await;
    for (email, why) in [
        ("a\u{200b}@example.com", "U+200B"),
        ("a@exam\u{ad}ple.com", "U+00AD"),
        ("\u{202e}a@example.com", "U+202E"),
        ("a\u{ff20}b@example.com", "name@host"),
        ("a b@example.com", "name@host"),
        ("a@xn--a.example", "domain"),
    ] {
        for password in ["", r#","password":"correct horse battery""#] {
            let body = format!(r#"{{"name":"A","email":"{email}"{password}}}"#);
            let answer = stack.send_as_admin(Role::User, "POST", "/users", Some(&body)).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-field"), "{email:?}: {}", answer.body);
            assert_eq!(answer.body["field"], "email");
            assert!(
                answer.body["detail"].as_str().is_some_and(|detail| detail.contains(why)),
                "{}",
                answer.body
            );
        }
        let refused = stack.anyone().log_in(&login(email)).await.expect_err("no such account");
        assert_eq!(
            refused.problem().map(|problem| problem.code),
            Some(Code::InvalidCredentials),
            "{email:?}"
        );
    }
    let answer = stack.send_as_admin(Role::User, "GET", "/users?email=abc", None).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid-query"), "{}", answer.body);
    assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.contains("`abc`")), "{}", answer.body);
}

/// Puts the store back to what an earlier version left: other forms of addresses, and two accounts whose addresses
/// are one by now.
fn age(stack: &Stack, later: &str) {
    let store = Connection::open(stack.data_dir().join("user").join("user.db")).expect("opens");
    let before =
        "UPDATE user SET address = NULL, login = CASE WHEN login IS NULL THEN NULL ELSE lower(email) END";
    store.execute(before, []).expect("writes");
    let (email, form) = ("jose\u{301}@example.com", "jose\u{301}@example.com");
    let other = "UPDATE user SET email = ?2, login = ?3 WHERE email = ?1";
    assert_eq!(store.execute(other, params![later, email, form]).expect("writes"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_earlier_versions_are_all_still_reached() {
    let mut stack = Stack::start_on_files().await;
    let (admin, anyone) = (stack.admin(), stack.anyone());
    let first = admin.create_user(&registered("jos\u{e9}@example.com")).await.expect("registers");
    let later = admin.create_user(&registered("later@example.com")).await.expect("registers");
    let domain = admin.create_user(&registered("a@b\u{fc}cher.example")).await.expect("registers");
    let guest = anyone.create_user(&NewUser::guest("Guest", "\u{c9}va@example.com")).await.expect("creates");
    stack.end(Role::User).await;
    age(&stack, "later@example.com");
    stack.begin(Role::User).await;
    for (form, user) in [
        ("jos\u{e9}@example.com", first.id),
        ("JOS\u{c9}@example.com", first.id),
        ("jose\u{301}@example.com", later.id),
        ("a@xn--bcher-kva.example", domain.id),
        ("A@B\u{dc}CHER.example", domain.id),
    ] {
        assert_eq!(anyone.log_in(&login(form)).await.expect(form).user_id, user, "{form}");
    }
    let both = listed(&admin, "Jose\u{301}@example.com").await;
    assert_eq!(both.iter().map(|user| user.id).collect::<Vec<_>>(), [first.id, later.id]);
    let found = listed(&admin, "\u{e9}va@example.com").await;
    assert_eq!(found.iter().map(|user| user.id).collect::<Vec<_>>(), [guest.id]);
    let taken = admin.create_user(&registered("JOSE\u{301}@example.com")).await.expect_err("is taken");
    assert_eq!(taken.problem().map(|problem| problem.code), Some(Code::EmailTaken));
}

#[test]
fn the_command_line_knows_one_account_by_all_forms() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    for forms in FORMS {
        register(&project, forms[0]).ok();
        for form in forms {
            log_in(&project, form).ok();
            let id = project.run(&["user", "get", form, "--as", "admin"]).ok().data["id"].clone();
            assert_eq!(project.run(&["user", "get", "--as", form]).ok().data["id"], id, "{form}");
            let placed = project.run(&["order", "place", "--user", form, "--item", "USB-C Hub=1"]).ok();
            assert_eq!(placed.data["userId"], id, "{form}");
        }
    }
    let kept = accounts(&project);
    assert_eq!(kept["accounts"].as_array().map(Vec::len), Some(FORMS.len()), "a login of each: {kept}");
    let wrong = with_input(
        &project,
        &["user", "login", "a\u{200b}@b", "--password-stdin"],
        "correct horse battery\n",
    );
    assert_eq!(wrong.code, Some(1), "{}", wrong.said);
    project.run(&["user", "logout", "--as", FORMS[0][1]]).ok();
    assert_eq!(accounts(&project)["accounts"].as_array().map(Vec::len), Some(FORMS.len() - 1));
}
