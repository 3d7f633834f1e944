//! Products: lists and searches, edits and restocks, their versions, and removing test data.

use http::HeaderMap;
use ordersys_chassis::http::conditional::Condition;
use ordersys_contract::TestData;
use ordersys_contract::evidence::MAX_EDITIONS;
use ordersys_store::STEP_ROWS;
use ordersys_store::answers::CommandId;

use super::*;

cases!(
    a_product_is_read_as_it_was_stored,
    a_store_is_seeded_once,
    lists_go_on_where_they_ended,
    searches_see_both_cases,
    a_search_goes_on_after_many_others,
    test_data_is_shown_to_those_who_ask,
    edits_make_versions,
    old_versions_are_forgotten,
    units_are_added_up_to_what_can_be_counted,
    what_is_left_of_a_product_has_a_record,
    unused_test_data_is_removed,
);

fn filter() -> Filter {
    Filter { limit: 100, ..Filter::default() }
}

/// The names in a page of at most `most`, and the product to go on after.
async fn names(tables: &Tables, filter: Filter, most: usize) -> (Vec<String>, Option<ProductId>) {
    let add = move |page: &mut Vec<String>, product: Product| {
        page.push(product.name);
        if page.len() < most { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
    };
    tables.list(filter, Vec::new(), Box::new(add)).await.expect("is read")
}

fn edit(name: &str, at: i64) -> Edit {
    let (command, now) = (CommandId::now(), Timestamp::from_millis(at));
    Edit { command, name: Some(name.to_owned()), price: None, condition: Condition::default(), now }
}

async fn a_product_is_read_as_it_was_stored(tables: &Tables) {
    let price = Money::of(1_234, "KWD".parse().expect("a code")).expect("a price");
    let currency = "KWD".parse().expect("a code");
    let product = Product { price, currency, test: true, ..product("a book, \"quoted\" \u{1f4d6}", 7) };
    assert_eq!(tables.newest_product().await.expect("is read"), None);
    tables.insert(product.clone()).await.expect("is stored");
    assert_eq!(tables.get(product.id).await.expect("is read"), Some(product.clone()));
    assert_eq!(tables.get(ProductId::now()).await.expect("is read"), None);
    assert_eq!(tables.newest_product().await.expect("is read"), Some(product.created_at));
}

async fn a_store_is_seeded_once(tables: &Tables) {
    for name in ["first", "second"] {
        tables.seed_once(vec![product(name, 1), product(name, 2)]).await.expect("is done");
    }
    assert_eq!(names(tables, filter(), 9).await, (vec!["first".to_owned(); 2], None));
}

async fn lists_go_on_where_they_ended(tables: &Tables) {
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(stored(tables, name, 1).await);
    }
    let after = |after: usize, limit| Filter { after: Some(ids[after]), limit, ..Filter::default() };
    assert_eq!(names(tables, Filter { limit: 2, ..filter() }, 2).await.0, ["a", "b"]);
    assert_eq!(names(tables, after(1, 2), 2).await.0, ["c", "d"]);
    assert_eq!(names(tables, after(3, 2), 2).await, (vec!["e".to_owned()], None));
    assert_eq!(names(tables, after(0, 2), 9).await.0, ["b", "c", "d", "e"], "a page with more room");
}

async fn searches_see_both_cases(tables: &Tables) {
    for name in ["Mechanical Keyboard", "usb-c HUB", "Ärger", "50% off_"] {
        stored(tables, name, 1).await;
    }
    let found = async |text: &str| {
        let text = Some(text.to_owned());
        names(tables, Filter { text, ..filter() }, 9).await.0
    };
    assert_eq!(found("KEYB").await, ["Mechanical Keyboard"]);
    assert_eq!(found("hub").await, ["usb-c HUB"]);
    assert_eq!(found("%").await, ["50% off_"]);
    assert_eq!(found("ärger").await, Vec::<String>::new(), "letters beyond ASCII are taken as they are");
    assert_eq!(found("").await.len(), 4);
    assert_eq!(found("a\0").await, Vec::<String>::new());
}

async fn a_search_goes_on_after_many_others(tables: &Tables) {
    let mut products: Vec<_> = (0..=STEP_ROWS).map(|_| product("hay", 1)).collect();
    products.extend([product("needle", 1), product("needle 2", 1)]);
    let ids: Vec<_> = products.iter().map(|product| product.id).collect();
    tables.seed_once(products).await.expect("is done");
    let text = || Some("needle".to_owned());
    let found = names(tables, Filter { text: text(), limit: 9, ..filter() }, 9).await;
    assert_eq!(found, (vec!["needle".to_owned(), "needle 2".to_owned()], None));
    assert_eq!(names(tables, Filter { text: text(), limit: 1, ..filter() }, 1).await.0, ["needle"]);
    let last = Filter { text: text(), after: ids.iter().rev().nth(1).copied(), ..filter() };
    assert_eq!(names(tables, last, 9).await.0, ["needle 2"]);
}

async fn test_data_is_shown_to_those_who_ask(tables: &Tables) {
    stored(tables, "sold", 1).await;
    tables.insert(Product { test: true, ..product("tried", 1) }).await.expect("is stored");
    for (test, expected) in [
        (TestData::Exclude, vec!["sold"]),
        (TestData::Include, vec!["sold", "tried"]),
        (TestData::Only, vec!["tried"]),
    ] {
        assert_eq!(names(tables, Filter { test, ..filter() }, 9).await.0, expected, "{test:?}");
    }
}

