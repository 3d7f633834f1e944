//! What holds wherever the services run, processes or containers, three or one: each judges a user's token, and
//! answers to its own names only.

use ordersys_contract::Role;
use ordersys_contract::client::{Client, Endpoints};
use ordersys_contract::session::NewSession;
use ordersys_contract::user::NewUser;
use ordersys_contract::{Password, Secret, UserId};
use ordersys_testkit::{LIMIT, Project, has_engine};
use reqwest::Method;

const PASSWORD: &str = "correct horse battery";
const EMAIL: &str = "ann@example.com";

/// The services as `up` says where they are.
fn endpoints(project: &Project, more: &[&str]) -> Endpoints {
    let up = project.up(more).ok();
    let services = up.data["services"].as_array().expect("services");
    let url = |role: Role| {
        let service = services.iter().find(|service| service["name"] == role.name()).expect("a service");
        service["url"].as_str().expect("a URL").to_owned()
    };
    Endpoints {
        user: url(Role::User),
        product: url(Role::Product),
        order: url(Role::Order),
        ..Endpoints::default()
    }
}

async fn registered(endpoints: &Endpoints) -> (UserId, Secret) {
    let client = Client::new(endpoints.clone());
    let new = NewUser::registered("Ann", EMAIL, Password::new(PASSWORD));
    client.create_user(&new).await.expect("registers");
    let login = NewSession { email: EMAIL.to_owned(), password: Password::new(PASSWORD) };
    let session = client.log_in(&login).await.expect("logs in");
    (session.user_id, session.access_token)
}

async fn answers_rightly(endpoints: &Endpoints) {
    let (id, token) = registered(endpoints).await;
    let http = reqwest::Client::new();
    let Endpoints { user, product, order, .. } = endpoints;
    let none = "00000000-0000-7000-8000-000000000000";
    for (method, url, expected) in [
        (Method::GET, format!("{user}/users/{id}"), 200),
        (Method::GET, format!("{user}/users"), 403),
        (Method::GET, format!("{product}/products"), 200),
        (Method::POST, format!("{product}/products"), 403),
        (Method::POST, format!("{product}/products/{none}/restock"), 403),
        (Method::POST, format!("{product}/products/{none}/reserve"), 404),
        (Method::GET, format!("{product}/internal/invariants"), 404),
        (Method::GET, format!("{order}/orders"), 200),
        (Method::POST, format!("{order}/orders/{none}/pay"), 403),
        (Method::GET, format!("{order}/internal/orders"), 404),
    ] {
        let request = http.request(method.clone(), &url).bearer_auth(token.expose()).timeout(LIMIT);
        let status = request.send().await.expect("answers").status().as_u16();
        assert_eq!(status, expected, "{method} {url}");
    }
    for (role, url) in [(Role::User, user), (Role::Product, product), (Role::Order, order)] {
        let own = format!("{}:{}", role.host_name(), role.default_port());
        for (host, expected) in [(own.as_str(), 200), ("localhost", 200), ("evil.example", 421)] {
            let request = http.get(format!("{url}/readyz")).header("host", host).timeout(LIMIT);
            assert_eq!(
                request.send().await.expect("answers").status().as_u16(),
                expected,
                "{role} as {host}"
            );
        }
    }
}

async fn everywhere(runtime: &'static str, topology: &str) {
    let project = Project::new(runtime);
    answers_rightly(&endpoints(&project, &["--topology", topology])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_judge_tokens_and_names() {
    everywhere("process", "services").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_judges_tokens_and_names() {
    everywhere("process", "monolith").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_containers_judge_tokens_and_names() {
    if has_engine() {
        everywhere("docker", "services").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_container_judges_tokens_and_names() {
    if has_engine() {
        everywhere("docker", "monolith").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_name_is_answered_to() {
    let project = Project::new("process");
    let endpoints = endpoints(&project, &["--topology", "monolith", "--allowed-host", "shop.example"]);
    for url in [endpoints.user, endpoints.product, endpoints.order] {
        let request = reqwest::Client::new().get(format!("{url}/readyz")).header("host", "Shop.Example:443");
        assert_eq!(request.timeout(LIMIT).send().await.expect("answers").status().as_u16(), 200, "{url}");
    }
    let wrong = project.run(&["up", "--runtime", "process", "--allowed-host", "http://shop.example/"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.said);
    assert!(wrong.said.contains("without scheme, port and path"), "{}", wrong.said);
}
