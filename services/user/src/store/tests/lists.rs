//! Reading users and sessions: by key, in lists, and as records.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use ordersys_chassis::Deadline;
use ordersys_contract::test_data::Cleanup;
use ordersys_contract::user::{User, UserKindName, UserStatus};
use ordersys_contract::{EmailKey, SessionId, TestData, Timestamp, UserId};
use ordersys_store::answers::CommandId;
use ordersys_store::{Add, StoreError};

use super::{Bed, Kept, guest, hash, marked, on_both, register};
use crate::domain::Role;
use crate::store::{Begun, Change, Filter, NewLogin, Reached, Users};

on_both!(
    lists_show_what_their_filters_let_through,
    a_list_goes_through_test_data_in_bounded_steps,
    users_are_found_by_their_addresses,
    the_order_path_gets_an_answer_for_each_id,
    records_say_all_that_is_stored,
    owners_and_the_admin_reach_registered_users,
    of_two_logins_with_one_form_the_first_gets_it,
);

/// A page of so many users.
async fn page(users: &Users, filter: Filter, limit: usize) -> (Vec<UserId>, Option<UserId>) {
    let add: Add<Vec<UserId>, User> = Box::new(move |page: &mut Vec<UserId>, user: User| {
        page.push(user.id);
        if page.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    users.list(filter, Vec::new(), add).await.expect("lists")
}

async fn lists_show_what_their_filters_let_through(bed: &Bed) {
    let users = &bed.users;
    let (ann, bob, test) = (guest("ann@example.com"), guest("Bob@Example.com"), marked("ann@example.com"));
    for user in [&ann, &bob, &test] {
        assert!(users.insert(user.clone(), None).await.expect("stores"));
    }
    let list = async |test, email: Option<&str>, after| {
        let address = email.map(|email| EmailKey::of(email).expect("an address"));
        page(users, Filter { address, test, after }, 10).await
    };
    assert_eq!(list(TestData::Exclude, None, None).await, (vec![ann.id, bob.id], None));
    assert_eq!(list(TestData::Include, None, None).await, (vec![ann.id, bob.id, test.id], None));
    assert_eq!(list(TestData::Only, None, None).await, (vec![test.id], None));
    assert_eq!(list(TestData::Include, Some("ANN@example.com"), None).await.0, [ann.id, test.id]);
    assert_eq!(list(TestData::Exclude, Some("bob@example.com"), None).await.0, [bob.id]);
    assert_eq!(list(TestData::Only, Some("bob@example.com"), None).await.0, []);
    assert_eq!(list(TestData::Include, None, Some(ann.id)).await.0, [bob.id, test.id]);
    assert_eq!(page(users, Filter::default(), 1).await, (vec![ann.id], None), "the page is full");
}

/// More test data than one step goes through, with a few users in between.
async fn a_list_goes_through_test_data_in_bounded_steps(bed: &Bed) {
    let random = match bed.kept {
        Kept::Directory(_) => "randomblob(16)",
        Kept::Database(_) => "gen_random_uuid()",
    };
    bed.run(&format!(
        "INSERT INTO users.user(id, name, former_names, email, created_at, test)
         WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 12000)
         SELECT {random}, 'x', '[]', 'x@example.com', 0, n % 400 <> 0 FROM row"
    ));
    for (test, expected) in [(TestData::Exclude, 30), (TestData::Include, 12_000), (TestData::Only, 11_970)] {
        let (found, left) = page(&bed.users, Filter { test, ..Filter::default() }, 20_000).await;
        assert_eq!((found.len(), left), (expected, None), "{test:?}");
        assert!(found.is_sorted(), "{test:?}: each once, in order");
    }
}

async fn users_are_found_by_their_addresses(bed: &Bed) {
    let users = &bed.users;
    let (ann, old) =
        (register(users, "ann@example.com").await, register(users, "\u{e4}nn@example.com").await);
    let find = async |first: &str, second: &str| {
        let found = users.by_login([first.to_owned(), second.to_owned()]).await.expect("is asked");
        found.map(|account| account.id)
    };
    assert_eq!(find("ann@example.com", "ann@example.com").await, Some(ann));
    assert_eq!(find("\u{e4}nn@example.com", "ann@example.com").await, Some(old), "the first form counts");
    assert_eq!(find("nobody", "ann@example.com").await, Some(ann));
    assert_eq!(find("nobody", "nobody\0").await, None);
    let network = IpAddr::from([10, 0, 0, 0]);
    assert!(!users.logged_in_from("ann@\0".to_owned(), network).await.expect("is asked"));
    assert!(!users.logged_in_from("ann@example.com".to_owned(), network).await.expect("is asked"));
    let account = users.account(ann).await.expect("is asked").expect("is there");
    assert_eq!((account.email.as_str(), account.password), ("ann@example.com", hash("old")));
    let guest = guest("guest@example.com");
    assert!(users.insert(guest.clone(), None).await.expect("stores"));
    assert!(users.account(guest.id).await.expect("is asked").is_none(), "a guest has no account");
}

async fn the_order_path_gets_an_answer_for_each_id(bed: &Bed) {
    let users = &bed.users;
    let (ann, test) = (register(users, "ann@example.com").await, marked("test@example.com"));
    assert!(users.insert(test.clone(), None).await.expect("stores"));
    users.set_status(ann, UserStatus::Disabled).await.expect("disables");
    let ids = vec![test.id, UserId::now(), ann, test.id];
    let found = users.summaries(ids, Deadline(None)).await.expect("reads");
    let found: Vec<_> = found.iter().map(|user| user.as_ref().map(|user| (user.kind, user.status))).collect();
    let (guest, registered) =
        ((UserKindName::Guest, UserStatus::Active), (UserKindName::Registered, UserStatus::Disabled));
    assert_eq!(found, [Some(guest), None, Some(registered), Some(guest)]);
    let late = users.summaries(vec![UserId::now()], Deadline(Some(Instant::now()))).await;
    assert!(matches!(late, Err(StoreError::Late)), "{late:?}");
    // Who was looked up stays.
    let step = Cleanup { older_than: 1, after: None };
    let cleaned = users.clean_up(CommandId::now(), step).await.expect("cleans");
    assert_eq!((cleaned.removed, cleaned.kept, cleaned.young), (0, 1, 0));
}

async fn records_say_all_that_is_stored(bed: &Bed) {
    let users = &bed.users;
    let ann = register(users, "ann@example.com").await;
    let start = Timestamp::from_millis(1_000);
    let login = NewLogin {
        user: ann,
        checked: hash("old"),
        better: None,
        session: SessionId::random(),
        network: IpAddr::from([10, 0, 0, 0]),
        token: [7; 32],
        now: start,
        expires: start.after(Duration::from_secs(1)),
    };
    let begun = users.begin_session(login.clone()).await.expect("begins");
    assert!(matches!(begun, Begun::Done { epoch: 0 }));
    let name = Some("Ann Lee".to_owned());
    users
        .change(ann, Role::Admin, Change { command: CommandId::now(), name, password: None })
        .await
        .expect("renames");
    let [record] = &users.records(None, 10).await.expect("reads")[..] else { panic!("one user") };
    assert_eq!(
        (record.name.as_str(), record.former_names.clone()),
        ("Ann Lee", vec![Some("Ada".to_owned())])
    );
    assert_eq!((record.login.as_deref(), record.kind), (Some("ann@example.com"), UserKindName::Registered));
    assert_eq!((record.address.as_deref(), record.has_password), (Some("ann@example.com"), false));
    assert_eq!(users.records(Some(ann), 10).await.expect("reads"), []);
    let found = users.records_of(vec![UserId::now(), ann]).await.expect("reads");
    assert_eq!(found, [None, Some(record.clone())]);
    let [session] = &users.sessions(None, 10).await.expect("reads")[..] else { panic!("one session") };
    assert_eq!((session.id, session.user_id, session.expires_at), (login.session, ann, login.expires));
    assert_eq!((session.kind, session.status), (Some(UserKindName::Registered), Some(UserStatus::Active)));
    assert_eq!(users.newest().await.expect("reads"), Some(Timestamp::from_millis(0)));
    assert_eq!(users.unowned_networks().await.expect("reads"), []);
    bed.run("DELETE FROM users.user");
    assert_eq!(users.unowned_networks().await.expect("reads"), [ann]);
    let [session] = &users.sessions(None, 10).await.expect("reads")[..] else { panic!("one session") };
    assert_eq!((session.kind, session.status, session.user_created_at), (None, None, None));
    assert_eq!(users.newest().await.expect("reads"), None);
}

async fn owners_and_the_admin_reach_registered_users(bed: &Bed) {
    let users = &bed.users;
    let (ann, guest) = (register(users, "ann@example.com").await, guest("guest@example.com"));
    assert!(users.insert(guest.clone(), None).await.expect("stores"));
    let get = async |id, role| match users.get(id, role).await.expect("reads") {
        Reached::Done(user) => {
            assert_eq!(user.id, id);
            "reached"
        }
        Reached::NotFound => "none",
        Reached::Revoked => "revoked",
    };
    let roles = [Role::Admin, Role::Owner(0), Role::Owner(1), Role::Stranger];
    for (role, expected) in roles.into_iter().zip(["reached", "reached", "revoked", "none"]) {
        assert_eq!(get(ann, role).await, expected, "{role:?}");
    }
    assert_eq!(
        (get(guest.id, Role::Stranger).await, get(UserId::now(), Role::Admin).await),
        ("reached", "none")
    );
    let rename =
        |name: &str| Change { command: CommandId::now(), name: Some(name.to_owned()), password: None };
    for (role, name) in [(Role::Stranger, "x"), (Role::Owner(1), "x"), (Role::Owner(0), "Ann")] {
        users.change(ann, role, rename(name)).await.expect("is asked");
    }
    let wrong = Change { password: Some((hash("not it"), hash("x"))), ..rename("y") };
    let refused = users.change(ann, Role::Admin, wrong).await.expect("is asked");
    assert!(matches!(refused, Reached::Done(None)), "{refused:?}");
    let Reached::Done(user) = users.get(ann, Role::Owner(0)).await.expect("reads") else {
        panic!("is there")
    };
    assert_eq!(user.name, "Ann");
}

async fn of_two_logins_with_one_form_the_first_gets_it(bed: &Bed) {
    let users = &bed.users;
    let mut ids = Vec::new();
    for email in ["ANN@example.com", "Ann@example.com", "bob@EXAMPLE.com"] {
        ids.push(register(users, email).await);
    }
    let bob = register(users, "bob@example.com").await;
    bed.run("UPDATE users.user SET address = NULL WHERE login <> 'bob@example.com'");
    users.complete_addresses().await.expect("completes");
    let records = users.records(None, 10).await.expect("reads");
    let logins: Vec<_> = records.iter().filter_map(|record| record.login.as_deref()).collect();
    assert_eq!(logins, ["ann@example.com", "Ann@example.com", "bob@EXAMPLE.com", "bob@example.com"]);
    assert!(records.iter().all(|record| record.address.as_deref() == Some(&record.address_form)));
    assert_eq!((records[0].id, records[3].id), (ids[0], bob));
}
