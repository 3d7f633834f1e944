//! Amounts have the decimals of their currency, from the price to the order's total and what is printed of it.

use ordersys_contract::Role;
use ordersys_contract::client::{Client, ProductFilter};
use ordersys_store::rusqlite::Connection;
use ordersys_testkit::{Project, Stack};
use serde_json::{Value, json};

async fn create(stack: &Stack, price: &str, currency: &str) -> (u16, String, Value) {
    let body =
        format!(r#"{{"name":"Thing in {currency}","price":{price},"stock":50,"currency":"{currency}"}}"#);
    let bearer = stack.admin_bearer();
    let request = reqwest::Client::new().post(format!("{}/products", stack.url(Role::Product)));
    let request =
        request.header("authorization", bearer).header("content-type", "application/json").body(body);
    let answer = request.send().await.expect("answers");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a text");
    let json = serde_json::from_str(&text).expect("JSON");
    (status, text, json)
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_and_totals_have_the_decimals_of_their_currency() {
    let stack = Stack::start().await;
    let user = stack.a_user().await;
    for (price, currency, shown, line, total) in [
        ("149.9", "USD", "149.90", "449.70", "449.70"),
        ("500", "JPY", "500", "1500", "1500"),
        ("0.125", "KWD", "0.125", "0.375", "0.375"),
        ("7", "TND", "7.000", "21.000", "21.000"),
    ] {
        let (status, text, product) = create(&stack, price, currency).await;
        assert_eq!(status, 201, "{text}");
        assert!(text.contains(&format!("\"price\":{shown},")), "{text}");
        let lines = json!([{ "productId": product["id"], "quantity": 3 }]);
        let body = json!({ "userId": user.id, "items": lines }).to_string();
        let request = reqwest::Client::new().post(format!("{}/orders", stack.url(Role::Order)));
        let answer =
            request.header("content-type", "application/json").body(body).send().await.expect("answers");
        let placed = answer.text().await.expect("a text");
        let id =
            serde_json::from_str::<Value>(&placed).expect("JSON")["id"].as_str().expect("an id").to_owned();
        let read = reqwest::get(format!("{}/orders/{id}", stack.url(Role::Order))).await.expect("answers");
        for order in [placed, read.text().await.expect("a text")] {
            let parts = [("unitPrice", shown), ("lineTotal", line), ("total", total)];
            for part in parts.map(|(name, amount)| format!("\"{name}\":{amount}")) {
                let rest = order.split(&part).nth(1).unwrap_or_else(|| panic!("{part} is not in {order}"));
                assert!(rest.starts_with([',', '}']), "{part}: {order}");
            }
            assert!(order.contains(&format!("\"currency\":\"{currency}\"")), "{order}");
        }
        // By the way that answers are read and checked in other tests.
        let path = format!("/products/{}", product["id"].as_str().expect("an id"));
        assert_eq!(stack.send(Role::Product, "GET", &path, None).await.status, 200);
        let edited = stack.send_as_admin(Role::Product, "PATCH", &path, Some(r#"{"price":12.5}"#)).await;
        assert_eq!(edited.status, if currency == "JPY" { 400 } else { 200 }, "{}", edited.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_that_a_currency_does_not_have_are_refused() {
    let stack = Stack::start().await;
    for (price, currency, field, why) in [
        ("0.50", "JPY", "price", "an amount in JPY has no decimals"),
        ("1.0", "KRW", "price", "an amount in KRW has no decimals"),
        ("0.125", "USD", "price", "an amount in USD has at most 2 decimals"),
        ("0.1255", "KWD", "price", "an amount has at most 3 decimals"),
        ("1000000000001", "JPY", "price", "at most 1000000000000 JPY"),
        ("10000000000.01", "USD", "price", "at most 10000000000.00 USD"),
        ("9223372036854775807", "USD", "price", "too large"),
        ("1", "XXX", "currency", "XXX is not money"),
        ("1", "XTS", "currency", "XTS is not money"),
        ("1", "XAU", "currency", "XAU is not money"),
        ("1", "ABC", "currency", "ABC is not money"),
        ("1", "usd", "currency", "three capital letters"),
    ] {
        let body = format!(r#"{{"name":"Thing","price":{price},"stock":1,"currency":"{currency}"}}"#);
        let answer = stack.send_as_admin(Role::Product, "POST", "/products", Some(&body)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-field"), "{body}: {}", answer.body);
        assert_eq!(answer.body["field"], field, "{}", answer.body);
        let detail = answer.body["detail"].as_str().expect("a text");
        assert!(detail.contains(why), "{detail}");
    }
    let products = stack.anyone().products(&ProductFilter::default()).await.expect("lists").items;
    assert_eq!(products.len(), 3, "the article's only");
}

/// Earlier versions stored hundredths in every currency.
#[tokio::test(flavor = "multi_thread")]
async fn amounts_of_earlier_versions_keep_their_worth() {
    let mut stack = Stack::start_on_files().await;
    let user = stack.a_user().await;
    let mut made = Vec::new();
    for (price, currency) in [("300", "JPY"), ("0.360", "KWD"), ("19.99", "USD")] {
        let (_, _, product) = create(&stack, price, currency).await;
        let id = product["id"].as_str().expect("an id").to_owned();
        let lines = json!([{ "productId": id, "quantity": 2 }]);
        let body = json!({ "userId": user.id, "items": lines }).to_string();
        assert_eq!(stack.send(Role::Order, "POST", "/orders", Some(&body)).await.status, 201);
        made.push((id, price));
    }
    stack.end(Role::Product).await;
    let file = stack.data_dir().join("product").join("product.db");
    let store = Connection::open(&file).expect("opens");
    let earlier = "
        UPDATE product SET price = 30000 WHERE currency = 'JPY';
        UPDATE product SET price = 36 WHERE currency = 'KWD';
        UPDATE edition SET price = 30000 WHERE currency = 'JPY';
        UPDATE edition SET price = 36 WHERE currency = 'KWD';
        UPDATE reservation SET lines = replace(replace(lines, ':300,', ':30000,'), ':360,', ':36,');
        DROP TABLE answered;
        DROP INDEX test_product;
        ALTER TABLE product DROP COLUMN test;
        ALTER TABLE product DROP COLUMN used;
        PRAGMA user_version = 4";
    store.execute_batch(earlier).expect("changes");
    drop(store);
    stack.begin(Role::Product).await;
    for (id, price) in made {
        let (status, text) = get(&stack, &format!("/products/{id}")).await;
        assert!(status == 200 && text.contains(&format!("\"price\":{price},")), "{text}");
    }
    let report = ordersys_verify::audit::check(&stack.admin(), |_| {}).await.expect("reads");
    let wrong: Vec<_> =
        report.findings.iter().filter(|one| one.result == ordersys_verify::audit::Standing::Fail).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn get(stack: &Stack, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("{}{path}", stack.url(Role::Product))).await.expect("answers");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

/// Rows of earlier versions may name codes that are no money; they are still read, with hundredths.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_with_another_code_is_still_read() {
    let mut stack = Stack::start_on_files().await;
    let product = stack.a_product(5).await;
    stack.end(Role::Product).await;
    let file = stack.data_dir().join("product").join("product.db");
    let store = Connection::open(&file).expect("opens");
    assert!(store.execute("UPDATE product SET currency = 'XXX'", []).expect("writes") > 0);
    drop(store);
    stack.begin(Role::Product).await;
    let client: Client = stack.anyone();
    let read = client.product(product.id).await.expect("reads");
    assert_eq!((read.price.to_string().as_str(), read.currency.as_str()), ("19.99", "XXX"));
}

#[test]
fn tables_show_amounts_as_their_currency_has_them() {
    let project = Project::new("process");
    project.up(&["--topology", "monolith"]).ok();
    let create = |name: &str, price: &str, currency: &str| {
        project.run(&[
            "product",
            "create",
            "--name",
            name,
            "--price",
            price,
            "--stock",
            "9",
            "--currency",
            currency,
        ])
    };
    for (name, price, currency) in [("Yen", "500", "JPY"), ("Dinar", "0.125", "KWD")] {
        create(name, price, currency).ok();
    }
    let refused = create("Half a yen", "0.5", "JPY");
    assert!(refused.said.contains("an amount in JPY has no decimals"), "{}", refused.said);
    let table = |args: &[&str]| {
        let output = project.command(&[args, &["-o", "table"]].concat()).output().expect("runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let products = table(&["product", "list"]);
    assert!(products.contains("500 JPY") && products.contains("0.125 KWD"), "{products}");
    let user = project.run(&["user", "create", "--name", "Ann", "--email", "ann@example.com"]).ok();
    let user = user.data["id"].as_str().expect("an id").to_owned();
    let order = table(&["order", "place", "--user", &user, "--item", "Dinar=3"]);
    assert!(order.contains("0.375 KWD"), "{order}");
    assert!(table(&["order", "place", "--user", &user, "--item", "Yen=2"]).contains("total 1000 JPY"));
    project.run(&["check"]).ok();
}
