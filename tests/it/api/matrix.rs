//! Who may call what: every route of the three OpenAPI documents, tried as every kind of caller. A route
//! without a row fails, and so does a row without a route.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ordersys_contract::Role;
use ordersys_contract::product::Product;
use ordersys_contract::session::{NewSession, Session};
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{IdempotencyKey, Password};
use ordersys_testkit::stack::openapi::{Operation, document};
use ordersys_testkit::{Stack, order_of};

const PASSWORD: &str = "correct horse battery";

const CALLERS: [&str; 6] = ["anonymous", "guest", "A", "B", "admin", "service"];

/// `yes`: let in. Else the status that turns the caller away. A and B are registered. The guest acts on what
/// is its own by knowing the ids; all others act on what is A's.
const EXPECTED: &str = "
    service method path                           anonymous  guest  A    B    admin  service
    any     GET    /docs                          yes        yes    yes  yes  yes    yes
    any     GET    /health                        yes        yes    yes  yes  yes    yes
    any     GET    /livez                         yes        yes    yes  yes  yes    yes
    any     GET    /metrics                       yes        yes    yes  yes  yes    yes
    any     GET    /openapi.json                  yes        yes    yes  yes  yes    yes
    any     GET    /readyz                        yes        yes    yes  yes  yes    yes
    any     GET    /problems                      yes        yes    yes  yes  yes    yes
    any     GET    /problems/{code}               yes        yes    yes  yes  yes    yes

    user    GET    /users                         401        401    403  403  yes    403
    user    POST   /users                         yes        yes    yes  yes  yes    yes
    user    GET    /users/{id}                    404        yes    yes  404  yes    404
    user    PATCH  /users/{id}                    401        401    yes  404  yes    404
    user    POST   /users/{id}/disable            401        401    403  403  yes    403
    user    POST   /users/{id}/enable             401        401    403  403  yes    403
    user    POST   /sessions                      yes        yes    yes  yes  yes    yes
    user    DELETE /sessions                      401        401    yes  yes  403    403
    user    DELETE /sessions/current              401        401    yes  yes  403    403
    user    POST   /sessions/refresh              yes        yes    yes  yes  yes    yes
    user    GET    /.well-known/jwks.json         yes        yes    yes  yes  yes    yes
    user    POST   /internal/users/lookup         404        404    404  404  404    yes
    user    GET    /internal/users                404        404    404  404  yes    yes
    user    POST   /internal/users/records        404        404    404  404  yes    yes
    user    GET    /internal/sessions             404        404    404  404  yes    yes
    user    GET    /internal/keys                 404        404    404  404  yes    yes
    user    GET    /internal/networks/unowned     404        404    404  404  yes    yes
    user    POST   /internal/users/cleanup        404        404    404  404  yes    yes

    product GET    /products                      yes        yes    yes  yes  yes    yes
    product POST   /products                      401        401    403  403  yes    403
    product GET    /products/{id}                 yes        yes    yes  yes  yes    yes
    product PATCH  /products/{id}                 401        401    403  403  yes    403
    product POST   /products/{id}/restock         401        401    403  403  yes    403
    product POST   /products/{id}/reserve         404        404    404  404  yes    yes
    product POST   /products/{id}/release         404        404    404  404  yes    yes
    product GET    /internal/reservations         404        404    404  404  yes    yes
    product POST   /internal/reservations         404        404    404  404  404    yes
    product GET    /internal/reservations/{id}    404        404    404  404  yes    yes
    product GET    /internal/products             404        404    404  404  yes    yes
    product GET    /internal/products/{id}        404        404    404  404  yes    yes
    product GET    /internal/invariants           404        404    404  404  yes    yes
    product POST   /internal/products/cleanup     404        404    404  404  yes    yes

    order   GET    /orders                        401        401    yes  403  yes    403
    order   POST   /orders                        401        yes    yes  403  yes    403
    order   GET    /orders/{id}                   404        yes    yes  404  yes    404
    order   GET    /orders/{id}/events            404        yes    yes  404  yes    404
    order   POST   /orders/{id}/cancel            404        yes    yes  404  yes    404
    order   POST   /orders/{id}/pay               401        401    403  403  yes    403
    order   POST   /orders/{id}/ship              401        401    403  403  yes    403
    order   POST   /orders/{id}/deliver           401        401    403  403  yes    403
    order   GET    /internal/orders               404        404    404  404  yes    yes
    order   GET    /internal/orders/{id}          404        404    404  404  yes    yes
    order   GET    /internal/orders/by-key        404        404    404  404  yes    yes
    order   GET    /internal/idempotency-keys     404        404    404  404  yes    yes
