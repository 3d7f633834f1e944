//! A stack that keeps its data in a PostgreSQL database: the database outlives it, and what is wrong with it is named.

use ordersys_postgres::Temporary;
use ordersys_testkit::Project;
use serde_json::Value;

/// A project whose data is to be in a database of its own.
struct Kept {
    project: Project,
    store: String,
    password: String,
}

impl Kept {
    fn new() -> Self {
        let (project, server) = (Project::new("process"), Temporary::shared());
        let store = server.database().expect("a database").to_string();
        let password = project.state.path().join("password");
        std::fs::write(&password, format!("{}\n", server.password().expose())).expect("writes");
        Self { project, store, password: password.display().to_string() }
    }

    fn up(&self, more: &[&str]) -> ordersys_testkit::Ended {
        let args = ["up", "--runtime", "process", "--port", "auto", "--timeout", "30s"];
        self.project.run(&[&args, more].concat())
    }

    fn place(&self) -> String {
        let user = ["user", "create", "--name", "Ann", "--email", "ann@example.com"];
        let user = id(&self.project.run(&user).ok().data);
        id(&self.project.run(&["order", "place", "--user", &user, "--item", "USB-C Hub=2"]).ok().data)
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id: {value}")).to_owned()
}

#[test]
fn a_database_outlives_the_stack_and_is_found_again() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let kept = Kept::new();
    kept.up(&["--store", &kept.store, "--store-password-file", &kept.password]).ok();
    let order = kept.place();
    let down = kept.project.run(&["down"]).ok();
    assert!(down.said.contains(&kept.store), "{}", down.said);
    assert!(!kept.project.dir().join("data/order/order.db").exists(), "nothing is in files");
    std::fs::remove_file(&kept.password).expect("removes");
    let again = kept.up(&["--topology", "monolith"]).ok();
    assert!(again.said.contains(&format!("data in {}", kept.store)), "{}", again.said);
    let found = kept.project.run(&["order", "get", &order]).ok().data;
    assert_eq!(found["status"], "confirmed", "{found}");
    assert_eq!(kept.project.run(&["check"]).code, Some(0));
    let doctor = kept.project.run(&["doctor"]).data.to_string();
    assert!(doctor.contains("answered when it is in memory"), "this server syncs nothing: {doctor}");
    let down = kept.project.run(&["down", "--volumes"]).ok();
    assert!(down.said.contains("never removed"), "{}", down.said);
    let count = "SELECT count(*) FROM orders.placed";
    let database = kept.store.rsplit('/').next().expect("a name");
    assert_eq!(Temporary::shared().run(database, count).expect("reads"), "1");
}

#[test]
fn what_is_wrong_with_a_database_is_named_before_anything_serves() {
    if !ordersys_postgres::is_here() {
        return;
    }
    let kept = Kept::new();
    let wrong = kept.project.state.path().join("wrong");
    std::fs::write(&wrong, "wrong\n").expect("writes");
    let wrong = wrong.display().to_string();
    let elsewhere =
        kept.store.rsplit_once('/').map(|(server, _)| format!("{server}/nowhere")).expect("a path");
    let store = kept.store.as_str();
    for (args, exit, named) in [
        (vec!["--store", store, "--store-password-file", &wrong], 1, "password authentication failed"),
        (vec!["--store", &elsewhere, "--store-password-file", &kept.password], 1, "does not exist"),
        (vec!["--store", store, "--store-password-file", "/nowhere"], 3, "/nowhere must hold the password"),
        (vec!["--store", "postgres://me:secret@db/shop"], 2, "must not hold a password"),
        (vec!["--store", "mysql://me@db/shop"], 2, "expected sqlite, or postgres://"),
        (vec!["--store", store, "--durability", "memory"], 2, "a setting of its server"),
    ] {
        let ended = kept.up(&args);
        assert_eq!(ended.code, Some(exit), "{args:?}: {}", ended.said);
        assert!(ended.said.contains(named), "{args:?}: {}", ended.said);
        assert!(!ended.said.contains("secret@"), "{}", ended.said);
    }
    let usual = kept.project.run(&["migrate"]);
    assert_eq!(usual.code, Some(2), "{}", usual.said);
    let migrate = ["migrate", "--store", store, "--store-password-file", &kept.password];
    let made = kept.project.run(&migrate).ok().data;
    assert_eq!(made["schemas"].as_array().map(Vec::len), Some(3), "{made}");
    assert_eq!(kept.project.run(&migrate).ok().data["schemas"][2]["from"], made["schemas"][2]["to"]);
}
