//! Tracing as a collector sees it: callers' traces go on through all services, and nothing that goes
//! wrong with tracing harms an order.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use ordersys_contract::Role;
use ordersys_contract::product::Product;
use ordersys_contract::user::User;
use ordersys_spans::Settings;
use ordersys_testkit::peers::collector::{Collector, Seen, SpanKind};
use ordersys_testkit::{LIMIT, Project, Stack};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn traced(collector: &str, sample: &str, budget: u32) -> Settings {
    let collector = collector.parse().expect("a URL");
    Settings { collector, sample: sample.parse().expect("a part"), budget }
}

fn order_of(user: &User, product: &Product) -> String {
    json!({ "userId": user.id, "items": [{ "productId": product.id, "quantity": 1 }] }).to_string()
}

/// Posts an order under this name and, if there is one, with this `traceparent`.
async fn post(stack: &Stack, body: &str, name: &str, parent: Option<&str>) {
    let mut headers = vec![("content-type", "application/json"), ("x-request-id", name)];
    headers.extend(parent.map(|parent| ("traceparent", parent)));
    let answer = stack.send_with(Role::Order, "POST", "/orders", &headers, Some(body.to_owned())).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

/// The services send what they have when they stop.
async fn stopped(stack: &mut Stack, collector: &Collector) -> Vec<Seen> {
    for role in [Role::Order, Role::Product, Role::User] {
        stack.end(role).await;
    }
    collector.spans()
}

/// The span of this name below `parent`, of which there is one.
fn below<'a>(spans: &'a [Seen], parent: &str, service: &str, name: &str) -> &'a Seen {
    let is = |span: &&Seen| span.parent == parent && span.service == service && span.name == name;
    let found: Vec<_> = spans.iter().filter(is).collect();
    assert_eq!(found.len(), 1, "{service} {name} below {parent}: {spans:#?}");
    found[0]
}

/// The server span that a service noted for this request id.
fn requests<'a>(spans: &'a [Seen], service: &str, name: &str) -> Vec<&'a Seen> {
    let is = |span: &&Seen| {
        let named = span.attributes.get("ordersys.request.id").is_some_and(|id| id == name);
        span.service == service && named && span.attributes.contains_key("http.route")
    };
    spans.iter().filter(is).collect()
}

fn metric(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {text}"))
}

async fn metrics(url: &str) -> String {
    reqwest::get(format!("{url}/metrics")).await.expect("answers").text().await.expect("text")
}

/// One order with the caller's trace through the real binary; every span of it.
async fn one_order(topology: &str) -> Vec<Seen> {
    let collector = Collector::start().await;
    let project = Project::new("process");
    project.up(&["--topology", topology, "--otlp", &collector.url, "--otlp-sample", "0"]).ok();
    let user = project.run(&["user", "create", "--name", "Ann", "--email", "ann@example.com"]).ok().data;
    let thing =
        project.run(&["product", "create", "--name", "Thing", "--price", "1.00", "--stock", "9"]).ok().data;
    let order = json!({ "userId": user["id"], "items": [{ "productId": thing["id"], "quantity": 1 }] });
    let url = project.service("order")["url"].as_str().expect("a URL").to_owned();
    let request = reqwest::Client::new()
        .post(format!("{url}/orders"))
        .header("content-type", "application/json")
        .header("traceparent", format!("00-{TRACE}-{CALLER}-01"))
        .body(order.to_string());
    assert_eq!(request.send().await.expect("answers").status(), 201);
    project.run(&["down"]).ok();
    let lines = project.command(&["logs"]).output().expect("runs").stdout;
    assert!(String::from_utf8_lossy(&lines).contains(TRACE), "the log line names the trace");
    collector.spans()
}