";

/// What a row of the table is about: service, method, path.
type Route = (String, String, String);

fn expected() -> BTreeMap<Route, Vec<&'static str>> {
    let rows = EXPECTED.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let rows = rows.filter(|words| words.len() > 3).skip(1);
    rows.map(|words| {
        assert_eq!(words.len(), 3 + CALLERS.len(), "a row has one word for each caller: {words:?}");
        let [service, method, path] = [words[0], words[1], words[2]].map(str::to_owned);
        ((service, method, path), words[3..].to_vec())
    })
    .collect()
}

/// What the callers act on, and as whom.
struct Scene {
    stack: Stack,
    guest: User,
    a: User,
    product: Product,
    orders: AtomicUsize,
    /// The access tokens of A and B as headers.
    bearers: BTreeMap<&'static str, String>,
    /// A refresh token that was not used yet.
    refresh: Mutex<String>,
}

async fn join(stack: &Stack, name: &str) -> User {
    let new = NewUser::registered(name, address(name), Password::new(PASSWORD));
    // As the admin: registering counts towards the passwords that an address may try.
    stack.admin().create_user(&new).await.expect("registers")
}

fn address(name: &str) -> String {
    format!("{name}@example.com")
}

async fn log_in(stack: &Stack, name: &str) -> Session {
    let new = NewSession { email: address(name), password: Password::new(PASSWORD) };
    stack.anyone().log_in(&new).await.expect("logs in")
}

impl Scene {
    async fn new() -> Self {
        let stack = Stack::start().await;
        let (guest, product) = (stack.a_user().await, stack.a_product(100_000).await);
        let a = join(&stack, "A").await;
        for other in ["B", "refreshing", "entering"] {
            join(&stack, other).await;
        }
        let refresh = log_in(&stack, "refreshing").await.refresh_token.expose().to_owned();
        let refresh = Mutex::new(refresh);
        let bearers = BTreeMap::new();
        let mut scene = Self { stack, guest, a, product, orders: AtomicUsize::new(0), bearers, refresh };
        scene.log_all_in().await;
        scene
    }

    /// Undoes what a call may have done to A and B.
    async fn log_all_in(&mut self) {
        self.stack.admin().enable_user(self.a.id).await.expect("enables");
        for name in ["A", "B"] {
            let session = log_in(&self.stack, name).await;
            self.bearers.insert(name, format!("Bearer {}", session.access_token.expose()));
        }
    }

    /// Whose things this caller acts on.
    fn owner(&self, caller: &str) -> &User {
        if caller == "guest" { &self.guest } else { &self.a }
    }

    /// The id of a new order of the owner, and its key.
    async fn an_order(&self, owner: &User) -> (String, String) {
        let key = format!("matrix-{}", self.orders.fetch_add(1, Ordering::Relaxed));
        let parsed = IdempotencyKey::parse(&key);
        let order = order_of(owner, &[(&self.product, 1)]);
        let placed = self.stack.admin().place(&order, parsed.as_ref()).await.expect("places");
        (placed.order.id.to_string(), key)
    }

    /// The path with the id of something that is there, and what the query needs.
    async fn target(&self, operation: &Operation<'_>, owner: &User) -> String {
        let path = operation.path;
        if path == "/internal/orders/by-key" {
            let (_, key) = self.an_order(owner).await;
            return format!("{path}?userId={}&key={key}", owner.id);
        }
        if (operation.method.as_str(), path) == ("get", "/orders") {
            return format!("{path}?userId={}", owner.id);
        }
        if !path.contains("{id}") {
            return path.replace("{code}", "not-found");
        }
        let id = match path {
            _ if path.starts_with("/users/") => owner.id.to_string(),
            _ if path.contains("/products/") => self.product.id.to_string(),
            _ => self.an_order(owner).await.0,
        };
        path.replace("{id}", &id)
    }