async fn edits_make_versions(tables: &Tables) {
    let id = stored(tables, "book", 5).await;
    let mut headers = HeaderMap::new();
    headers.insert(http::header::IF_MATCH, "\"1.5\"".parse().expect("a tag"));
    let condition = Condition::of(&headers).expect("a condition");
    let priced = Edit { price: Money::from_minor(700), condition: condition.clone(), ..edit("Book", 500) };
    let done = tables.edit(id, priced).await.expect("is done");
    assert!(
        matches!(&done, Edited::Done(product) if product.version == 2 && product.name == "Book"),
        "{done:?}"
    );
    let changed = tables.edit(id, Edit { condition, ..edit("other", 600) }).await.expect("is asked");
    assert!(matches!(changed, Edited::Changed { current: 2 }), "{changed:?}");
    let high = Edit { price: Money::from_minor(i64::MAX), ..edit("other", 600) };
    assert!(matches!(tables.edit(id, high).await.expect("is asked"), Edited::Price(_)));
    let missing = tables.edit(ProductId::now(), edit("other", 600)).await.expect("is asked");
    assert!(matches!(missing, Edited::NotFound));

    let record = tables.product_record(id).await.expect("is read").expect("is there");
    let told: Vec<_> = record
        .editions
        .iter()
        .map(|edition| {
            (edition.version, edition.name.as_str(), edition.price.minor(), edition.at.as_millis())
        })
        .collect();
    assert_eq!(told, [(1, "book", 500, 1_000), (2, "Book", 700, 1_000)], "times never go back");
    assert_eq!(record.product, tables.get(id).await.expect("is read"));
}

async fn old_versions_are_forgotten(tables: &Tables) {
    let id = stored(tables, "book", 5).await;
    for number in 0..=MAX_EDITIONS {
        tables.edit(id, edit(&number.to_string(), 2_000)).await.expect("is done");
    }
    let record = tables.product_record(id).await.expect("is read").expect("is there");
    let versions: Vec<_> = record.editions.iter().map(|edition| edition.version).collect();
    assert_eq!(versions, (3..=MAX_EDITIONS + 2).collect::<Vec<_>>());
}

async fn units_are_added_up_to_what_can_be_counted(tables: &Tables) {
    let id = stored(tables, "book", 5).await;
    let restock = async |id, units| {
        let addition = Addition { command: CommandId::now(), units };
        tables.restock(id, addition).await.expect("is asked")
    };
    let Restocked::Done(restocked) = restock(id, 3).await else { panic!("it is there, and these are few") };
    assert_eq!(Some(restocked), tables.get(id).await.expect("is read"));
    assert!(matches!(restock(id, i64::MAX.unsigned_abs()).await, Restocked::TooMany));
    assert!(matches!(restock(ProductId::now(), 1).await, Restocked::NotFound));
    assert!(matches!(restock(id, 4).await, Restocked::Done(product) if product.stock == 12));
    let record = tables.product_record(id).await.expect("is read").expect("is there");
    assert_eq!((record.initial, record.restocked, record.added), (Some(5), Some(7), 7));
    assert_eq!((record.used, record.odd), (false, Vec::<String>::new()));
}

async fn what_is_left_of_a_product_has_a_record(tables: &Tables) {
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(stored(tables, name, 1).await);
    }
    tables.restock(ids[2], Addition { command: CommandId::now(), units: 2 }).await.expect("is done");
    match &tables.0 {
        Backend::Sqlite(tables) => {
            tables.run("DELETE FROM product").await;
            tables.run("DELETE FROM edition WHERE name = 'c'").await;
        }
        Backend::Postgres(tables) => {
            tables.run("DELETE FROM products.product").await;
            tables.run("DELETE FROM products.edition WHERE name = 'c'").await;
        }
    }
    let page = async |after, limit| {
        let records = tables.product_records(after, limit).await.expect("is read");
        records.iter().map(|record| (record.id, record.editions.len(), record.added)).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2).await, [(ids[0], 1, 0), (ids[1], 1, 0)]);
    assert_eq!(page(Some(ids[1]), 2).await, [(ids[2], 0, 2)]);
    assert!(tables.product_record(ids[0]).await.expect("is read").is_some());
    assert_eq!(tables.product_record(ids[2]).await.expect("is read"), None, "added units alone");
}

async fn unused_test_data_is_removed(tables: &Tables) {
    let test = |name, created_at| Product { test: true, created_at, ..product(name, 9) };
    let old = Timestamp::from_millis(0);
    let (unused, used, young) = (test("unused", old), test("used", old), test("young", Timestamp::now()));
    for product in [&unused, &used, &young] {
        tables.insert(product.clone()).await.expect("is stored");
    }
    let kept = stored(tables, "sold", 9).await;
    for product in [used.id, kept] {
        apply(tables, OrderId::now(), reserve(vec![line(product, 1)], true)).await;
    }
    let step = |after| Cleanup { older_than: 60, after };
    let cleaned = tables.clean_up(CommandId::now(), step(None)).await.expect("is done");
    assert_eq!(cleaned, Cleaned { removed: 1, kept: 1, young: 1, next: None });
    assert_eq!(tables.product_record(unused.id).await.expect("is read"), None);
    let record = tables.product_record(used.id).await.expect("is read").expect("is there");
    assert!(record.used);
    let rest = tables.clean_up(CommandId::now(), step(Some(used.id))).await.expect("is done");
    assert_eq!(rest, Cleaned { removed: 0, kept: 0, young: 1, next: None });
    let order = OrderId::now();
    let gone = apply(tables, order, reserve(vec![line(unused.id, 1)], true)).await;
    assert_eq!(gone, Answer::UnknownProducts(vec![unused.id]));
}
