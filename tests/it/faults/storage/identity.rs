//! A database that is gone or another one is not taken for a new one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ordersys_store::rusqlite::Connection;
use ordersys_testkit::Project;

use super::{Service, directory, file, filled, refused};

type Change = fn(&Path, &Path);

/// What is done to a database, given one of another project, and what is said of it.
const CHANGES: [(&str, Change, &[&str]); 9] = [
    (
        "removed",
        |db, _| fs::remove_file(db).expect("removes"),
        &["product.db is gone", "restore the directory"],
    ),
    ("emptied", |db, _| fs::write(db, "").expect("empties"), &["product.db is empty", "restore"]),
    (
        "of another project",
        |db, other| {
            fs::copy(other.join("product/product.db"), db).expect("copies");
        },
        &["is another store", "put the right product.db back", "rm '"],
    ),
    (
        "of another service",
        |db, other| {
            fs::copy(other.join("user/user.db"), db).expect("copies");
        },
        &["is one of the user service"],
    ),
    (
        "without an identity",
        |db, _| {
            Connection::open(db).and_then(|db| db.execute_batch("DROP TABLE store_identity")).expect("drops");
        },
        &["does not say which store it is"],
    ),
    (
        "a foreign identity",
        |db, _| {
            fs::write(db.with_file_name("identity"), "{}").expect("writes");
        },
        &["identity of the store", "missing field", "restore it from a copy"],
    ),
    (
        "a link",
        |db, _| {
            let moved = db.with_file_name("moved");
            fs::rename(db, &moved).expect("moves");
            std::os::unix::fs::symlink(moved, db).expect("links");
        },
        &["product.db is a symbolic link, not a file"],
    ),
    (
        "a directory",
        |db, _| {
            fs::remove_file(db).expect("removes");
            fs::create_dir(db).expect("makes");
        },
        &["product.db is a directory, not a file"],
    ),
    (
        "a lock that is a pipe",
        |db, _| {
            fs::remove_file(db.with_file_name("lock")).expect("removes");
            let made = Command::new("mkfifo").arg(db.with_file_name("lock")).status().expect("runs");
            assert!(made.success());
        },
        &["lock is a pipe, not a file"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_or_another_one_is_not_taken_for_a_new_one() {
    let (dir, data) = directory();
    filled("product", &data).await;
    let other = dir.path().join("other");
    Service::start("product", &other).await.stop();
    Service::start("user", &other).await.stop();
    for (what, change, expected) in CHANGES {
        let copy = dir.path().join("copy");
        copy_of(&data, &copy);
        let database = file("product", &copy, "");
        change(&database, &other);
        let before = fs::read(&database).ok();
        refused("product", &copy, expected);
        assert_eq!(fs::read(&database).ok(), before, "{what}: was changed");
        fs::remove_dir_all(&copy).expect("removes");
    }
    // The log of a killed service, without its database.
    let service = Service::start("product", &data).await;
    assert_eq!(service.write().await.status, 201);
    drop(service);
    fs::remove_file(data.join("product/identity")).expect("removes");
    fs::remove_file(file("product", &data, "")).expect("removes");
    refused("product", &data, &["product.db is gone, and its log is still there"]);
}

fn copy_of(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("runs");
    assert!(copied.success());
}

/// The id of the store that an identity names.
fn named(identity: &Path) -> serde_json::Value {
    let text = fs::read(identity).expect("is there");
    serde_json::from_slice::<serde_json::Value>(&text).expect("JSON")["store"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_an_earlier_version_gets_an_identity_once() {
    let (_dir, data) = directory();
    filled("product", &data).await;
    let identity = data.join("product/identity");
    fs::remove_file(&identity).expect("removes");
    let database = Connection::open(file("product", &data, "")).expect("opens");
    database.execute_batch("DROP TABLE store_identity").expect("drops");
    drop(database);
    let service = Service::start("product", &data).await;
    assert_eq!(service.get("/products?limit=1000").await.body.as_array().map(Vec::len), Some(63));
    service.stop();
    let adopted = named(&identity);

    // A crash between the two writes of the identity: what the database says counts.
    fs::remove_file(&identity).expect("removes");
    Service::start("product", &data).await.stop();
    assert_eq!(named(&identity), adopted);
    Service::start("product", &data).await.stop();
    assert_eq!(named(&identity), adopted);

    // A database of another service that says nothing either.
    let (_dir, other) = directory();
    Service::start("user", &other).await.stop();
    fs::create_dir(other.join("product")).expect("makes");
    fs::rename(file("user", &other, ""), file("product", &other, "")).expect("moves");
    let database = Connection::open(file("product", &other, "")).expect("opens");
    database.execute_batch("DROP TABLE store_identity; PRAGMA user_version = 1").expect("drops");
    drop(database);
    refused("product", &other, &["has no table `product`"]);
}

/// The file of this name below a directory.
fn found(dir: &Path, name: &str) -> Option<PathBuf> {
    let mut entries = fs::read_dir(dir).expect("reads").map(|entry| entry.expect("an entry").path());
    entries.find_map(|path| {
        if path.is_dir() {
            return found(&path, name);
        }
        path.file_name().is_some_and(|it| it == name).then_some(path)
    })
}

#[test]
fn up_fails_on_an_emptied_database_and_says_what_to_do() {
    let project = Project::new("process");
    project.up(&[]).ok();
    project.run(&["down"]).ok();
    let database = found(project.state.path(), "user.db").expect("is there");
    let sound = fs::read(&database).expect("reads");
    fs::write(&database, "").expect("empties");
    let up = project.up(&[]);
    assert_ne!(up.code, Some(0), "{}", up.said);
    for part in ["user.db is empty: it was not before", "restore the directory from a copy"] {
        assert!(up.said.contains(part), "`{part}` is missing in: {}", up.said);
    }
    fs::write(&database, sound).expect("restores");
    project.up(&[]).ok();
}

/// What was committed last is in the log until it is moved: without it a database is an older one.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_lost_or_is_anothers_is_not_passed_over() {
    let (dir, data) = directory();
    filled("user", &data).await;
    let service = Service::start("user", &data).await;
    assert_eq!(service.write().await.status, 201);
    drop(service); // as kill -9 does
    let other = dir.path().join("other");
    filled("user", &other).await;
    let service = Service::start("user", &other).await;
    assert_eq!(service.write().await.status, 201);
    drop(service);
    let (log, kept) = (file("user", &data, "-wal"), dir.path().join("kept"));
    fs::copy(&log, &kept).expect("copies");

    fs::write(&log, "").expect("empties");
    refused("user", &data, &["is not as it was left", "put the right user.db back", "rm '"]);
    fs::remove_file(&log).expect("removes");
    refused("user", &data, &["is not as it was left"]);
    fs::copy(file("user", &other, "-wal"), &log).expect("copies");
    refused("user", &data, &["is another store"]);
    fs::copy(&kept, &log).expect("copies");
    let service = Service::start("user", &data).await;
    assert_eq!(service.get("/readyz").await.status, 200);
}
