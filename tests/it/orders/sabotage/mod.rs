//! Whatever is changed in the stores behind the services' backs, `check` finds: every column of every table
//! is changed once, in real stores that real services then serve. What cannot be known from inside is listed
//! with its reason, and so is what needs a person to look.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use ordersys_contract::Role;
use ordersys_contract::order::{CANCEL, DELIVER, KeyRecord, NewLine, NewOrder, PAY, SHIP};
use ordersys_contract::product::{Hold, NewProduct, Product, ProductPatch};
use ordersys_contract::session::NewSession;
use ordersys_contract::user::{NewUser, User, UserPatch};
use ordersys_contract::{Client, Currency, IdempotencyKey, Money, OrderId, Password, ProductId, Quantity};
use ordersys_store::rusqlite::Connection;
use ordersys_testkit::{Stack, busy, order_of};
use ordersys_verify::audit::{Report, Standing, check};
use tokio::sync::Semaphore;

mod cases;

use cases::{Case, Found, cases};

/// How long a service may take to put right what it can.
const MENDING: std::time::Duration = std::time::Duration::from_secs(10);
/// Cases that are tried at a time; most of the time of each is a pause.
const AT_A_TIME: usize = 12;
/// A day in milliseconds, as the stores count.
const DAY: i64 = 24 * 60 * 60 * 1000;
const PASSWORD: &str = "correct horse battery";

/// The data of a stack that has ended, and the ids of what is in it by the names that cases use.
struct Scene {
    stack: Stack,
    ids: BTreeMap<&'static str, [u8; 16]>,
}

fn key(text: &str) -> Option<IdempotencyKey> {
    IdempotencyKey::parse(text)
}

async fn a_product(admin: &Client, name: &str, currency: Currency) -> Product {
    let price = Money::from_minor(500).expect("not negative");
    let new = NewProduct { name: name.to_owned(), price, stock: 30, currency, test: false };
    admin.create_product(&new).await.expect("creates")
}

async fn join(stack: &Stack, name: &str) -> User {
    let new = NewUser::registered(name, format!("{name}@Example.com"), Password::new(PASSWORD));
    stack.admin().create_user(&new).await.expect("registers")
}

async fn placed(admin: &Client, order: &NewOrder, key: Option<&IdempotencyKey>) -> OrderId {
    admin.place(order, key).await.expect("places").order.id
}

/// The order that a post with this key made, though it was refused.
async fn refused(admin: &Client, user: &User, order: &NewOrder, text: &str) -> OrderId {
    let name = key(text).expect("a key");
    admin.place(order, Some(&name)).await.expect_err("is refused");
    let keys = admin.key_records(None).await.expect("reads").items;
    let is_it = |record: &&KeyRecord| record.user_id == user.id && record.key == text;
    keys.iter().find(is_it).expect("is stored").order_id
}

