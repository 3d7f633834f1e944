//! Commands that are named in what a command says, completed so that they work when pasted: each carries the flags
//! that make it mean the same project, engine and services.

/// How a command of this program begins.
const PROGRAM: &str = "ordersys ";
/// Flags that say which project is meant.
const OF_PROJECT: [&str; 2] = ["--project", "--state-dir"];
/// Flags that say who acts.
const OF_CALLER: [&str; 2] = ["--as", "--token-file"];
/// Commands that call services.
const CLIENTS: [&str; 6] = ["bench", "check", "order", "product", "seed", "user"];
/// Commands that act for somebody.
const ACTING: [&str; 1] = ["order"];

/// The flags a command was given that its successors need as well, each ready for a shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pasted {
    /// Which project.
    pub project: Vec<(&'static str, String)>,
    /// Which engine.
    pub engine: Vec<(&'static str, String)>,
    /// Which services, instead of the project's.
    pub services: Vec<(&'static str, String)>,
    /// Who acts.
    pub caller: Vec<(&'static str, String)>,
}

impl Pasted {
    /// A command as it has to be typed; one that names its project already keeps it.
    #[must_use]
    pub fn command(&self, command: &str) -> String {
        let Some(rest) = command.strip_prefix(PROGRAM) else { return command.to_owned() };
        let verb = rest.split(' ').next().unwrap_or_default();
        let has = |flags: &[&str]| command.split(' ').any(|word| flags.contains(&word));
        let mut whole = command.to_owned();
        let mut add = |flags: &[(&'static str, String)]| {
            for (flag, value) in flags {
                whole.extend([" ", flag, " ", value]);
            }
        };
        if !has(&OF_PROJECT) {
            add(&self.project);
        }
        if !has(&["--docker-host"]) {
            add(&self.engine);
        }
        if CLIENTS.contains(&verb) {
            add(&self.services);
        }
        if ACTING.contains(&verb) && !has(&OF_CALLER) {
            add(&self.caller);
        }
        whole
    }

    /// A text with each command between backticks as it has to be typed.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let pieces = text.split('`').enumerate();
        let whole = |(at, piece)| if at % 2 == 1 { self.command(piece) } else { str::to_owned(piece) };
        pieces.map(whole).collect::<Vec<_>>().join("`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_completed_once_and_nothing_else_is() {
        let pasted = Pasted {
            project: vec![("--project", "two".to_owned()), ("--state-dir", "'/a b'".to_owned())],
            engine: vec![("--docker-host", "/s".to_owned())],
            services: vec![("--order-url", "http://o".to_owned())],
            caller: vec![("--as", "admin".to_owned())],
        };
        for (text, wanted) in [
            ("see `ordersys up`", "see `ordersys up --project two --state-dir '/a b' --docker-host /s`"),
            ("`ordersys up --project x`", "`ordersys up --project x --docker-host /s`"),
            ("`ordersys up --state-dir /x`", "`ordersys up --state-dir /x --docker-host /s`"),
            ("`docker ps -a`; ordersys up", "`docker ps -a`; ordersys up"),
            (
                "`ordersys order list --state-dir /x`",
                "`ordersys order list --state-dir /x --docker-host /s --order-url http://o --as admin`",
            ),
            (
                "`ordersys order list --as a@x --state-dir /x`",
                "`ordersys order list --as a@x --state-dir /x --docker-host /s --order-url http://o`",
            ),
        ] {
            assert_eq!(pasted.text(text), wanted);
        }
        assert_eq!(Pasted::default().text("`ordersys up`, `x"), "`ordersys up`, `x");
    }
}
