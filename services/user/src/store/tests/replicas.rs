//! Several instances of the service on one database.

use std::net::IpAddr;
use std::time::Duration;

use ordersys_chassis::Deadline;
use ordersys_contract::test_data::Cleanup;
use ordersys_contract::user::UserStatus;
use ordersys_contract::{SessionId, Timestamp, UserId};
use ordersys_store::answers::CommandId;

use super::{Bed, hash, marked, register, registered};
use crate::domain::Role;
use crate::store::{Begun, Change, NewLogin, Reached, Rotated, Rotation, Users};

const START: Timestamp = Timestamp::from_millis(1_000_000);
const DAY: Duration = Duration::from_hours(24);

fn login(user: UserId, number: u8) -> NewLogin {
    NewLogin {
        user,
        checked: hash("old"),
        better: None,
        session: SessionId::random(),
        network: IpAddr::from([10, 0, number, 0]),
        token: [number; 32],
        now: START,
        expires: START.after(DAY),
    }
}

fn rotation(login: &NewLogin, new: u8) -> Rotation {
    Rotation {
        command: CommandId::now(),
        session: login.session,
        old: login.token,
        new: [new; 32],
        now: START,
        expires: START.after(DAY),
    }
}

async fn epoch(users: &Users, id: UserId) -> u64 {
    let found = users.summaries(vec![id], Deadline(None)).await.expect("reads");
    found[0].as_ref().expect("is there").token_epoch
}

#[tokio::test]
async fn what_one_instance_changes_the_others_know_at_once() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let bed = Bed::postgres().await;
    let (one, two) = (&bed.users, bed.another().await);
    let ann = register(one, "ann@example.com").await;
    assert_eq!((epoch(one, ann).await, epoch(&two, ann).await), (0, 0));
    two.set_status(ann, UserStatus::Disabled).await.expect("disables");
    assert_eq!(epoch(one, ann).await, 1);
    let begun = one.begin_session(login(ann, 1)).await.expect("is asked");
    assert!(matches!(begun, Begun::Disabled));
}

#[tokio::test]
async fn of_two_registrations_with_one_address_one_is_made() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let bed = Bed::postgres().await;
    let (one, two) = (&bed.users, bed.another().await);
    for number in 0..20 {
        let email = format!("ann{number}@example.com");
        let [(a, first), (b, second)] = [registered(&email), registered(&email)];
        let (a, b) = tokio::join!(one.insert(a, Some(first)), two.insert(b, Some(second)));
        assert!(a.expect("is asked") != b.expect("is asked"), "{email}");
    }
}

#[tokio::test]
async fn a_token_that_two_instances_get_at_once_is_good_once() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let bed = Bed::postgres().await;
    let (one, two) = (&bed.users, bed.another().await);
    let ann = register(one, "ann@example.com").await;
    let login = login(ann, 1);
    one.begin_session(login.clone()).await.expect("begins");
    let (a, b) = tokio::join!(one.rotate(rotation(&login, 2)), two.rotate(rotation(&login, 3)));
    let (a, b) = (a.expect("is asked"), b.expect("is asked"));
    let ways = [&a, &b].map(|rotated| match rotated {
        Rotated::Done { .. } => 1,
        Rotated::Reused { .. } => 10,
        Rotated::Ended => 100,
    });
    assert_eq!(ways.iter().sum::<i32>(), 11, "{a:?} {b:?}");
    assert_eq!(epoch(one, ann).await, 1);
    assert_eq!(bed.run("SELECT count(*) FROM users.session"), "0");
}

/// Everything at once that locks users and sessions, by two instances: nothing waits for itself, and nothing is lost.
#[tokio::test]
async fn sessions_that_begin_change_and_are_swept_at_once() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let bed = Bed::postgres().await;
    let (one, two) = (bed.users.clone(), bed.another().await);
    let mut ids = Vec::new();
    for name in ["ann", "bob", "cid", "dan"] {
        ids.push(register(&one, &format!("{name}@example.com")).await);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40_u8 {
        let users = if number % 2 == 0 { one.clone() } else { two.clone() };
        let user = ids[usize::from(number) / 2 % ids.len()];
        tasks.spawn(async move {
            let login = login(user, number);
            let begun = users.begin_session(login.clone()).await.expect("is asked");
            assert!(matches!(begun, Begun::Done { .. }), "{begun:?}");
            users.rotate(rotation(&login, number + 100)).await.expect("is asked");
            users.forget_expired(START.after(DAY)).await.expect("sweeps");
            users.shorten(START, START.after(DAY / 2)).await.expect("sweeps");
            users.end_session(login.session, user, 0).await.expect("is asked");
            let change =
                Change { command: CommandId::now(), name: Some(format!("Ann {number}")), password: None };
            let changed = users.change(user, Role::Admin, change).await.expect("is asked");
            assert!(matches!(changed, Reached::Done(Some(_))), "{changed:?}");
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("does not fail");
    }
    let records = one.records_of(ids).await.expect("reads");
    let names: Vec<_> = records.iter().flatten().map(|user| user.former_names.len()).collect();
    assert_eq!(names, [10; 4], "no name is lost");
}

/// Test data is removed by one instance while the other one looks it up: who was found stays, who is gone was not.
#[tokio::test]
async fn who_was_found_for_an_order_is_not_removed() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let bed = Bed::postgres().await;
    let (one, two) = (bed.users.clone(), bed.another().await);
    for round in 0..10 {
        let mut lookups = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let (user, two) = (marked("test@example.com"), two.clone());
            assert!(one.insert(user.clone(), None).await.expect("stores"));
            lookups.spawn(async move { two.summaries(vec![user.id], Deadline(None)).await.expect("reads") });
        }
        let mut found = Vec::new();
        for _ in 0..round {
            found.extend(lookups.join_next().await);
        }
        let step = Cleanup { older_than: 1, after: None };
        let cleaned = one.clean_up(CommandId::now(), step).await.expect("cleans");
        while let Some(summaries) = lookups.join_next().await {
            found.push(summaries);
        }
        let found = found.into_iter().flat_map(|summaries| summaries.expect("does not fail"));
        let mut found: Vec<_> = found.flatten().map(|user| user.id).collect();
        let records = one.records(None, 1_000).await.expect("reads");
        assert_eq!(records.len() as u64 + cleaned.removed, 40);
        let mut left: Vec<_> = records.into_iter().map(|user| user.id).collect();
        found.sort();
        left.sort();
        assert_eq!(found, left);
        bed.run("DELETE FROM users.user");
    }
}

#[tokio::test]
async fn sessions_with_the_server_that_end_lose_no_answer() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let bed = Bed::postgres().await;
    let users = &bed.users;
    let ann = register(users, "ann@example.com").await;
    for number in 0..5 {
        bed.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        let begun = users.begin_session(login(ann, number)).await.expect("begins");
        assert!(matches!(begun, Begun::Done { epoch: 0 }), "{begun:?}");
        assert_eq!(epoch(users, ann).await, 0);
    }
    assert_eq!(bed.run("SELECT count(*) FROM users.session"), "5");
}