    fn body(&self, operation: &Operation<'_>, owner: &User) -> Option<String> {
        let (owner, product) = (owner.id, self.product.id);
        let body = match (operation.method.as_str(), operation.path) {
            ("post", "/users") => r#"{"name":"Eve","email":"eve@example.com"}"#.to_owned(),
            ("patch", "/users/{id}") => r#"{"name":"Ann"}"#.to_owned(),
            ("post", "/sessions") => {
                format!(r#"{{"email":"{}","password":"{PASSWORD}"}}"#, address("entering"))
            }
            ("post", "/sessions/refresh") => {
                let token = self.refresh.lock().expect("not poisoned");
                format!(r#"{{"refreshToken":"{token}"}}"#)
            }
            ("post", "/internal/users/lookup" | "/internal/users/records") => {
                format!(r#"{{"ids":["{owner}"]}}"#)
            }
            ("post", "/internal/users/cleanup" | "/internal/products/cleanup") => {
                r#"{"olderThan":3600}"#.to_owned()
            }
            ("post", "/products") => r#"{"name":"Thing","price":1,"stock":1}"#.to_owned(),
            ("patch", "/products/{id}") => r#"{"price":1}"#.to_owned(),
            ("post", "/products/{id}/restock" | "/products/{id}/reserve" | "/products/{id}/release") => {
                r#"{"quantity":1}"#.to_owned()
            }
            ("post", "/internal/reservations") => r#"{"operations":[]}"#.to_owned(),
            ("post", "/orders") => {
                format!(r#"{{"userId":"{owner}","items":[{{"productId":"{product}","quantity":1}}]}}"#)
            }
            _ => return None,
        };
        Some(body)
    }

    /// What this caller is answered: `yes`, or the status that turns it away.
    async fn outcome(&self, role: Role, operation: &Operation<'_>, caller: &str) -> String {
        let bearer = match caller {
            "admin" => Some(self.stack.admin_bearer()),
            "service" => Some(self.stack.service_bearer()),
            _ => self.bearers.get(caller).cloned(),
        };
        let owner = self.owner(caller);
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(bearer.as_ref().map(|bearer| ("authorization", bearer.as_str())));
        let (method, target) = (operation.method.to_ascii_uppercase(), self.target(operation, owner).await);
        let body = self.body(operation, owner);
        let answer = self.stack.send_with(role, &method, &target, &headers, body).await;
        if let (200, Some(next)) = (answer.status, answer.body["refreshToken"].as_str()) {
            next.clone_into(&mut self.refresh.lock().expect("not poisoned"));
        }
        match answer.status {
            // Let in, and then refused for the state of the thing.
            200..=299 | 409 => "yes".to_owned(),
            401 | 403 | 404 => answer.status.to_string(),
            _ => panic!("{method} {target} as {caller} says nothing about access: {}", answer.body),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_it_should() {
    let mut scene = Scene::new().await;
    let mut expected = expected();
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    for role in Role::ALL {
        for operation in document(role, scene.stack.url(role)).await.operations() {
            let method = operation.method.to_ascii_uppercase();
            let service = if operation.json["tags"][0] == "service" { "any" } else { role.name() };
            let route = (service.to_owned(), method, operation.path.to_owned());
            let Some(row) = expected.get(&route) else {
                wrong.push(format!("{route:?} has no row in the table"));
                continue;
            };
            for (caller, wanted) in CALLERS.iter().zip(row) {
                let outcome = scene.outcome(role, &operation, caller).await;
                if outcome != *wanted {
                    wrong.push(format!("{route:?} as {caller}: {outcome} and not {wanted}"));
                }
            }
            if ["/sessions", "/sessions/current", "/users/{id}/disable", "/users/{id}/enable"]
                .contains(&operation.path)
            {
                scene.log_all_in().await;
            }
            seen.push(route);
        }
    }
    expected.retain(|route, _| !seen.contains(route));
    wrong.extend(expected.keys().map(|route| format!("{route:?} has a row and is no route")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
