//! Test data is marked: lists leave it out unless asked, and a cleanup removes what no order needs, nothing else.

use ordersys_contract::client::{ProductFilter, UserFilter};
use ordersys_contract::product::{NewProduct, Product};
use ordersys_contract::test_data::{CLEANUP_ROWS, Cleaned, Cleanup};
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Client, Code, Currency, Money, TestData, UserId};
use ordersys_testkit::{Project, Stack, order_of};
use ordersys_verify::audit::{Standing, check};

async fn marked_product(admin: &Client, name: &str) -> Product {
    let price = Money::from_minor(100).expect("not negative");
    let new = NewProduct { name: name.to_owned(), price, stock: 9, currency: Currency::USD, test: true };
    admin.create_product(&new).await.expect("creates")
}

async fn marked_user(admin: &Client, name: &str) -> User {
    let new = NewUser::guest(name, format!("{name}@example.com")).for_test();
    admin.create_user(&new).await.expect("creates")
}

async fn product_names(client: &Client, test: TestData) -> Vec<String> {
    let found = client.products(&ProductFilter { test, ..ProductFilter::default() }).await.expect("lists");
    found.items.into_iter().map(|product| product.name).collect()
}

async fn user_names(client: &Client, test: TestData) -> Vec<String> {
    let found = client.users(&UserFilter { test, ..UserFilter::default() }).await.expect("lists");
    found.items.into_iter().map(|user| user.name).collect()
}

/// A cleanup of both kinds, in one step each.
async fn clean_up(admin: &Client, older_than: u32) -> [(u64, u64, u64); 2] {
    let products = admin.clean_up_products(&Cleanup { older_than, after: None }).await.expect("cleans up");
    let users = admin.clean_up_users(&Cleanup { older_than, after: None }).await.expect("cleans up");
    [(products.removed, products.kept, products.young), (users.removed, users.kept, users.young)]
}

