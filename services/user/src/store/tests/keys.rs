//! Keys that several instances share.

use std::time::Duration;

use ordersys_chassis::smoothed_clock;
use ordersys_contract::{SessionId, Timestamp, UserId};
use ordersys_token::{Claims, PublicKeys};

use super::{Bed, Temporary};
use crate::KEY_AGE;
use crate::domain::ring::Certainty;
use crate::keys::Keys;
use crate::store::Users;

async fn keys(users: &Users) -> Keys {
    Keys::open(users.home_of_keys(), KEY_AGE).await.expect("opens")
}

/// The names of the keys, the oldest first; those in use and those that are stored.
async fn known(keys: &Keys) -> Vec<String> {
    let evidence = keys.evidence().await;
    assert_eq!(Some(&evidence.used), evidence.stored.as_ref());
    evidence.used.into_iter().map(|key| key.kid).collect()
}

#[tokio::test]
async fn of_instances_that_begin_together_one_makes_the_first_key() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let bed = Bed::postgres().await;
    let others = [bed.another().await, bed.another().await, bed.another().await];
    let [a, b, c] = &others;
    let (one, two, three, four) = tokio::join!(keys(&bed.users), keys(a), keys(b), keys(c));
    let first = known(&one).await;
    assert_eq!(first.len(), 1);
    let now = Timestamp::now();
    for other in [&two, &three, &four] {
        assert_eq!(known(other).await, first);
        let claims = Claims::new(UserId::now(), SessionId::random(), 0, now);
        let token = other.sign(&claims, now).expect("signs");
        let public = PublicKeys::new(&one.public().await);
        assert_eq!(public.verify(token.expose(), now), Ok(claims));
    }
    assert_eq!(bed.run("SELECT count(*) FROM users.signing_key"), "1");
}

#[tokio::test]
async fn a_new_key_is_made_once_known_to_all_and_old_ones_end_together() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let bed = Bed::postgres().await;
    let other = bed.another().await;
    let (one, two) = (keys(&bed.users).await, keys(&other).await);
    let old = known(&one).await;
    bed.run(&format!("UPDATE users.signing_key SET made = made - {}", KEY_AGE.as_millis()));
    let now = smoothed_clock::now();
    let (first, second) = tokio::join!(one.turn(now, Certainty::Sure), two.turn(now, Certainty::Sure));
    first.and(second).expect("turn");
    let both = known(&one).await;
    assert_eq!((both.len(), both.first(), known(&two).await), (2, old.first(), both.clone()));

    // All tokens of the old one have expired.
    let later = Duration::from_mins(20).as_millis();
    bed.run(&format!("UPDATE users.signing_key SET made = made - {later}"));
    one.turn(now.after(Duration::from_mins(1)), Certainty::Sure).await.expect("turns");
    assert_eq!(known(&one).await, both, "the clocks do not agree");
    one.turn(now, Certainty::Unsure).await.expect("turns");
    assert_eq!(known(&one).await, both, "the time may be wrong");
    one.turn(smoothed_clock::now(), Certainty::Sure).await.expect("turns");
    assert_eq!(known(&one).await, both[1..]);
    assert_eq!(known(&two).await, both[1..]);
}

#[tokio::test]
async fn an_instance_that_is_asked_for_keys_looks_for_those_of_others() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let bed = Bed::postgres().await;
    let other = bed.another().await;
    let (one, two) = (keys(&bed.users).await, keys(&other).await);
    bed.run(&format!("UPDATE users.signing_key SET made = made - {}", KEY_AGE.as_millis()));
    one.turn(smoothed_clock::now(), Certainty::Unsure).await.expect("turns");
    let limit = std::time::Instant::now() + Duration::from_secs(20);
    while two.public().await.keys.len() < 2 {
        assert!(std::time::Instant::now() < limit, "the new key is never found");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(one.public().await, two.public().await);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said_without_its_seed() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let bed = Bed::postgres().await;
    bed.run("INSERT INTO users.signing_key(kid, made, seed) VALUES ('k', 0, 'a seed of no use')");
    let refused = Keys::open(bed.users.home_of_keys(), KEY_AGE).await.err().expect("is refused");
    let shown = format!("{refused} {refused:?}");
    assert!(shown.contains("damaged") && !shown.contains("a seed"), "{shown}");
    let said = Temporary::shared().run("postgres", "SELECT 1").expect("the server is well");
    assert_eq!(said, "1");
}
