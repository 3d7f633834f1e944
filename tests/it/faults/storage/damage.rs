//! Damaged data: told apart from other errors, with the file that has to be restored.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use ordersys_store::rusqlite::Connection;

use super::{Service, directory, file, filled, refused};

/// Bytes of a page of a database.
const PAGE: u64 = 4096;

/// Overwrites every page but the first ones, which hold the schema.
fn damage(database: &Path) {
    let file = fs::File::options().write(true).open(database).expect("opens");
    let pages = file.metadata().expect("is there").len() / PAGE;
    assert!(pages > 6, "{pages} pages");
    for page in (pages - 4)..pages {
        file.write_all_at(&[0xa5; 512], page * PAGE).expect("writes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_a_read_meets_is_told_apart_from_other_errors() {
    let (_dir, data) = directory();
    filled("user", &data).await;
    damage(&file("user", &data, ""));
    let mut service = Service::spawn("user", &data, |command| command);
    service.until("answering", |_| true).await;
    let met = service.get("/users?limit=1000").await;
    assert_eq!(met.code(), (503, "storage-damaged"), "{}", met.body);
    assert_eq!(met.retry_after.as_deref(), Some("60"));
    let reason = service.trouble().await;
    assert!(reason.contains("user.db is damaged") && reason.contains("restore"), "{reason}");
    assert_eq!(service.write().await.code(), (503, "storage-damaged"), "nothing is built on damage");
    assert_eq!(service.get("/health").await.status, 503);
    service.until_logged(&file("user", &data, "").display().to_string()).await;
    assert!(service.is_running(), "a restart would be in vain");
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_that_the_start_meets_is_why_it_fails() {
    let (_dir, data) = directory();
    filled("product", &data).await;
    damage(&file("product", &data, ""));
    let path = file("product", &data, "").display().to_string();
    refused("product", &data, &[&path, "cannot be used", "is damaged", "restore the directory from a copy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_row_that_makes_no_sense_is_damage() {
    for (role, change, read) in [
        ("product", "UPDATE product SET currency = '???'", "/products"),
        ("product", "UPDATE product SET created_at = created_at, name = CAST(x'ff' AS TEXT)", "/products"),
        ("user", "UPDATE user SET name = CAST(x'fffe' AS TEXT)", "/users"),
    ] {
        let (_dir, data) = directory();
        let service = Service::start(role, &data).await;
        assert_eq!(service.write().await.status, 201);
        service.stop();
        let database = Connection::open(file(role, &data, "")).expect("opens");
        database.execute_batch(&format!("PRAGMA ignore_check_constraints = 1; {change}")).expect(change);
        drop(database);
        let service = Service::spawn(role, &data, |command| command);
        service.until("started", |answer| answer.body["reason"] != "starting").await;
        let met = service.get(read).await;
        assert_eq!(met.code(), (503, "storage-damaged"), "{change}: {}", met.body);
        assert!(service.trouble().await.contains(&format!("{role}.db is damaged")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_not_closed_is_checked_without_being_asked() {
    let (_dir, data) = directory();
    filled("user", &data).await;
    let service = Service::start("user", &data).await;
    drop(service); // as kill -9 does
    let sound = Service::start("user", &data).await;
    sound.until_logged("was checked and is sound").await;
    drop(sound);
    damage(&file("user", &data, ""));
    let service = Service::spawn("user", &data, |command| command);
    assert!(service.trouble().await.contains("user.db is damaged"), "{}", service.log());
    service.stop();

    refused("user", &data, &["was damaged when it was last in use", "restore the directory from a copy"]);
    fs::remove_file(data.join("user").join("lock")).expect("removes");
    let again = Service::spawn("user", &data, |command| command);
    assert!(
        again.trouble().await.contains("user.db is damaged"),
        "checked, as nothing tells how it was left"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overwritten_while_in_use_is_noticed_and_nothing_more_is_written() {
    for suffix in ["", "-wal"] {
        let (_dir, data) = directory();
        filled("user", &data).await;
        let service = Service::start("user", &data).await;
        assert_eq!(service.write().await.status, 201);
        let emptied = fs::File::options().write(true).open(service.file(suffix)).expect("opens");
        emptied.set_len(0).expect("empties");
        let _ = service.write().await; // before it is noticed, or not
        assert!(service.trouble().await.contains("user.db is damaged"), "{}", service.log());
        assert_eq!(service.write().await.code(), (503, "storage-damaged"));
        let left = fs::read(service.file("")).expect("reads");
        service.stop();
        let path = file("user", &data, "");
        assert!(fs::read(&path).expect("reads") == left, "the database is as it was before the stop");
        refused("user", &data, &["was damaged when it was last in use", "restore the directory from a copy"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_goes_while_in_use_ends_acknowledgements() {
    for suffix in ["", "-wal"] {
        let (_dir, data) = directory();
        let service = Service::start("user", &data).await;
        assert_eq!(service.write().await.status, 201);
        fs::remove_file(service.file(suffix)).expect("removes");
        assert!(service.trouble().await.contains("user.db is damaged"), "{}", service.log());
        service.until_logged("was removed or replaced while in use").await;
        assert_eq!(service.write().await.code(), (503, "storage-damaged"));
    }
}
