//! Variables in place of flags: an empty one is unset, and one whose value is wrong is named.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};

/// What the names of all variables of this program begin with.
const PREFIX: &str = "ORDERSYS_";

/// Whether a variable of this program is set to nothing.
pub(super) fn any_is_empty() -> bool {
    let ours = |name: &OsStr| name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
    std::env::vars_os().any(|(name, value)| value.is_empty() && ours(&name))
}

/// Whether the variable of this argument is set to nothing.
pub(super) fn is_empty(arg: &Arg) -> bool {
    value(arg).is_some_and(|value| value.is_empty())
}

fn value(arg: &Arg) -> Option<OsString> {
    arg.get_env().and_then(std::env::var_os)
}

/// The same error; an argument in it that a variable gave is named after the variable.
pub(super) fn named(mut error: clap::Error, whole: &Command, typed: &[OsString]) -> clap::Error {
    let mut given = Vec::new();
    given_by_variables(whole, typed, &mut given);
    let renamed = |text: &String| {
        let named = given.iter().find(|arg| arg.to_string() == *text);
        named.and_then(|arg| arg.get_env()).map(|variable| format!("{} ({text})", variable.display()))
    };
    for kind in [ContextKind::InvalidArg, ContextKind::PriorArg] {
        let value = match error.get(kind) {
            Some(ContextValue::String(text)) => renamed(text).map(ContextValue::String),
            Some(ContextValue::Strings(all)) => Some(ContextValue::Strings(
                all.iter().map(|text| renamed(text).unwrap_or_else(|| text.clone())).collect(),
            )),
            _ => None,
        };
        if let Some(value) = value {
            error.insert(kind, value);
        }
    }
    error
}

/// Arguments that were not typed, but have a variable that is set.
fn given_by_variables<'a>(command: &'a Command, typed: &[OsString], into: &mut Vec<&'a Arg>) {
    let given = |arg: &&Arg| value(arg).is_some() && !typed.iter().any(|word| is_flag(word, arg));
    into.extend(command.get_arguments().filter(given));
    for command in command.get_subcommands() {
        given_by_variables(command, typed, into);
    }
}

/// Whether a word is this flag, alone or with its value.
fn is_flag(word: &OsStr, arg: &Arg) -> bool {
    let word = word.to_string_lossy();
    let mut long = arg.get_long_and_visible_aliases().into_iter().flatten();
    match word.strip_prefix("--") {
        Some(word) => long.any(|name| word == name || word.starts_with(&format!("{name}="))),
        None => arg.get_short().is_some_and(|short| word.starts_with('-') && word.contains(short)),
    }
}
