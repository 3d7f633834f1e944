//! What leaves the program: all of it or an error, nothing that steers a terminal, as wide as there is room.

mod failures;
mod foreign;
mod leaving;
mod tables;

use std::process::{Command, Stdio};

use ordersys_postgres::Temporary;
use ordersys_testkit::{Project, binary};
use serde_json::Value;

/// A stack of one process, with something in it.
struct Shop {
    project: Project,
    user: String,
}

impl Shop {
    fn open() -> Self {
        let project = Project::new("process");
        project.up(&["--topology", "monolith"]).ok();
        let user = ["user", "create", "--name", "Ann", "--email", "ann@example.com"];
        let user = id(&project.run(&user).ok().data);
        Self { project, user }
    }

    /// A new order, after these steps.
    fn order(&self, steps: &[&str]) -> String {
        let place = ["order", "place", "--user", &self.user, "--item", "USB-C Hub=1"];
        let order = id(&self.project.run(&place).ok().data);
        for step in steps {
            self.project.run(&["order", step, &order]).ok();
        }
        order
    }

    /// A command on this project that prints tables.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .env("ORDERSYS_PROJECT", &self.project.name)
            .env("ORDERSYS_STATE_DIR", self.project.state.path());
        command.args(args).stdin(Stdio::null()).env("TERM", "xterm").env_remove("NO_COLOR");
        command
    }

    /// A command, with what is in this shop for `{user}`, `{order}` (a new one), `{paid}`, `{shipped}`, `{health}` (a URL)
    /// and `{runs}` (a directory), `{store}` (an empty database) and `{password}` (the file with its role's password), and
    /// blanks for `_`.
    fn filled(&self, args: &str) -> Command {
        let word = |word: &str| match word {
            "{user}" => self.user.clone(),
            "{order}" => self.order(&[]),
            "{paid}" => self.order(&["pay"]),
            "{shipped}" => self.order(&["pay", "ship"]),
            "{health}" => format!("{}/health", self.project.service("order")["url"].as_str().expect("a URL")),
            "{store}" => Temporary::shared().database().expect("a database").to_string(),
            "{password}" => self.database_password(),
            runs if runs.starts_with("{runs}") => runs.replace("{runs}", &self.runs()),
            other => other.replace('_', " "),
        };
        let words: Vec<_> = args.split_whitespace().map(word).collect();
        self.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn database_password(&self) -> String {
        let path = self.project.state.path().join("database.password");
        std::fs::write(&path, Temporary::shared().password().expose()).expect("writes");
        path.display().to_string()
    }

    /// A directory with stored runs `a` and `b`.
    fn runs(&self) -> String {
        let runs = self.project.state.path().join("runs");
        for dir in ["a", "b"].map(|name| runs.join(name)) {
            let file = dir.join("result.json");
            if file.is_file() {
                continue;
            }
            let run =
                "bench run --count 20 --concurrency 2 --warmup 0s --mix order:50,read:50 --no-verify --out";
            let words: Vec<_> = run.split(' ').chain(dir.to_str()).collect();
            let ran = self.command(&words).output().expect("runs");
            let stored = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
            // Runs that say nothing are not compared, and on a busy machine these may be some.
            let words = ["INVALID", "SUSPECT", "SATURATED"];
            let valid = words.iter().fold(stored, |text, word| text.replace(word, "VALID"));
            std::fs::write(&file, valid).expect("writes");
        }
        runs.display().to_string()
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id: {value}")).to_owned()
}
