//! Every write runs twice with the same arguments, as after a commit whose outcome is unknown: the answer is the
//! same, and nothing is written any more.

use std::fmt::Debug;
use std::future::Future;

use http::HeaderMap;
use ordersys_chassis::http::conditional::Condition;
use ordersys_store::answers::CommandId;

use super::*;

cases!(changes_of_the_catalog, changes_of_reservations);

/// Runs a command that writes twice.
async fn twice<T, Done>(tables: &Tables, what: &str, command: impl Fn() -> Done)
where
    T: Debug,
    Done: Future<Output = Result<T, StoreError>>,
{
    let run = async || {
        let answer = command().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        (format!("{answer:?}"), rows(tables).await)
    };
    let before = rows(tables).await;
    let (answer, written) = run().await;
    assert_ne!(before, written, "{what} writes nothing: {answer}");
    assert_eq!(run().await, (answer, written), "{what}");
}

/// All rows of all tables.
async fn rows(tables: &Tables) -> Vec<String> {
    match &tables.0 {
        Backend::Sqlite(tables) => tables.rows().await,
        Backend::Postgres(tables) => tables.rows().await,
    }
}

async fn changes_of_the_catalog(tables: &Tables) {
    let book = product("book", 30);
    let removable = Product { created_at: Timestamp::from_millis(0), test: true, ..product("test", 30) };
    let id = book.id;
    twice(tables, "first products", || tables.seed_once(vec![product("first", 1)])).await;
    twice(tables, "a new product", || tables.insert(book.clone())).await;
    twice(tables, "test data", || tables.insert(removable.clone())).await;
    for units in [3, 4] {
        let addition = Addition { command: CommandId::now(), units };
        twice(tables, "a restock", || tables.restock(id, addition)).await;
    }
    let mut headers = HeaderMap::new();
    headers.insert(http::header::IF_MATCH, "\"1.37\"".parse().expect("a tag"));
    let edit = Edit {
        command: CommandId::now(),
        name: Some("Book".to_owned()),
        price: None,
        condition: Condition::of(&headers).expect("a condition"),
        now: Timestamp::from_millis(2_000),
    };
    twice(tables, "an edit", || tables.edit(id, edit.clone())).await;
    let (command, step) = (CommandId::now(), Cleanup { older_than: 1, after: None });
    twice(tables, "a cleanup", || tables.clean_up(command, step)).await;

    let found = tables.get(id).await.expect("reads").expect("is there");
    assert_eq!((found.stock, found.version), (37, 2));
    let other = Edit { command: CommandId::now(), ..edit };
    let other = tables.edit(id, other).await.expect("is asked");
    assert!(matches!(other, Edited::Changed { current: 2 }), "another edit is no repeat: {other:?}");
}

async fn changes_of_reservations(tables: &Tables) {
    let id = stored(tables, "book", 30).await;
    let [sold, held, unseen, short] = [(); 4].map(|()| OrderId::now());
    for (what, order, action) in [
        ("a sale", sold, reserve(vec![line(id, 2)], true)),
        ("a refusal", short, reserve(vec![line(id, 99)], true)),
        ("a hold", held, reserve(vec![line(id, 3)], false)),
        ("a confirmation", held, Action::Confirm),
        ("a tombstone", unseen, Action::Cancel),
        ("a release", sold, Action::Release),
    ] {
        let apply = || tables.apply(vec![operation(order, action.clone())], Instant::now(), Deadline(None));
        twice(tables, what, apply).await;
    }
    let [named, other] = [(); 2].map(|()| OrderId::now());
    twice(tables, "a direct hold", || tables.hold(named, id, units(5))).await;
    twice(tables, "another one", || tables.hold(other, id, units(5))).await;
    for (what, of, number) in [("a part of a hold", Some(named), 2), ("a part of any hold", None, 4)] {
        let part = Part { command: CommandId::now(), quantity: units(number), of };
        twice(tables, what, || tables.give_back(id, part)).await;
    }
    let found = tables.get(id).await.expect("reads").expect("is there");
    assert_eq!(found.stock, 30 - 3 - 10 + 2 + 4);
}