/// What every trace of an order has, wherever its services run.
fn has_the_whole_story(spans: &[Seen]) {
    assert!(spans.iter().all(|span| span.trace == TRACE && span.nanos.0 <= span.nanos.1 && !span.failed));
    let server = below(spans, CALLER, "order", "POST /orders");
    assert_eq!(server.kind, SpanKind::Server);
    assert_eq!(server.attributes["http.response.status_code"], "201");
    let step = |name| below(spans, &server.id, "order", name);
    let (asked, reserve) = (step("ask: look up user"), step("ask: reserve"));
    assert_eq!((asked.kind, reserve.kind), (SpanKind::Client, SpanKind::Client));
    let (pending, confirmed) = (step("store: pending"), step("store: confirmed"));
    let first = below(spans, &pending.id, "order", "commit");
    let second = below(spans, &confirmed.id, "order", "commit");
    below(spans, &asked.id, "user", "look up");
    let reservation = below(spans, &reserve.id, "product", "reservation");
    assert_eq!(reservation.attributes["ordersys.outcome"], "committed");
    assert_eq!(reservation.attributes["ordersys.order.id"], server.attributes["ordersys.order.id"]);
    let decided = below(spans, &reservation.id, "product", "commit");
    let ends = [first, decided, second].map(|commit| commit.nanos.1);
    assert!(ends.is_sorted(), "wanted, decided, known: {ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_trace_goes_on_through_all_three_services() {
    let spans = one_order("services").await;
    has_the_whole_story(&spans);
    for (step, service, call, part) in [
        ("ask: look up user", "user", "POST /internal/users/lookup", "look up"),
        ("ask: reserve", "product", "POST /internal/reservations", "reservation"),
    ] {
        let asked = spans.iter().find(|span| span.name == step).expect("was asked");
        let call = below(&spans, &asked.id, service, call);
        let part = below(&spans, &asked.id, service, part);
        assert_eq!(part.links, [call.id.as_str()], "what is done for one order names the call for many");
    }
    assert_eq!(spans.len(), 12, "{spans:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_trace_goes_on_in_the_monolith() {
    let spans = one_order("monolith").await;
    has_the_whole_story(&spans);
    assert_eq!(spans.len(), 10, "{spans:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_share_calls_have_a_trace_each() {
    const ORDERS: usize = 40;
    let collector = Collector::start().await;
    let mut stack = Stack::start_traced(traced(&collector.url, "0", 100_000)).await;
    let body = order_of(&stack.a_user().await, &stack.a_product(1000).await);
    let parents: Vec<_> = (1..=ORDERS).map(|number| format!("00-{number:032x}-{CALLER}-01")).collect();
    join_all(parents.iter().map(|parent| post(&stack, &body, "shared", Some(parent)))).await;
    let spans = stopped(&mut stack, &collector).await;
    let mut traces = BTreeMap::<&str, Vec<Seen>>::new();
    for span in &spans {
        traces.entry(&span.trace).or_default().push(span.clone());
    }
    assert_eq!(traces.len(), ORDERS);
    let ids: HashSet<_> = spans.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids.len(), spans.len(), "no span is told twice");
    for trace in traces.values() {
        let reserve = trace.iter().find(|span| span.name == "ask: reserve").expect("was asked");
        let part = below(trace, &reserve.id, "product", "reservation");
        below(trace, &part.id, "product", "commit");
        assert!(part.links.iter().all(|call| ids.contains(call.as_str())) && part.links.len() == 1);
    }
    let calls = spans.iter().filter(|span| span.name == "POST /internal/reservations").count();
    assert!((1..ORDERS).contains(&calls), "{calls} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_begins_where_there_is_none_and_no_caller_declined() {
    let collector = Collector::start().await;
    let mut stack = Stack::start_traced(traced(&collector.url, "1", 100_000)).await;
    let body = order_of(&stack.a_user().await, &stack.a_product(9).await);
    post(&stack, &body, "bare", None).await;
    post(&stack, &body, "invalid", Some(&format!("00-{TRACE}-{CALLER}-01-and-more"))).await;
    post(&stack, &body, "unsampled", Some(&format!("00-{TRACE}-{CALLER}-00"))).await;
    let probe = [("x-request-id", "probe")];
    stack.send_with(Role::Order, "GET", "/readyz", &probe, None).await;
    let spans = stopped(&mut stack, &collector).await;
    for name in ["bare", "invalid"] {
        let found = requests(&spans, "order", name);
        assert!(
            found.len() == 1 && found[0].parent.is_empty() && found[0].trace != TRACE,
            "{name}: {found:?}"
        );
        let trace: Vec<_> = spans.iter().filter(|span| span.trace == found[0].trace).cloned().collect();
        assert_eq!(trace.len(), 12, "a whole trace: {trace:#?}");
    }
    for name in ["unsampled", "probe"] {
        assert!(requests(&spans, "order", name).is_empty(), "{name}");
    }
    assert!(spans.iter().all(|span| span.trace != TRACE), "no caller asked to record this");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_budget_does_not_cover_is_dropped_and_counted() {
    const REQUESTS: u64 = 60;
    let collector = Collector::start().await;
    let mut stack = Stack::start_traced(traced(&collector.url, "1", 5)).await;
    let began = Instant::now();
    for _ in 0..REQUESTS {
        let answer = reqwest::get(format!("{}/products", stack.url(Role::Product))).await.expect("answers");
        assert_eq!(answer.status(), 200);
    }
    let seconds = began.elapsed().as_secs() + 1;
    let dropped = metrics(stack.url(Role::Product)).await;
    let dropped = metric(&dropped, "ordersys_spans_dropped_total{service=\"product\",reason=\"budget\"}");
    let spans = stopped(&mut stack, &collector).await;
    let recorded = spans.iter().filter(|span| span.service == "product").count() as u64;
    assert!(recorded <= 5 * (seconds + 1), "{recorded} spans in {seconds} s");
    assert_eq!(recorded + dropped, REQUESTS, "each was recorded or counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_harms_nothing_and_is_told_once() {
    let place = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = place.local_addr().expect("bound");
    drop(place);
    let project = Project::new("process");
    project.up(&["--otlp", &format!("http://{address}"), "--otlp-sample", "1"]).ok();
    let user = project.run(&["user", "create", "--name", "Ann", "--email", "ann@example.com"]).ok().data;
    // More than can be ordered before the time is over, however fast the machine is.
    let stocked = ["product", "create", "--name", "Thing", "--price", "1.00", "--stock", "100000"];
    let thing = project.run(&stocked).ok().data;
    let url = project.service("order")["url"].as_str().expect("a URL").to_owned();
    let order = json!({ "userId": user["id"], "items": [{ "productId": thing["id"], "quantity": 1 }] });
    let http = reqwest::Client::new();
    let place = || {
        let request = http.post(format!("{url}/orders")).header("content-type", "application/json");
        request.body(order.to_string()).send()
    };
    let dropped = "ordersys_spans_dropped_total{service=\"order\",reason=\"collector\"}";
    let (began, mut failures) = (Instant::now(), HashSet::new());
    while failures.len() < 3 {
        assert_eq!(place().await.expect("answers").status(), 201, "an order never waits for a collector");
        failures.insert(metric(&metrics(&url).await, dropped));
        assert!(began.elapsed() < LIMIT, "nothing is dropped: {failures:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let collector = Collector::on(TcpListener::bind(address).await.expect("is free again"));
    place().await.expect("answers");
    collector.until("spans after the outage", |spans| spans.iter().any(|span| span.service == "order")).await;
    project.run(&["down"]).ok();
    let logs = project.command(&["logs"]).output().expect("runs").stdout;
    let lines: Vec<Value> =
        String::from_utf8_lossy(&logs).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told = |text: &str| {
        let is = |line: &&Value| line["service"] == "order" && line["message"].to_string().contains(text);
        lines.iter().filter(is).count()
    };
    assert_eq!((told("takes no spans"), told("takes spans again")), (1, 1), "{lines:?}");
}