async fn assert_sound(stack: &Stack) {
    let report = check(&stack.admin(), |_| {}).await.expect("reads everything");
    let failed: Vec<_> = report.findings.iter().filter(|one| one.result == Standing::Fail).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_leave_test_data_out_unless_asked() {
    let stack = Stack::start().await;
    let (admin, anyone) = (stack.admin(), stack.anyone());
    let (product, user) = (marked_product(&admin, "Marked").await, marked_user(&admin, "tess").await);
    stack.a_user().await;
    assert!(product.test && user.test);
    assert_eq!(product_names(&anyone, TestData::Only).await, ["Marked"]);
    assert_eq!(product_names(&anyone, TestData::Exclude).await.len(), 3, "the article's");
    assert_eq!(product_names(&anyone, TestData::Include).await.len(), 4);
    assert_eq!(user_names(&admin, TestData::Exclude).await, ["Alice"]);
    assert_eq!(user_names(&admin, TestData::Only).await, ["tess"]);
    assert_eq!(user_names(&admin, TestData::Include).await, ["tess", "Alice"]);
    assert_eq!(anyone.product(product.id).await.expect("reads").name, "Marked", "by its id it is read");
    assert_eq!(anyone.user(user.id).await.expect("reads").name, "tess");
    let plain = stack.send(ordersys_contract::Role::Product, "GET", "/products", None).await;
    assert!(!plain.body.to_string().contains("\"test\""), "{}", plain.body);
    let code = |error: ordersys_contract::ClientError| error.problem().map(|problem| problem.code);
    let new = NewUser::guest("Eve", "eve@example.com").for_test();
    let refused = anyone.create_user(&new).await.expect_err("only the admin may");
    assert_eq!(code(refused), Some(Code::Unauthenticated));
    let refused = stack.service().create_user(&new).await.expect_err("only the admin may");
    assert_eq!(code(refused), Some(Code::Forbidden));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_removes_what_no_order_needs() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let (ordered, idle) = (marked_product(&admin, "Ordered").await, marked_product(&admin, "Idle").await);
    let (buyer, looker) = (marked_user(&admin, "buyer").await, marked_user(&admin, "looker").await);
    let (alice, thing) = (stack.a_user().await, stack.a_product(10).await);
    let order = admin.place(&order_of(&buyer, &[(&ordered, 1)]), None).await.expect("places").order;
    assert_eq!(clean_up(&admin, 3_600).await, [(0, 1, 1), (0, 1, 1)], "a run may use what is young");
    assert_eq!(clean_up(&admin, 0).await, [(1, 1, 0), (1, 1, 0)]);
    assert_eq!(clean_up(&admin, 0).await, [(0, 1, 0), (0, 1, 0)], "doing it again changes nothing");
    for gone in [admin.product(idle.id).await.err(), admin.user(looker.id).await.err()] {
        let code = gone.as_ref().and_then(|error| error.problem()).map(|problem| problem.code);
        assert_eq!(code, Some(Code::NotFound));
    }
    assert_eq!(admin.order(order.id).await.expect("reads").user_name, "buyer");
    admin.user(alice.id).await.expect("stays");
    admin.product(thing.id).await.expect("stays");
    admin.place(&order_of(&alice, &[(&thing, 1)]), None).await.expect("places");
    let unknown = admin.place(&order_of(&looker, &[(&thing, 1)]), None).await.expect_err("is gone");
    assert_eq!(unknown.problem().map(|problem| problem.code), Some(Code::UnknownUser));
    let unknown = admin.place(&order_of(&alice, &[(&idle, 1)]), None).await.expect_err("is gone");
    assert_eq!(unknown.problem().map(|problem| problem.code), Some(Code::UnknownProduct));
    assert_sound(&stack).await;
}

/// Every order either finds its user and its product and keeps both, or finds one of them gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_beside_orders_breaks_none() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    let mut pairs = Vec::new();
    for number in 0..40 {
        let product = marked_product(&admin, &format!("P{number}")).await;
        pairs.push((marked_user(&admin, &format!("u{number}")).await, product));
    }
    let (user, product) = pairs.pop().expect("some");
    admin.place(&order_of(&user, &[(&product, 1)]), None).await.expect("places");
    pairs.pop(); // of this one nothing is ordered
    let mut orders = tokio::task::JoinSet::new();
    for (user, product) in pairs {
        let admin = admin.clone();
        orders.spawn(async move { admin.place(&order_of(&user, &[(&product, 1)]), None).await });
    }
    let mut removed = 0;
    while !orders.is_empty() {
        let [products, users] = clean_up(&admin, 0).await;
        removed += products.0 + users.0;
        let Some(placed) = orders.try_join_next() else { continue };
        if let Err(error) = placed.expect("ends") {
            let code = error.problem().map(|problem| problem.code);
            assert!(matches!(code, Some(Code::UnknownUser | Code::UnknownProduct)), "{error}");
        }
    }
    assert!(removed >= 2, "{removed}");
    assert_sound(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_goes_on_step_by_step() {
    let stack = Stack::start().await;
    let admin = stack.admin();
    for from in (0..=CLEANUP_ROWS).step_by(50) {
        let made = (from..(from + 50).min(CLEANUP_ROWS + 1)).map(|number| {
            let admin = admin.clone();
            async move { marked_user(&admin, &format!("u{number}")).await }
        });
        futures_util::future::join_all(made).await;
    }
    let step = async |after: Option<UserId>| -> Cleaned<UserId> {
        admin.clean_up_users(&Cleanup { older_than: 0, after }).await.expect("cleans up")
    };
    let first = step(None).await;
    assert_eq!(first.removed, u64::from(CLEANUP_ROWS));
    let second = step(Some(first.next.expect("there is more"))).await;
    assert_eq!((second.removed, second.next), (1, None));
}

#[test]
fn what_commands_make_is_hidden_and_cleaned_up() {
    let project = Project::new("process");
    project.up(&[]).ok();
    let names = |args: &[&str]| {
        let listed = project.run(args).ok().data;
        assert_eq!(listed["version"], 1);
        let kind = if args[0] == "product" { "products" } else { "users" };
        listed[kind].as_array().expect("a list").len()
    };
    project.run(&["user", "create", "--name", "Alice", "--email", "alice@example.com"]).ok();
    project.run(&["seed", "--users", "3", "--products", "2"]).ok();
    let bench = ["bench", "-c", "2", "-n", "20", "--users", "2", "--products", "4", "--warmup", "0s"];
    project.run(&bench);
    assert_eq!((names(&["product", "ls"]), names(&["user", "list"])), (3, 1));
    assert_eq!((names(&["product", "list", "--test"]), names(&["user", "list", "--test"])), (6, 5));
    assert_eq!(names(&["product", "list", "--all"]), 9);
    let young = project.run(&["bench", "cleanup"]).ok();
    assert_eq!((&young.data["products"]["removed"], &young.data["users"]["removed"]), (&0.into(), &0.into()));
    assert!(young.said.contains("bench cleanup --older-than 0s --project"), "{}", young.said);
    let cleaned = project.run(&["bench", "cleanup", "--older-than", "0s"]).ok().data;
    assert!(cleaned["products"]["removed"].as_u64() >= Some(2), "{cleaned}");
    assert_eq!(cleaned["users"]["removed"], 3, "those of the run ordered: {cleaned}");
    assert_eq!(cleaned["users"]["kept"], 2, "{cleaned}");
    assert_eq!((names(&["product", "ls"]), names(&["user", "list"])), (3, 1));
    project.run(&["check"]).ok();
}