async fn steps(admin: &Client, id: OrderId, steps: &[&'static str]) {
    for step in steps {
        admin.step(id, step).await.expect("steps");
    }
}

impl Scene {
    /// Fills a stack with orders, reservations, users and sessions in every state there is, and ends it.
    async fn new() -> Self {
        let mut stack = Stack::start_on_files().await;
        let admin = stack.admin();
        let mut ids = BTreeMap::new();
        Self::people(&stack, &mut ids).await;
        let (alice, bea) = (stack.a_user().await, join(&stack, "bea").await);
        let (sold, unsold) = (
            a_product(&admin, "Sold", Currency::USD).await,
            a_product(&admin, "Unsold", Currency::USD).await,
        );
        let euros = a_product(&admin, "Euros", "EUR".parse().expect("a currency")).await;
        ids.extend([("alice", *alice.id.as_bytes()), ("bea", *bea.id.as_bytes())]);
        ids.extend([("sold", *sold.id.as_bytes()), ("unsold", *unsold.id.as_bytes())]);
        ids.insert("nothing", *OrderId::now().as_bytes());

        let two = order_of(&alice, &[(&sold, 2), (&sold, 1)]);
        ids.insert("confirmed", *placed(&admin, &two, key("one").as_ref()).await.as_bytes());
        let patch = ProductPatch { name: Some("Sold anew".to_owned()), ..ProductPatch::default() };
        admin.edit_product(sold.id, &patch, None).await.expect("edits");
        admin.restock(sold.id, 5).await.expect("restocks");
        ids.insert("keyless", *placed(&admin, &two, None).await.as_bytes());
        let cancelled = placed(&admin, &two, None).await;
        steps(&admin, cancelled, &[CANCEL]).await;
        let delivered = placed(&admin, &two, key("two").as_ref()).await;
        steps(&admin, delivered, &[PAY, SHIP, DELIVER]).await;
        ids.extend([("cancelled", *cancelled.as_bytes()), ("delivered", *delivered.as_bytes())]);
        let of_bea = order_of(&bea, &[(&sold, 1)]);
        ids.insert("of bea", *placed(&admin, &of_bea, None).await.as_bytes());
        let patch = UserPatch { name: Some("Beatrice".to_owned()), ..UserPatch::default() };
        admin.edit_user(bea.id, &patch).await.expect("renames");
        Self::test_data(&stack, &mut ids).await;
        ids.insert("newest", *placed(&admin, &of_bea, None).await.as_bytes());

        let short = order_of(&alice, &[(&sold, 999)]);
        refused(&admin, &alice, &short, "earlier").await; // what is oldest of its kind may be forgotten
        ids.insert("rejected", *refused(&admin, &alice, &short, "short").await.as_bytes());
        let mixed = order_of(&alice, &[(&sold, 1), (&euros, 1)]);
        ids.insert("mixed", *refused(&admin, &alice, &mixed, "mixed").await.as_bytes());
        let line = NewLine { product_id: ProductId::now().to_string(), quantity: Quantity::ONE };
        let unknown = NewOrder { user_id: alice.id.to_string(), items: vec![line] };
        ids.insert("unknown", *refused(&admin, &alice, &unknown, "unknown").await.as_bytes());
        let hold = Hold { quantity: Quantity::new(4).expect("in range"), reservation_id: None };
        let held = admin.reserve(sold.id, &hold).await.expect("holds").reservation_id;
        ids.insert("held", *held.as_bytes());
        Self::sessions(&stack, bea, &mut ids).await;
        for role in Role::ALL {
            stack.end(role).await;
        }
        Self { stack, ids }
    }

    /// A product and a user that are test data, and the order of one for the other.
    async fn test_data(stack: &Stack, ids: &mut BTreeMap<&'static str, [u8; 16]>) {
        let admin = stack.admin();
        let tess = admin.create_user(&NewUser::guest("Tess", "tess@example.com").for_test()).await;
        let price = Money::from_minor(500).expect("not negative");
        let (name, currency) = ("Marked".to_owned(), Currency::USD);
        let marked = NewProduct { name, price, stock: 30, currency, test: true };
        let (tess, marked) = (tess.expect("creates"), admin.create_product(&marked).await.expect("creates"));
        let order = placed(&admin, &order_of(&tess, &[(&marked, 1)]), None).await;
        ids.extend([("tess", *tess.id.as_bytes()), ("marked", *marked.id.as_bytes())]);
        ids.insert("of tess", *order.as_bytes());
    }

    /// Users who order nothing.
    async fn people(stack: &Stack, ids: &mut BTreeMap<&'static str, [u8; 16]>) {
        let nico = NewUser::guest("Nico", "nico@example.com");
        let nico = stack.anyone().create_user(&nico).await.expect("creates");
        let dan = join(stack, "dan").await;
        stack.admin().disable_user(dan.id).await.expect("disables");
        let carl = join(stack, "carl").await;
        ids.extend(
            [("nico", nico.id), ("dan", dan.id), ("carl", carl.id)].map(|(n, id)| (n, *id.as_bytes())),
        );
    }

    async fn sessions(stack: &Stack, bea: User, ids: &mut BTreeMap<&'static str, [u8; 16]>) {
        let new = NewSession { email: bea.email, password: Password::new(PASSWORD) };
        stack.anyone().log_in(&new).await.expect("logs in");
        let session = stack.admin().session_records(None).await.expect("reads").items.remove(0);
        ids.insert("session", *session.id.as_bytes());
    }

    /// A copy of the data, in which a case may have changed something.
    fn copy(&self, case: Option<&Case>) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        for role in Role::ALL {
            let (from, to) = (self.dir(role), dir.path().join("data").join(role.name()));
            std::fs::create_dir_all(&to).expect("makes");
            for file in std::fs::read_dir(from).expect("lists") {
                let file = file.expect("lists");
                std::fs::copy(file.path(), to.join(file.file_name())).expect("copies");
            }
        }
        if let Some(case) = case {
            self.sabotage(case, &dir.path().join("data").join(case.of.name()));
        }
        dir
    }

    fn sabotage(&self, case: &Case, dir: &Path) {
        if let Some(file) = case.sql.strip_prefix("rm ") {
            return std::fs::remove_file(dir.join(file)).expect("removes");
        }
        let sql = self.ids.iter().fold(case.sql.to_owned(), |sql, (name, id)| {
            let hex = id.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
            sql.replace(&format!("{{{name}}}"), &format!("x'{hex}'"))
        });
        let spans = [("year", 365 * DAY), ("day", DAY), ("hour", DAY / 24)];
        let sql = spans
            .iter()
            .fold(sql, |sql, (name, span)| sql.replace(&format!("{{{name}}}"), &span.to_string()));
        assert!(!sql.contains('{'), "{sql} names something that is not there");
        let database = open(dir, case.of);
        database.pragma_update(None, "ignore_check_constraints", true).expect("asks");
        database.execute_batch(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let of_schema = ["DROP", "CREATE"].iter().any(|verb| sql.starts_with(verb));
        assert!(database.total_changes() > 0 || of_schema, "{sql} changed nothing");
    }

    fn dir(&self, role: Role) -> std::path::PathBuf {
        self.stack.data_dir().join(role.name())
    }

    /// The text of the id that a case names.
    fn text(&self, name: &str) -> String {
        let id = self.ids.get(name).map(|bytes| OrderId::from_bytes(*bytes).to_string());
        id.unwrap_or_else(|| name.to_owned())
    }

    /// Every column of every table of the three stores: `order.placed.total`.
    fn columns(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for role in Role::ALL {
            let database = open(&self.dir(role), role);
            // The identity of a store is not of its data: a wrong one keeps the service from starting.
            let select =
                "SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
                          WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
                            AND m.name <> 'store_identity'";
            let mut statement = database.prepare(select).expect("prepares");
            let columns = statement.query_map([], |row| row.get::<_, String>(0)).expect("reads");
            all.extend(columns.map(|column| format!("{}.{}", role.name(), column.expect("reads"))));
        }
        all
    }
}

fn open(dir: &Path, role: Role) -> Connection {
    Connection::open(dir.join(format!("{}.db", role.name()))).expect("opens")
}

fn failed(report: &Report) -> Vec<String> {
    let failed = report.findings.iter().filter(|finding| finding.result == Standing::Fail);
    failed.map(|finding| format!("{} {}", finding.id, finding.detail())).collect()
}

/// What `check` still finds after the time in which services put things right.
async fn until_clean(stack: &Stack, mut found: Vec<String>) -> Vec<String> {
    let began = std::time::Instant::now();
    while !found.is_empty() && began.elapsed() < MENDING {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        found = failed(&check(&stack.admin(), |_| {}).await.expect("reads everything"));
    }
    found
}

/// What is wrong with how a case ended, if something is.
async fn tried(scene: &Scene, case: &Case) -> Option<String> {
    let dir = scene.copy(Some(case));
    if let Found::Refused(said) = case.found {
        crate::faults::storage::refused(case.of.name(), &dir.path().join("data"), &[said]);
        return None;
    }
    let stack = Stack::start_on(dir).await;
    let checked = check(&stack.admin(), |_| {}).await;
    let ended = match (&case.found, checked) {
        (Found::Named { by, row }, Ok(report)) => {
            let (failed, name) = (failed(&report), scene.text(row));
            let named = failed.iter().any(|one| one.starts_with(&format!("{by} ")) && one.contains(&name));
            (!named).then(|| format!("not found by {by} with {name}: {failed:#?}"))
        }
        (Found::Unknowable(why), Ok(report)) => {
            let failed = failed(&report);
            (!failed.is_empty()).then(|| format!("is known, though {why}: {failed:#?}"))
        }
        (Found::Mended(why), Ok(report)) => {
            let left = until_clean(&stack, failed(&report)).await;
            (!left.is_empty()).then(|| format!("is not put right, though {why}: {left:#?}"))
        }
        (Found::Unreadable, Err(error)) if error.service == case.of => None,
        (Found::Refused(said), Ok(_)) => Some(format!("started, though it should say: {said}")),
        (_, Err(error)) => Some(format!("{error}: {}", error.source)),
        (Found::Unreadable, Ok(report)) => Some(format!("was read: {:#?}", failed(&report))),
    };
    ended.map(|ended| format!("{} ({}): {ended}", case.what, case.sql))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_in_a_store_is_found_with_the_row_it_is_in() {
    let _turn = busy().await;
    let scene = Arc::new(Scene::new().await);
    let cases = cases();
    let changed: BTreeSet<_> = cases.iter().flat_map(|case| case.columns.clone()).collect();
    assert_eq!(scene.columns(), changed, "every column has a case, and every case its column");

    let untouched = Stack::start_on(scene.copy(None)).await;
    let report = check(&untouched.admin(), |_| {}).await.expect("reads everything");
    assert_eq!(failed(&report), [] as [&str; 0]);

    let (places, count) = (Arc::new(Semaphore::new(AT_A_TIME)), cases.len());
    let local = tokio::task::LocalSet::new();
    let wrong = local.run_until(async {
        let mut trials = tokio::task::JoinSet::new();
        for case in cases {
            let (scene, places) = (Arc::clone(&scene), Arc::clone(&places));
            trials.spawn_local(async move {
                let _place = places.acquire().await.expect("is open");
                tried(&scene, &case).await
            });
        }
        trials.join_all().await.into_iter().flatten().collect::<Vec<_>>()
    });
    let wrong = wrong.await;
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
