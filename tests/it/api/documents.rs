//! The OpenAPI documents: whole, true to what the services do, and readable at `/docs`.

use std::collections::{BTreeMap, BTreeSet};

use ordersys_contract::Role;
use ordersys_testkit::Stack;
use ordersys_testkit::browser::chromium::{has_chromium, render};
use ordersys_testkit::browser::site::site;
use ordersys_testkit::stack::openapi::{Document, document};
use serde_json::Value;

/// The references in a part of a document.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// The objects that a part of a document describes, through its references.
fn objects<'a>(document: &'a Document, schema: &'a Value, found: &mut Vec<&'a Value>) {
    let schema = document.resolve(schema);
    if schema.get("properties").is_some() {
        found.push(schema);
    }
    let inner = schema["properties"].as_object().into_iter().flatten().map(|(_, member)| member);
    let parts = ["oneOf", "anyOf", "allOf"].iter().filter_map(|name| schema[name].as_array()).flatten();
    for part in inner.chain(parts).chain(schema.get("items")) {
        objects(document, part, found);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_whole() {
    let stack = Stack::start().await;
    for role in Role::ALL {
        let document = document(role, stack.url(role)).await;
        assert_eq!(document.json["openapi"], "3.1.0");
        let mut found = BTreeSet::new();
        references(&document.json, &mut found);
        for target in found {
            assert!(document.json.pointer(&target[1..]).is_some(), "{role}: {target} is nowhere");
        }
        let mut ids = BTreeSet::new();
        for operation in document.operations() {
            let call = format!("{} {role} {}", operation.method, operation.path);
            let id = operation.json["operationId"].as_str().unwrap_or("");
            assert!(!id.is_empty() && ids.insert(id.to_owned()), "{call} has no id of its own: `{id}`");
            assert!(operation.json["summary"].is_string(), "{call} does not say what it does");
            assert!(operation.json["tags"][0].is_string(), "{call} belongs to no group");
            assert!(operation.json["x-refusals"].is_null(), "{call}");
            let responses = operation.json["responses"].as_object().expect("responses");
            assert!(responses.keys().any(|status| status.starts_with('2')), "{call} never succeeds");
            for name in operation.credentials() {
                assert!(document.json["components"]["securitySchemes"][name].is_object(), "{call}: {name}");
            }
            let body = &operation.json["requestBody"]["content"]["application/json"]["schema"];
            let mut described = Vec::new();
            objects(document, body, &mut described);
            for object in described {
                assert_eq!(object["additionalProperties"], false, "{call} takes any member: {object}");
            }
        }
        assert!(document.schemas().contains_key("Problem"));
        let first = stack.send(role, "GET", "/openapi.json", None).await;
        let tag = first.header("etag");
        let again = stack.send_with(role, "GET", "/openapi.json", &[("if-none-match", tag)], None).await;
        assert_eq!((again.status, again.header("etag")), (304, tag));
    }
}

/// Together with the lint that lets only documented routes in, this makes the router and the document one.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_documented_is_there_and_nothing_else_at_its_path() {
    let stack = Stack::start().await;
    let json = ("content-type", "application/json");
    for role in Role::ALL {
        let mut methods = BTreeMap::<&str, BTreeSet<String>>::new();
        let operations = document(role, stack.url(role)).await.operations();
        for operation in &operations {
            let method = operation.method.to_ascii_uppercase();
            let bearer = if operation.credentials().contains(&"service") {
                stack.service_bearer()
            } else {
                stack.admin_bearer()
            };
            let headers = [json, ("authorization", bearer.as_str())];
            let call = (method.as_str(), operation.any_path());
            let answer = stack.send_with(role, call.0, &call.1, &headers, None).await;
            assert!(answer.status != 405 && answer.code() != "unknown-route", "{call:?}: {}", answer.body);
            let known = methods.entry(operation.path).or_default();
            if method == "GET" {
                known.insert("HEAD".to_owned());
            }
            known.insert(method);
        }
        for (path, known) in methods {
            let path = path.replace("{id}", "00000000-0000-7000-8000-000000000000");
            let answer = stack.send_with(role, "TRACE", &path, &[], None).await;
            let allowed = answer.header("allow").split(',').map(str::to_owned).collect::<BTreeSet<_>>();
            assert_eq!((answer.status, allowed), (405, known), "{role} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_every_call() {
    if !has_chromium() {
        return;
    }
    let stack = Stack::start().await;
    for role in Role::ALL {
        let page = stack.send(role, "GET", "/docs", None).await;
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        let url = format!("{}/docs#place", stack.url(role));
        let rendered = tokio::task::spawn_blocking(move || render(&url)).await.expect("renders");
        assert_eq!(rendered.console, Vec::<String>::new(), "no script fails, nothing is blocked");
        for operation in document(role, stack.url(role)).await.operations() {
            let shown = format!("<code>{}</code>", operation.path);
            assert!(rendered.dom.contains(&shown), "{role} {}: {}", operation.path, rendered.dom);
            let id = format!("id=\"{}\"", operation.json["operationId"].as_str().unwrap_or(""));
            assert!(rendered.dom.contains(&id), "{role} {id}");
        }
        let opened = rendered.dom.contains("class=\"send\"");
        assert_eq!(opened, role == Role::Order, "the call that the address names is open");
        let shown = rendered.dom.split("<script>").next().unwrap_or("");
        let heads: Vec<_> = shown.split("<h2>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
        assert_eq!(
            heads.first().copied(),
            Some(format!("{role}s").as_str()),
            "what people come for is first"
        );
        assert_eq!(heads.last().copied(), Some("internal"), "{heads:?}");
        assert!(shown.contains("<details class=\"group\">"), "and that is folded");
        for raw in ["`", "1844674407370955", "anyone or"] {
            assert!(!shown.contains(raw), "{role}: {raw}");
        }
    }
}

/// A link to the page may name a user and a product: the body it then shows works as it is.
#[tokio::test(flavor = "multi_thread")]
async fn the_sample_of_an_order_works_with_what_was_chosen() {
    if !has_chromium() {
        return;
    }
    let stack = Stack::start().await;
    let (user, product) = (stack.a_user().await, stack.a_product(5).await);
    let page = stack.send(Role::Order, "GET", "/docs", None).await;
    let reader = "<script>let waits = setInterval(() => {
             let send = document.querySelector('#place .send');
             if (!send) return;
             clearInterval(waits);
             send.click();
         }, 10)</script>";
    let html = page.body.as_str().expect("a page").to_owned();
    let service = stack.url(Role::Order).trim_start_matches("http://").parse().expect("an address");
    let site = site(html + reader, Some(service)).await;
    let target = format!("http://{site}/docs#place?userId={}&productId={}", user.id, product.id);
    let rendered = tokio::task::spawn_blocking(move || render(&target)).await.expect("renders");
    let shown = rendered.dom.split("<script>").next().unwrap_or("");
    let answer = shown.split("class=\"answer\"").nth(1).unwrap_or("");
    assert!(answer.contains("\"status\": \"confirmed\""), "{answer} {:?}", rendered.console);
    let outline = shown.split("userId: ").next().unwrap_or("");
    assert!(!outline.contains("items: ["), "members are in the order of the contract");
}

/// What people type, and where the `type` of a problem leads.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_people_try_lead_somewhere() {
    let stack = Stack::start().await;
    let plain =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("builds");
    for role in Role::ALL {
        for path in ["/", "/docs/"] {
            let answer = plain.get(format!("{}{path}", stack.url(role))).send().await.expect("answers");
            let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
            assert_eq!((answer.status().as_u16(), location), (303, Some("/docs")), "{role} {path}");
        }
        let problem = stack.send(role, "GET", "/nowhere", None).await;
        let page = stack.send(role, "GET", problem.body["type"].as_str().expect("a path"), None).await;
        assert_eq!(page.status, 200);
        assert!(
            page.body.as_str().is_some_and(|page| page.contains("There is no such route.")),
            "{}",
            page.body
        );
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(stack.send(role, "GET", "/problems/none-such", None).await.status, 404);
        assert_eq!(stack.send(role, "GET", "/problems", None).await.status, 200);
    }
}

/// The page as it is, and one script more that does what a reader does.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_makes_calls() {
    if !has_chromium() {
        return;
    }
    let stack = Stack::start().await;
    let url = stack.url(Role::Product).to_owned();
    let page = stack.send(Role::Product, "GET", "/docs", None).await;
    let token = stack.admin_bearer().trim_start_matches("Bearer ").to_owned();
    let reader = format!(
        "<script>let waits = setInterval(() => {{
             let call = document.getElementById('create');
             if (!call) return;
             clearInterval(waits);
             document.getElementById('token').value = '{token}';
             call.open = true;
             setTimeout(() => call.querySelector('.send').click(), 100);
         }}, 10)</script>"
    );
    let html = page.body.as_str().expect("a page").to_owned();
    let service = url.trim_start_matches("http://").parse().expect("an address");
    let target = format!("http://{}/docs", site(html + &reader, Some(service)).await);
    let rendered = tokio::task::spawn_blocking(move || render(&target)).await.expect("renders");
    let shown = rendered.dom.split("<script>").next().unwrap_or("");
    let answer = shown.split("class=\"answer\"").nth(1).unwrap_or("");
    assert!(answer.contains("\"name\": \"Mechanical Keyboard\""), "{answer} {:?}", rendered.console);
    let listed = stack.send(Role::Product, "GET", "/products?q=mechanical", None).await;
    assert_eq!(listed.body.as_array().map(Vec::len), Some(2), "the article's and the one the page made");
    assert!(!shown.contains(&token), "the token is not shown");
}
