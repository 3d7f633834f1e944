//! Passwords come from the terminal, where they are not shown, or from standard input; never from an argument, which
//! other users of the machine can read.

use std::io::{BufRead as _, Read as _};

use anyhow::Context as _;
use ordersys_contract::Password;

use ordersys_command::{Exit, Failure, OrFail as _, Outcome};

/// Most bytes of a line that is read as a password; services take fewer.
const MAX_LINE_BYTES: u64 = 4096;

/// Where passwords come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Passwords {
    /// A person is asked.
    Terminal,
    /// One on each line of standard input.
    Stdin,
}

impl Passwords {
    /// As the flag `--password-stdin` says.
    pub(super) fn from_flag(stdin: bool) -> Self {
        if stdin { Self::Stdin } else { Self::Terminal }
    }

    /// A password that exists already.
    pub(super) fn existing(self, what: &str) -> Outcome<Password> {
        match self {
            Self::Terminal => ask(what),
            Self::Stdin => line(what),
        }
    }

    /// A new password: a person types it twice.
    pub(super) fn chosen(self, what: &str) -> Outcome<Password> {
        let first = self.existing(what)?;
        if matches!(self, Self::Terminal) && ask(&format!("repeat {what}"))? != first {
            return Err(Failure::new(Exit::Usage, "the two passwords differ").hint("try again"));
        }
        Ok(first)
    }
}

fn ask(what: &str) -> Outcome<Password> {
    let typed = rpassword::prompt_password(format!("{what}: "));
    typed
        .map(Password::new)
        .with_context(|| format!("there is no terminal to ask for the {what}"))
        .exit(Exit::Usage)
        .hint("pipe it in: repeat the command with --password-stdin, and the password as its standard input")
}

fn line(what: &str) -> Outcome<Password> {
    let mut line = Vec::new();
    let stdin = std::io::stdin().lock();
    stdin.take(MAX_LINE_BYTES).read_until(b'\n', &mut line).context("cannot read standard input")?;
    let unusable = |why: &str| Err(Failure::new(Exit::Usage, format!("the {what} on standard input {why}")));
    if line.is_empty() {
        return unusable("is missing");
    }
    if line.pop_if(|last| *last == b'\n').is_none() && line.len() as u64 == MAX_LINE_BYTES {
        return unusable("is too long");
    }
    line.pop_if(|last| *last == b'\r');
    match String::from_utf8(line) {
        Ok(text) => Ok(Password::new(text)),
        Err(_) => unusable("is not UTF-8"), // the error would repeat it
    }
}
