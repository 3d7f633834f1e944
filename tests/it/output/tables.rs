//! Tables on terminals of each width: no line is too long, no id, URL or time is broken, and elsewhere nothing is cut.

use std::process::Command;

use ordersys_testkit::command::terminal::Terminal;
use unicode_width::UnicodeWidthStr as _;

use crate::output::Shop;

const WIDTHS: [u16; 3] = [40, 80, 120];

/// Commands that print tables. `_` in a word stands for a blank.
const TABLES: [&str; 17] = [
    "up --runtime process --topology monolith --dry-run",
    "status",
    "ps",
    "user list",
    "product list",
    "order list",
    "order list --status cancelled",
    "order get {order}",
    "order events {order}",
    "check",
    "doctor",
    "open",
    "ls",
    "config",
    "bench cleanup --older-than 0s",
    "bench report {runs}/a",
    "bench compare {runs}/a {runs}/b",
];

/// The same after seconds of load: these are tried on the narrowest terminal alone.
const SLOW: [&str; 2] = [
    "bench saturate --slo p99<1us --from 4 --step 1s --no-verify",
    "bench calibrate --step 1s --concurrency 2",
];

/// What was written without colours, and as it stood at last where a line was drawn over.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic()).map_or(after.len(), |end| end + 1);
        rest = &after[end..];
    }
    plain.push_str(rest);
    let last = |line: &str| line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default().to_owned();
    plain.lines().map(last).collect::<Vec<_>>().join("\n")
}

fn on_terminal(mut command: Command, columns: u16) -> String {
    plain(&Terminal::open(columns).run(&mut command).1)
}

/// The lines of a table: those from its rule on, and the titles above.
fn of_tables(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.lines().collect();
    let rules = lines.iter().enumerate().filter(|(_, line)| line.starts_with('─')).map(|(at, _)| at);
    let table = |rule: usize| {
        let rows = lines[rule..].iter().take_while(|line| !line.is_empty() && !line.contains(": ")).count();
        lines[rule - 1..rule + rows].to_vec()
    };
    rules.flat_map(table).collect()
}

fn fits(shop: &Shop, args: &str, columns: u16) {
    let text = on_terminal(shop.filled(args), columns);
    let lines = of_tables(&text);
    assert!(!lines.is_empty() || text.contains("none"), "{args}: {text}");
    for line in lines {
        assert!(line.width() <= columns.into(), "{args} at {columns}: {line}\n{text}");
    }
}

#[test]
fn tables_fit_the_terminal_and_break_nothing() {
    let shop = Shop::open();
    let long = "A product with a name that is far too long for any terminal of a usual width, 北京市";
    shop.project.run(&["product", "create", "--name", long, "--price", "1", "--stock", "5"]).ok();
    let order = shop.order(&[]);
    let urls: Vec<_> =
        ["user", "product", "order"].map(|name| shop.project.service(name)["url"].clone()).to_vec();
    std::thread::scope(|scope| {
        for args in SLOW {
            scope.spawn(|| fits(&shop, args, WIDTHS[0]));
        }
        for args in TABLES {
            for columns in WIDTHS {
                fits(&shop, args, columns);
            }
        }
    });
    for columns in [80, 120] {
        let text = on_terminal(shop.filled("status"), columns);
        for url in &urls {
            assert!(text.contains(url.as_str().expect("a URL")) && text.contains(" ago"), "{text}");
        }
    }
    for columns in WIDTHS {
        let text = on_terminal(shop.filled("order list --user {user}"), columns);
        assert!(text.lines().any(|line| line.starts_with(&order)), "{text}");
    }
    let piped = shop.filled("product list").env("COLUMNS", "40").output().expect("runs");
    assert!(String::from_utf8_lossy(&piped.stdout).contains(long), "nothing is cut where no terminal is");
}

#[test]
fn a_terminal_without_a_width_has_the_one_of_the_variable() {
    let shop = Shop::open();
    let mut command = shop.filled("status");
    command.env("COLUMNS", "60");
    let text = on_terminal(command, 0);
    assert!(of_tables(&text).iter().all(|line| line.width() <= 60) && !text.contains("VERSION"), "{text}");
}

#[test]
fn states_have_colours_on_terminals_that_have_some() {
    let shop = Shop::open();
    let on = |change: fn(&mut Command)| {
        let mut command = shop.filled("status");
        change(&mut command);
        Terminal::open(120).run(&mut command).1
    };
    assert!(on(|_| {}).contains("\u{1b}[32mready\u{1b}[0m"));
    assert!(on(|command| _ = command.env("NO_COLOR", "")).contains("\u{1b}[32mready"));
    for plain in
        [on(|command| _ = command.env("NO_COLOR", "1")), on(|command| _ = command.env("TERM", "dumb"))]
    {
        assert!(plain.contains("ready") && !plain.contains('\u{1b}'), "{plain:?}");
    }
    let piped = shop.filled("status").output().expect("runs");
    assert!(!piped.stdout.contains(&0x1b));
    let logs = |term: &str| Terminal::open(120).run(shop.filled("logs").env("TERM", term)).1;
    assert!(logs("xterm").contains("\u{1b}[") && !logs("dumb").contains('\u{1b}'));
}

#[test]
fn lists_say_that_they_are_empty_or_go_on() {
    let shop = Shop::open();
    for (args, name) in [
        ("order list", "orders"),
        ("product list --search zzz", "products"),
        ("user list --email z@example.com", "users"),
    ] {
        let output = shop.filled(args).output().expect("runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "none\n", "{args}");
        let output = shop.filled(&format!("{args} -o json")).output().expect("runs");
        let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(listed[name], serde_json::json!([]), "{args}");
    }
    let said = |args: &str| {
        let output = shop.filled(args).output().expect("runs");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let orders = [shop.order(&[]), shop.order(&[]), shop.order(&[])];
    let more = said("order list --limit 2");
    assert!(
        more.starts_with("2 orders are shown; more: ordersys ") && more.ends_with("--page 2\n"),
        "{more}"
    );
    assert_eq!(said(&format!("order list --limit {}", orders.len())), "");
    assert_eq!(said("order list --limit 2 --quiet"), "");
}

#[test]
fn the_line_of_a_run_stays_one_line_and_goes() {
    let shop = Shop::open();
    for columns in WIDTHS {
        let run = "bench run --duration 1s --concurrency 2 --warmup 0s --no-verify";
        let (_, text) = Terminal::open(columns).run(&mut shop.filled(run));
        let drawn = text.split(['\r', '\n']).filter(|part| part.contains("load"));
        for part in drawn.map(plain) {
            assert!(part.width() <= columns.into(), "{columns}: {part}");
        }
        assert!(!plain(&text).lines().any(|line| line.starts_with("load ")), "it is cleared: {text:?}");
        let (_, dumb) = Terminal::open(columns).run(shop.filled(run).env("TERM", "dumb"));
        assert!(!dumb.contains('\u{1b}') && !dumb.contains("load "), "{dumb:?}");
    }
}
