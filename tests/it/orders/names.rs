//! How people name orders, products and users on the command line, and how they are told why an order was refused.

use ordersys_testkit::Project;
use serde_json::Value;

/// A project with the article's products and Alice.
fn a_project() -> Project {
    let project = Project::new("process");
    project.up(&[]).ok();
    project.run(&["user", "create", "--name", "Alice", "--email", "alice@example.com"]).ok();
    project
}

/// What a command prints as text.
fn text(project: &Project, args: &[&str]) -> String {
    let output = project.command(&[args, &["-o", "table"]].concat()).output().expect("runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

#[test]
fn a_refused_order_says_why_wherever_it_is_shown() {
    let project = a_project();
    let alice = ["order", "place", "--user", "ALICE@example.com", "--item"];
    let refused = project.run(&[&alice[..], &["USB-C Hub=300"]].concat());
    assert_eq!(refused.code, Some(1));
    let wanted = "\"USB-C Hub\", 300 asked, 200 there";
    assert!(refused.said.contains(wanted), "{}", refused.said);

    let order = project.run(&["order", "get", "last"]).ok();
    let rejection = &order.data["rejection"];
    assert_eq!(rejection["code"], "insufficient-stock");
    let short = &rejection["shortages"][0];
    assert_eq!(
        (&short["name"], &short["requested"], &short["available"]),
        (&"USB-C Hub".into(), &300.into(), &200.into())
    );
    let reason = format!("insufficient-stock: {wanted}");
    let shown = text(&project, &["order", "get", "last"]);
    assert!(
        shown.contains(&reason) && !shown.contains(short["productId"].as_str().expect("an id")),
        "{shown}"
    );
    for args in [&["order", "list"][..], &["order", "events", "last"]] {
        assert!(text(&project, args).contains(&reason), "{args:?}");
    }
    let listed = project.run(&["order", "ls"]).ok().data;
    assert_eq!(listed["orders"][0]["rejection"], *rejection);

    // The hint is a command that works as it stands.
    let hint = order.said.lines().find_map(|line| line.split("add some: ").nth(1)).expect("a hint");
    let words = shlex::split(hint.trim_matches('`')).expect("words of a shell");
    let words: Vec<_> = words.iter().skip(1).map(String::as_str).collect();
    project.run(&words).ok();
    let hub = project.run(&["product", "get", "usb-c hub"]).ok().data;
    assert_eq!(hub["stock"], 300);
    project.run(&[&alice[..], &["USB-C Hub=300"]].concat()).ok();
    assert_eq!(project.run(&["order", "get", "last"]).ok().data["status"], "confirmed");
}

#[test]
fn orders_products_and_users_are_found_by_parts_and_nearly_right_names() {
    let project = a_project();
    let order =
        project.run(&["order", "place", "--user", "alice@example.com", "--item", "usb-c hub"]).ok().data;
    assert_eq!(order["items"][0]["quantity"], 1, "one if left out");
    let ends = |value: &Value| id(value)[30..].to_owned();
    assert_eq!(project.run(&["order", "get", &ends(&order)]).ok().data["id"], order["id"]);
    let hub = project.run(&["product", "get", "USB-C Hub"]).ok().data;
    assert_eq!(project.run(&["product", "get", &ends(&hub)]).ok().data, hub);
    let alice = project.run(&["user", "list", "--email", "Alice@EXAMPLE.com"]).ok().data["users"][0].clone();
    assert_eq!(project.run(&["user", "get", &ends(&alice)]).ok().data, alice);

    for (args, said) in [
        (&["product", "get", "Mechanical Keybord"][..], "did you mean \"Mechanical Keyboard\"?"),
        (&["product", "get", "27 Monitor"], "did you mean '27\" Monitor'?"),
        (&["user", "get", "alcie@example.com"], "did you mean alice@example.com?"),
        (&["product", "restock", "USB-C Hub", "0"], "it takes a whole number from 1 to 1000000000000"),
        (&["product", "restock", "USB-C Hub", "-5"], "it takes a whole number from 1 to 1000000000000"),
        (&["seed", "--users", "-1"], "it takes a whole number from 0 to"),
        (&["order", "get", "nope"], "or `last`"),
        (&["order", "get", "ffffffff"], "begins or ends with `ffffffff`"),
    ] {
        let ended = project.run(args);
        assert_ne!(ended.code, Some(0), "{args:?}");
        assert!(ended.said.contains(said), "{args:?}: {}", ended.said);
    }

    let hub_again = ["product", "create", "--name", "USB-C Hub", "--price", "1", "--stock", "7"];
    let twin = project.run(&hub_again).ok();
    assert!(twin.said.contains("another product is named \"USB-C Hub\" too"), "{}", twin.said);
    let twins = project.run(&["product", "get", "USB-C Hub"]);
    assert_eq!(twins.code, Some(2));
    for told in ["49.99 USD", "1.00 USD", "STOCK", "CREATED", id(&twin.data)] {
        assert!(twins.said.contains(told), "{told}: {}", twins.said);
    }
    let again = project.run(&["user", "create", "--name", "Al", "--email", "ALICE@example.com"]).ok();
    assert!(again.said.contains("another user has the address"), "{}", again.said);
    let both = project.run(&["user", "get", "alice@example.com"]);
    assert!(both.code == Some(2) && both.said.contains("Al "), "{}", both.said);
}

#[test]
fn lists_come_in_parts() {
    let project = a_project();
    for _ in 0..3 {
        project.run(&["order", "place", "--user", "alice@example.com", "--item", "USB-C Hub"]).ok();
    }
    let part = |args: &[&str]| {
        let listed = project.run(args).ok().data;
        (listed["version"].clone(), listed["orders"].as_array().map(Vec::len), listed["next"].clone())
    };
    let one = Value::from(1);
    assert_eq!(part(&["order", "list", "--limit", "2"]), (one.clone(), Some(2), 2.into()));
    assert_eq!(part(&["order", "list", "--limit", "2", "--page", "2"]), (one.clone(), Some(1), Value::Null));
    assert_eq!(part(&["order", "ls", "--all"]), (one, Some(3), Value::Null));
    let more = project.run(&["order", "list", "--limit", "2"]).ok().said;
    assert!(more.contains("more: ordersys order list --limit 2") && more.contains("--page 2"), "{more}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_seed_says_how_much_it_made() {
    use std::process::Stdio;

    let project = a_project();
    let mut seed = project.command(&["seed", "--users", "200000", "--products", "1"]);
    let child = seed.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    let pid = rustix::process::Pid::from_child(&child);
    // Until it has made some.
    let made = || project.run(&["user", "list", "--test", "--limit", "1"]).ok().data["users"][0].is_object();
    let began = std::time::Instant::now();
    while !made() {
        assert!(began.elapsed() < ordersys_testkit::LIMIT, "nothing was made");
    }
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("is there");
    let ended = ordersys_testkit::Ended::wait(child);
    assert_eq!(ended.code, Some(130), "{}", ended.said);
    let made = ended.said.split("created ").nth(1).and_then(|rest| rest.split_once(" of 200001"));
    let made: usize =
        made.and_then(|(made, _)| made.parse().ok()).unwrap_or_else(|| panic!("{}", ended.said));
    let listed = project.run(&["user", "list", "--test"]).ok().data;
    assert_eq!(listed["users"].as_array().map(Vec::len), Some(made));
}
